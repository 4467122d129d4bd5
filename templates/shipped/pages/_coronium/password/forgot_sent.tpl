{# The same for every address, whether there is an account or not. #}
{{#> _coronium/_layout.tpl title="Check your email"}}
<svg class="sign" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true"><rect x="4" y="10" width="40" height="28" rx="5"/><path d="M5 14l19 14 19-14"/></svg>
<h1>Check your email</h1>
<p>If there is an account with this address, a link is on its way. It works once, for {{ lifetime }}.</p>
<p class="quiet">Nothing after a few minutes? Look among the spam, check that it is the address of your account, and <a href="{{ again_url }}">ask once more</a>.</p>
{{/_coronium/_layout.tpl}}
