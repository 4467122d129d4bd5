{{#> operators/_layout.html.tpl lang="en" title="Your invitation" preview="Choose a password with the link inside. It works once."}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ server }}</p>
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Your invitation</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hello {{ name }}, {{#if invited_by}}{{ invited_by }} invited you{{else}}you are invited{{/if}} to {{ server }}. Choose a password to sign in as {{ name }}.</p>
{{> operators/_link.html.tpl label="Choose a password" otherwise="If the button does not work, open this link:"}}
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">The link works once, for {{ lifetime }}. If you did not expect it, ignore this mail: without a password nobody can sign in with it.</p>
{{/operators/_layout.html.tpl}}
