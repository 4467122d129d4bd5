import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';

let functions: Promise<Completion[]> | undefined;

/** The registry's functions as Lua completions, asked for once per page load. */
function known(): Promise<Completion[]> {
  const address = document.querySelector<HTMLElement>('[data-words]')?.dataset['words'];
  if (!address) return Promise.resolve([]);
  functions ??= fetch(address, { headers: { Accept: 'application/json' } })
    .then((answer) => (answer.ok ? (answer.json() as Promise<Word[]>) : []))
    .then((words) => words.map((word) => ({ label: `core.${word.name}`, detail: `(${word.parameters})`, info: word.summary, type: 'function' })))
    .catch(() => []);
  return functions;
}

interface Word {
  name: string;
  parameters: string;
  summary: string;
}

const helpers: Completion[] = [
  ...['OK', 'SLEEP', 'STOP', 'EXIT'].map((label) => ({ label: `job.${label}`, type: 'constant' })),
  ...['minute', 'hour', 'day', 'dayNum', 'dayMonth', 'weekNum', 'month', 'monthNum'].map((name) => ({ label: `job.${name}()`, type: 'method' })),
  { label: 'core.job()', type: 'function', info: 'A new job' },
  { label: 'core.pages.new()', type: 'function', info: 'A new page' },
  { label: 'core.email.new()', type: 'function', info: 'A new message' },
  { label: 'core.log()', type: 'function', info: 'Writes a line to the log of this run' },
  { label: 'core.NULL', type: 'constant' },
];

export async function luaWords(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[A-Za-z_][\w.]*/);
  if (!word && !context.explicit) return null;
  return { from: word?.from ?? context.pos, options: [...helpers, ...(await known())], validFor: /^[\w.]*$/ };
}

/** The tags a template may hold; offered after an opening brace. */
export function tagWords(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/\{[{*(#-]?\s*\w*/);
  if (!word) return null;
  const options = [
    { label: '{{ key }}', info: 'The value, escaped in HTML' },
    { label: '{* key *}', info: 'The value as it is' },
    { label: '{* reset_link *}', info: 'The link of a password reset' },
    { label: '{(other.tpl)}', info: 'Another template, here' },
    { label: '{{#if key}}{{/if}}', info: 'Only when the key holds something' },
    { label: '{{#each list}}{{this}}{{/each}}', info: 'Once for each of a list' },
    { label: '{# note #}', info: 'A note that is not rendered' },
  ];
  return { from: word.from, options };
}
