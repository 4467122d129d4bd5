It works: this mail came from your Coronet server{{#if transport}}, sent with {{ transport }}{{/if}}.

{{#if to}}
It was sent to {{ to }}{{#if sent_at}} on {{ sent_at }}{{/if}}.
{{/if}}

You asked for it on the Mail page. There is nothing else to do.
