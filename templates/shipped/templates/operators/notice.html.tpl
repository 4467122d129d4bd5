{{#> operators/_layout.html.tpl lang="en" title="Your account was changed" preview="If this was you, there is nothing more to do."}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ server }}</p>
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Your account was changed</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hello {{ name }}, {{#if address_changed}}the mail address of your account at {{ server }} was changed{{else}}your password for {{ server }} was changed{{/if}} on {{ changed_at }}. If that was you, there is nothing more to do.</p>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;"><strong>If it was not you</strong>, someone else may be able to sign in as you. Ask an admin of {{ server }} at once to set a new password for you{{#unless address_changed}}, and change the password of your mail account, too{{/unless}}.</p>
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">Sign in: <a class="link" href="{{ webmin }}" style="color:#1d5fd0;">{{ webmin }}</a></p>
{{/operators/_layout.html.tpl}}
