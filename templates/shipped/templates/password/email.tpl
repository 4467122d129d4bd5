You have requested a password reset for {{#if app_name}}{{ app_name }}{{else}}our app{{/if}}.

Please click the following link to reset your password:

{* reset_link *}

The link works once{{#if lifetime}}, for {{ lifetime }}{{/if}}. If you did not ask for it, ignore this mail: your password stays as it is.

Thank you.
