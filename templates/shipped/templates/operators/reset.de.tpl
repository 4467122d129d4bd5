Hallo {{ name }},

jemand hat ein neues Passwort für {{ server }} angefordert. Hier können Sie es wählen:

{* link *}

Der Link funktioniert einmal, {{ lifetime }} lang. Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Passwort bleibt, wie es ist.
