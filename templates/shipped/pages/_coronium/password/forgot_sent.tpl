{# The same for every address, whether there is an account or not. #}
{{#> _coronium/_layout.tpl title="Check your email" title_de="Sehen Sie in Ihre E-Mails"}}
<svg class="sign" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true"><rect x="4" y="10" width="40" height="28" rx="5"/><path d="M5 14l19 14 19-14"/></svg>
{{#if german}}
<h1>Sehen Sie in Ihre E-Mails</h1>
<p>Wenn es ein Konto mit dieser Adresse gibt, ist ein Link unterwegs. Er funktioniert einmal und gilt {{ lifetime }}.</p>
<p class="quiet">Nach ein paar Minuten nichts da? Sehen Sie im Spam nach, prüfen Sie, ob es die Adresse Ihres Kontos ist, und <a href="{{ again_url }}">fordern Sie noch einen an</a>.</p>
{{else}}
<h1>Check your email</h1>
<p>If there is an account with this address, a link is on its way. It works once, for {{ lifetime }}.</p>
<p class="quiet">Nothing after a few minutes? Look among the spam, check that it is the address of your account, and <a href="{{ again_url }}">ask once more</a>.</p>
{{/if}}
{{/_coronium/_layout.tpl}}
