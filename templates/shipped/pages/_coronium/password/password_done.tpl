{{#> _coronium/_layout.tpl title="Your password is changed"}}
<svg class="sign good" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true"><circle cx="24" cy="24" r="22"/><path d="M14 25l7 7 13-15"/></svg>
<h1 data-done>Your password is changed</h1>
{{#if continue_url}}
<p>From now on you sign in with the new one.</p>
<a class="go" href="{{ continue_url }}">Continue to {{ app_name }}</a>
{{else}}
<p>From now on you sign in to {{ app_name }} with the new one. You can close this page.</p>
{{/if}}
{{/_coronium/_layout.tpl}}
