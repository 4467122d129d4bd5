It works: this mail came from {{#if server}}{{ server }}{{else}}your Coronet server{{/if}}{{#if transport}}, sent with {{ transport }}{{/if}}.

{{#if to}}
It was sent to {{ to }}{{#if sent_at}} on {{ sent_at }}{{/if}}.
{{/if}}

You asked for it on the Mail page. There is nothing else to do.
