{# `continue_url` is the scope's `after_reset_url`, where users sign in; without it there is no link. #}
{{#> _coronium/_layout.tpl title="Your password is changed" title_de="Ihr Passwort ist geändert"}}
<svg class="sign good" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true"><circle cx="24" cy="24" r="22"/><path d="M14 25l7 7 13-15"/></svg>
{{#if german}}
<h1 data-done>Ihr Passwort ist geändert</h1>
{{#if continue_url}}
<p>Ab jetzt melden Sie sich mit dem neuen Passwort an.</p>
<a class="go" href="{{ continue_url }}">Bei {{ app_name }} anmelden</a>
{{else}}
<p>Ab jetzt melden Sie sich bei {{ app_name }} mit dem neuen Passwort an. Sie können diese Seite schließen.</p>
{{/if}}
{{else}}
<h1 data-done>Your password is changed</h1>
{{#if continue_url}}
<p>From now on you sign in with the new one.</p>
<a class="go" href="{{ continue_url }}">Sign in to {{ app_name }}</a>
{{else}}
<p>From now on you sign in to {{ app_name }} with the new one. You can close this page.</p>
{{/if}}
{{/if}}
{{/_coronium/_layout.tpl}}
