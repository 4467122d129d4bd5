{# The link of a mail to an operator as a button, and as text for mail programs that show no button. #}
<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%" style="margin:0 0 28px;">
<tr>
<td class="button" align="left">
<a href="{{ link }}" style="display:inline-block; padding:14px 28px; background:#1d5fd0; border:1px solid #1d5fd0; border-radius:10px; font-size:16px; line-height:22px; font-weight:600; color:#ffffff; text-decoration:none; text-align:center;">{{ label }}</a>
</td>
</tr>
</table>
<p class="quiet" style="margin:0 0 6px; font-size:14px; line-height:22px; color:#5d6875;">{{ otherwise }}</p>
<p style="margin:0 0 28px; font-size:14px; line-height:22px; word-break:break-all;"><a class="link" href="{{ link }}" style="color:#1d5fd0;">{{ link }}</a></p>
