{{#> operators/_layout.html.tpl lang="de" title="Neues Passwort wählen" preview="Der Link funktioniert einmal und nicht lange."}}
<p class="quiet" style="margin:0 0 8px; font-size:14px; line-height:20px; font-weight:600; color:#5d6875;">{{ server }}</p>
<h1 class="strong" style="margin:0 0 16px; font-size:24px; line-height:32px; font-weight:700; color:#17202b;">Neues Passwort wählen</h1>
<p class="plain" style="margin:0 0 24px; font-size:16px; line-height:25px; color:#37424f;">Hallo {{ name }}, jemand hat ein neues Passwort für {{ server }} angefordert. Hier können Sie es wählen:</p>
{{> operators/_link.html.tpl label="Neues Passwort wählen" otherwise="Falls die Schaltfläche nicht geht, diesen Link öffnen:"}}
<p class="quiet rule" style="margin:0; padding:20px 0 0; border-top:1px solid #dfe4ea; font-size:14px; line-height:22px; color:#5d6875;">Der Link funktioniert einmal, {{ lifetime }} lang. Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Passwort bleibt, wie es ist.</p>
{{/operators/_layout.html.tpl}}
