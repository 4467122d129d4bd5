{{#> _coronium/_layout.tpl title="Forgot your password?"}}
<h1>Forgot your password?</h1>
<p>We send a link to your email address. With it you choose a new one.</p>
{{> _coronium/password/_ask.tpl}}
{{/_coronium/_layout.tpl}}
