{# One page for every link that does not work: used, expired, revoked, mistyped or made up. Nobody learns which. The app's
   name is that of the site, not of the link. #}
{{#> _coronium/_layout.tpl title="This link does not work any more" title_de="Dieser Link funktioniert nicht mehr"}}
{{#if german}}
<h1 data-dead>Dieser Link funktioniert nicht mehr</h1>
<p>Ein Link funktioniert einmal und nur für begrenzte Zeit. Wenn Sie gerade ein neues Passwort gewählt haben, gilt es bereits, und Sie können sich anmelden.</p>
<h2>Neuen Link anfordern</h2>
{{else}}
<h1 data-dead>This link does not work any more</h1>
<p>A link works once, and only for a limited time. If you have just chosen a new password, it is set and you can sign in.</p>
<h2>Get a new link</h2>
{{/if}}
{{> _coronium/password/_ask.tpl}}
{{/_coronium/_layout.tpl}}
