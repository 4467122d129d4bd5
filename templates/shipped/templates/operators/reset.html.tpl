{{#> operators/_layout.html.tpl lang="en" title="Choose a new password" preview="The link inside works once, and not for long."}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ server }}</p>
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Choose a new password</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hello {{ name }}, someone asked for a new password for {{ server }}. Choose it here:</p>
{{> operators/_link.html.tpl label="Choose a new password" otherwise="If the button does not work, open this link:"}}
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">The link works once, for {{ lifetime }}. If it was not you, ignore this mail: your password stays as it is.</p>
{{/operators/_layout.html.tpl}}
