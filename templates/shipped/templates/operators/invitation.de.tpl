Hallo {{ name }},

{{#if invited_by}}{{ invited_by }} hat Sie zu {{ server }} eingeladen{{else}}Sie sind zu {{ server }} eingeladen{{/if}}. Wählen Sie ein Passwort, um sich als {{ name }} anzumelden.

{* link *}

Der Link funktioniert einmal, {{ lifetime }} lang. Wenn Sie ihn nicht erwarten, ignorieren Sie diese E-Mail: Ohne Passwort kann sich niemand damit anmelden.
