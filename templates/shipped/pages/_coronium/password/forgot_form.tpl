{{#> _coronium/_layout.tpl title="Forgot your password?" title_de="Passwort vergessen?"}}
{{#if german}}
<h1>Passwort vergessen?</h1>
<p>Wir senden einen Link an Ihre E-Mail-Adresse. Damit wählen Sie ein neues Passwort.</p>
{{else}}
<h1>Forgot your password?</h1>
<p>We send a link to your email address. With it you choose a new one.</p>
{{/if}}
{{> _coronium/password/_ask.tpl}}
{{/_coronium/_layout.tpl}}
