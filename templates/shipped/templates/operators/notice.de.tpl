Hallo {{ name }},

{{#if address_changed}}die E-Mail-Adresse Ihres Kontos bei {{ server }} wurde am {{ changed_at }} geändert{{else}}Ihr Passwort für {{ server }} wurde am {{ changed_at }} geändert{{/if}}. Wenn Sie das waren, ist nichts weiter zu tun.

Wenn nicht, kann sich vielleicht jemand anders als Sie anmelden. Bitten Sie sofort einen Admin von {{ server }} um ein neues Passwort{{#unless address_changed}}, und ändern Sie auch das Passwort Ihres E-Mail-Kontos{{/unless}}.

Anmelden: {* webmin *}
