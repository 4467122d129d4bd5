Hello {{ name }},

{{#if invited_by}}{{ invited_by }} invited you{{else}}You are invited{{/if}} to {{ server }}. Choose a password to sign in as {{ name }}.

{* link *}

The link works once, for {{ lifetime }}. If you did not expect it, ignore this mail: without a password nobody can sign in with it.
