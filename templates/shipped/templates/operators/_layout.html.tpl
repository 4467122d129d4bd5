{# The frame of mails to operators. It is theirs alone: only admins may edit what is in this folder, since it sees the links.
   Tables and inline styles, because mail programs know little else; the style sheet only adds dark mode and phones. #}
<!doctype html>
<html lang="{{ lang }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="x-apple-disable-message-reformatting">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 520px) {
  .card { padding: 28px 22px !important; border-radius: 0 !important; }
  .page { padding: 0 !important; }
  .button a { display: block !important; }
}
@media (prefers-color-scheme: dark) {
  .page, body { background: #101418 !important; }
  .card { background: #1a2027 !important; border-color: #2c353f !important; }
  .strong { color: #f2f5f8 !important; }
  .plain { color: #c4ccd5 !important; }
  .quiet { color: #98a4b1 !important; }
  .quiet a, .link { color: #8ab8ff !important; }
  .rule { border-color: #2c353f !important; }
}
</style>
</head>
<body style="margin:0; padding:0; background:#f3f5f8; -webkit-text-size-adjust:100%;">
<div style="display:none; max-height:0; overflow:hidden; mso-hide:all;">{{ preview }}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;">
<tr>
<td class="page" align="center" style="padding:40px 16px; background:#f3f5f8;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px; border-collapse:separate;">
<tr>
<td class="card" style="padding:40px; background:#ffffff; border:1px solid #dfe4ea; border-radius:14px; font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;">
{{> @partial-block}}
</td>
</tr>
</table>
</td>
</tr>
</table>
</body>
</html>
