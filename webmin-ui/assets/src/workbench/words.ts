import type { CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import { t } from '../words';

/** The tags a template may hold, and the keys it is filled with; offered after an opening brace. */
export function tagWords(keys: () => string[]): CompletionSource {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/\{[{*(#-]?\s*[\w.]*/);
    if (!word) return null;
    const raw = word.text.startsWith('{*');
    const filled = keys().map((key) => ({
      label: raw ? `{* ${key} *}` : `{{ ${key} }}`,
      type: 'variable',
      detail: t('in the sample data'),
      boost: 2,
    }));
    const tags = [
      { label: '{{ key }}', info: t('The value, escaped in HTML') },
      { label: '{* key *}', info: t('The value as it is') },
      { label: '{(other.tpl)}', info: t('Another template, here') },
      { label: '{{#if key}}{{/if}}', info: t('Only when the key holds something') },
      { label: '{{#each list}}{{this}}{{/each}}', info: t('Once for each of a list') },
      { label: '{# note #}', info: t('A note that is not rendered') },
    ];
    return { from: word.from, options: [...filled, ...tags] };
  };
}
