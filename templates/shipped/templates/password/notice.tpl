Hello{{#if username}} {{ username }}{{/if}},

the password of your {{#if app_name}}{{ app_name }} {{/if}}account was changed{{#if changed_at}} on {{ changed_at }}{{/if}}.

If that was you, there is nothing more to do.

If it was not, someone else can read your mail or knows your password. Set a new one at once{{#if forgot_link}}:

{* forgot_link *}
{{else}} in the app, and change the password of your mail account, too.
{{/if}}
