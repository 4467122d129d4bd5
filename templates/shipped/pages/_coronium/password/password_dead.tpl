{# One page for every link that does not work: used, expired, revoked, mistyped or made up. Nobody learns which. #}
{{#> _coronium/_layout.tpl title="This link does not work any more"}}
<h1 data-dead>This link does not work any more</h1>
<p>A link works once, and only for a limited time. If you have just chosen a new password, it is set and you can sign in.</p>
<h2>Get a new link</h2>
{{> _coronium/password/_ask.tpl}}
{{/_coronium/_layout.tpl}}
