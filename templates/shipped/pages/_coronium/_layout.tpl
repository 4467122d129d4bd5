{# The frame of Coronet's own pages: {{#> _coronium/_layout.tpl title="…" title_de="…"}} body {{/_coronium/_layout.tpl}}.
   Page code sets `german` for readers whose browser asks for German.
   The referrer line lets a browser say to this site, and to no other, that a form came from it. #}
<!doctype html>
<html lang="{{#if german}}de{{else}}en{{/if}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#eef1f6" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0e1217" media="(prefers-color-scheme: dark)">
<meta name="referrer" content="same-origin">
<meta name="robots" content="noindex, nofollow">
<title>{{#if german}}{{#if title_de}}{{ title_de }}{{else}}{{ title }}{{/if}}{{else}}{{ title }}{{/if}}{{#if app_name}} – {{ app_name }}{{/if}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/_coronium/coronet.css">
<script src="/_coronium/password/password_submit.js" defer></script>
</head>
<body>
<main class="card">
{{#if app_name}}<p class="app">{{ app_name }}</p>{{/if}}
{{> @partial-block}}
</main>
</body>
</html>
