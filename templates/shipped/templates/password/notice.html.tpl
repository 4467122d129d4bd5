{{#> mail/_layout.html.tpl title="Your password was changed" preview="If this was you, there is nothing more to do."}}
{{#if app_name}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ app_name }}</p>
{{/if}}
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Your password was changed</h1>
<p class="plain" style="margin:0 0 16px; font-size:16px; line-height:25px; color:#37424f;">Hello{{#if username}} {{ username }}{{/if}}, the password of your account was changed{{#if changed_at}} on {{ changed_at }}{{/if}}. If that was you, there is nothing more to do.</p>
<p class="plain" style="margin:0; font-size:16px; line-height:25px; color:#37424f;"><strong>If it was not you</strong>, someone else can read your mail or knows your password. {{#if forgot_link}}<a class="link" href="{{ forgot_link }}" style="color:#1d5fd0;">Set a new one at once</a>{{else}}Set a new one in the app at once{{/if}}, and change the password of your mail account, too.</p>
{{/mail/_layout.html.tpl}}
