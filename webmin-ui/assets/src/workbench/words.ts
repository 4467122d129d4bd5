import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import { hoverTooltip } from '@codemirror/view';
import { t } from '../words';

interface Word {
  name: string;
  parameters: string;
  summary: string;
}

let asked: Promise<Word[]> | undefined;

/** The registry's functions, asked for once per page load. */
function known(): Promise<Word[]> {
  const address = document.querySelector<HTMLElement>('[data-words]')?.dataset['words'];
  if (!address) return Promise.resolve([]);
  asked ??= fetch(address, { headers: { Accept: 'application/json' } })
    .then((answer) => (answer.ok ? (answer.json() as Promise<Word[]>) : []))
    .catch(() => []);
  return asked;
}

const helpers: Completion[] = [
  ...['OK', 'SLEEP', 'STOP', 'EXIT'].map((label) => ({ label: `job.${label}`, type: 'constant' })),
  ...['minute', 'hour', 'day', 'dayNum', 'dayMonth', 'weekNum', 'month', 'monthNum'].map((name) => ({ label: `job.${name}()`, type: 'method' })),
  { label: 'core.job()', type: 'function', info: 'A new job' },
  { label: 'core.pages.new()', type: 'function', info: 'A new page' },
  ...['render', 'renderText', 'renderJson', 'template', 'redirect', 'status', 'setCookie', 'clearCookie', 'response'].map((name) => ({ label: `page.${name}`, type: 'method' })),
  ...['query', 'form', 'files', 'cookies', 'headers', 'method', 'path', 'isGet', 'isPost', 'isAjax'].map((name) => ({ label: `page.${name}`, type: 'property' })),
  { label: 'core.email.new()', type: 'function', info: 'A new message' },
  { label: 'core.log()', type: 'function', info: 'Writes a line to the log of this run' },
  { label: 'core.NULL', type: 'constant' },
];

export async function luaWords(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[A-Za-z_][\w.]*/);
  if (!word && !context.explicit) return null;
  const functions = (await known()).map((known) => ({
    label: `core.${known.name}`, detail: `(${known.parameters})`, info: known.summary, type: 'function',
  }));
  return { from: word?.from ?? context.pos, options: [...helpers, ...functions], validFor: /^[\w.]*$/ };
}

/** What a function of the registry is, when the pointer rests on its name. */
export const luaHover = hoverTooltip(async (view, at) => {
  const line = view.state.doc.lineAt(at);
  for (const found of line.text.matchAll(/core\.(\w+\.\w+)/g)) {
    const from = line.from + found.index;
    const to = from + found[0].length;
    if (at < from || at > to) continue;
    const word = (await known()).find((word) => word.name === found[1]);
    if (!word) return null;
    return { pos: from, end: to, above: true, create: () => ({ dom: card(word) }) };
  }
  return null;
});

function card(word: Word): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'cm-word';
  const call = document.createElement('code');
  call.textContent = `core.${word.name}(${word.parameters})`;
  const summary = document.createElement('p');
  summary.textContent = word.summary;
  dom.append(call, summary);
  return dom;
}

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
