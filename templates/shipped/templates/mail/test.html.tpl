{{#> mail/_layout.html.tpl title="It works" preview="Your Coronet server can send mail."}}
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">It works</h1>
<p class="plain" style="margin:0 0 16px; font-size:16px; line-height:25px; color:#37424f;">This mail came from {{#if server}}{{ server }}{{else}}your Coronet server{{/if}}{{#if transport}}, sent with {{ transport }}{{/if}}.</p>
{{#if to}}
<p class="quiet" style="margin:0 0 16px; font-size:14px; line-height:22px; color:#5d6875;">It was sent to {{ to }}{{#if sent_at}} on {{ sent_at }}{{/if}}.</p>
{{/if}}
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">You asked for it on the Mail page. There is nothing else to do.</p>
{{/mail/_layout.html.tpl}}
