You have requested a password reset for {{#if app_name}}{{ app_name }}{{else}}our app{{/if}}.

Please click the following link to reset your password:

{* reset_link *}

Thank you.
