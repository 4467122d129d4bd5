{{#> operators/_layout.html.tpl lang="de" title="Ihre Einladung" preview="Wählen Sie mit dem Link ein Passwort. Er funktioniert einmal."}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ server }}</p>
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Ihre Einladung</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hallo {{ name }}. {{#if invited_by}}{{ invited_by }} hat Sie zu {{ server }} eingeladen{{else}}Sie sind zu {{ server }} eingeladen{{/if}}. Wählen Sie ein Passwort, um sich als {{ name }} anzumelden.</p>
{{> operators/_link.html.tpl label="Passwort wählen" otherwise="Falls die Schaltfläche nicht geht, diesen Link öffnen:"}}
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">Der Link funktioniert einmal, {{ lifetime }} lang. Wenn Sie ihn nicht erwarten, ignorieren Sie diese E-Mail: Ohne Passwort kann sich niemand damit anmelden.</p>
{{/operators/_layout.html.tpl}}
