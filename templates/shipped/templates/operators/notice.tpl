Hello {{ name }},

{{#if address_changed}}the mail address of your account at {{ server }} was changed{{else}}your password for {{ server }} was changed{{/if}} on {{ changed_at }}. If that was you, there is nothing more to do.

If it was not you, someone else may be able to sign in as you. Ask an admin of {{ server }} at once to set a new password for you{{#unless address_changed}}, and change the password of your mail account, too{{/unless}}.

Sign in: {* webmin *}
