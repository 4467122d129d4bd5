{{#> mail/_layout.html.tpl title="Reset your password" preview="Choose a new password with the link inside. It works once."}}
{{#if app_name}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ app_name }}</p>
{{/if}}
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Reset your password</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hello{{#if username}} {{ username }}{{/if}}, you have requested a password reset for {{#if app_name}}{{ app_name }}{{else}}our app{{/if}}. Choose a new password here:</p>
<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%" style="margin:0 0 28px;">
<tr>
<td class="button" align="left">
<a href="{* reset_link *}" style="display:inline-block; padding:14px 28px; background:#1d5fd0; border:1px solid #1d5fd0; border-radius:10px; font-size:16px; line-height:22px; font-weight:600; color:#ffffff; text-decoration:none; text-align:center;">Choose a new password</a>
</td>
</tr>
</table>
<p class="quiet" style="margin:0 0 6px; font-size:14px; line-height:22px; color:#5d6875;">If the button does not work, open this link:</p>
<p style="margin:0 0 28px; font-size:14px; line-height:22px; word-break:break-all;"><a class="link" href="{* reset_link *}" style="color:#1d5fd0;">{* reset_link *}</a></p>
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">The link works once, {{#if lifetime}}for {{ lifetime }}{{else}}and only for a limited time{{/if}}. If you did not ask for it, you can ignore this mail: your password stays as it is.</p>
{{/mail/_layout.html.tpl}}
