{{#> operators/_layout.html.tpl lang="de" title="Ihr Konto wurde geändert" preview="Wenn Sie das waren, ist nichts weiter zu tun."}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ server }}</p>
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Ihr Konto wurde geändert</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hallo {{ name }}, {{#if address_changed}}die E-Mail-Adresse Ihres Kontos bei {{ server }} wurde am {{ changed_at }} geändert{{else}}Ihr Passwort für {{ server }} wurde am {{ changed_at }} geändert{{/if}}. Wenn Sie das waren, ist nichts weiter zu tun.</p>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;"><strong>Wenn nicht</strong>, kann sich vielleicht jemand anders als Sie anmelden. Bitten Sie sofort einen Admin von {{ server }} um ein neues Passwort{{#unless address_changed}}, und ändern Sie auch das Passwort Ihres E-Mail-Kontos{{/unless}}.</p>
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">Anmelden: <a class="link" href="{{ webmin }}" style="color:#1d5fd0;">{{ webmin }}</a></p>
{{/operators/_layout.html.tpl}}
