// Lua for jobs and pages: what `core` has, drawn from the registry as this server has it, offered while one types and
// explained where the pointer rests. Asked for when a Lua text first needs it.
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { Text } from '@codemirror/state';
import { hoverTooltip } from '@codemirror/view';
import { t } from '../words';

/** A value of a schema: a parameter, a result, or a field of one. */
interface Node {
  name: string;
  kind: string;
  optional: boolean;
  summary: string;
  rules: string[];
  children: Node[];
}

interface FunctionWord {
  name: string;
  summary: string;
  plugin: string | null;
  writes: boolean;
  access: string[];
  parameters: Node[];
  returns: Node[];
}

/** What is there beside the registry; the methods of an object begin with what it is usually called. */
interface OtherWord {
  name: string;
  takes?: string;
  gives: string;
  summary: string;
}

/** A name as it is written in full, and the card that explains it. */
interface Entry {
  name: string;
  type: 'function' | 'method' | 'constant' | 'property';
  detail: string;
  card: () => HTMLElement;
}

export type Sort = 'job' | 'page';

const asked = new Map<Sort, Promise<Entry[]>>();

/** Asked for once per page load. */
function known(sort: Sort): Promise<Entry[]> {
  const address = document.querySelector<HTMLElement>('[data-words]')?.dataset['words'];
  if (!address) return Promise.resolve([]);
  const before = asked.get(sort);
  if (before) return before;
  const answer = fetch(`${address}?of=${sort}`, { headers: { Accept: 'application/json' } })
    .then(async (answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return entries((await answer.json()) as { functions: FunctionWord[]; others: OtherWord[] });
    })
    .catch(() => {
      // Asked again when it is needed again.
      asked.delete(sort);
      return [];
    });
  asked.set(sort, answer);
  return answer;
}

function entries(words: { functions: FunctionWord[]; others: OtherWord[] }): Entry[] {
  const functions = words.functions.map((word): Entry => ({
    name: `core.${word.name}`,
    type: 'function',
    detail: `(${word.parameters.map((one) => one.name + (one.optional ? '?' : '')).join(', ')})`,
    card: () => functionCard(word),
  }));
  const others = words.others.map((word): Entry => ({
    name: word.name,
    type: word.takes === undefined ? (/[.][A-Z]+$/.test(word.name) ? 'constant' : 'property') : word.name.startsWith('core.') ? 'function' : 'method',
    detail: word.takes === undefined ? '' : `(${word.takes})`,
    card: () => otherCard(word),
  }));
  return [...others, ...functions];
}

/** What makes the objects of code, and what they are called in the list. */
const MAKERS: Record<string, string> = { 'core.job': 'job', 'core.pages.new': 'page', 'core.email.new': 'email' };

/** The objects of a text by the names they were given: `local mail = core.email.new()`. */
function objects(doc: Text): Map<string, string> {
  const found = new Map([['job', 'job'], ['page', 'page'], ['email', 'email']]);
  for (const [, name, maker] of doc.toString().matchAll(/\blocal\s+(\w+)\s*=\s*(core\.(?:job|pages\.new|email\.new))\s*\(/g)) {
    found.set(name ?? '', MAKERS[maker ?? ''] ?? '');
  }
  return found;
}

export function luaWords(sort: Sort) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const chained = context.matchBefore(/[)\s]:\w*/);
    if (chained) return members(await known(sort), 'email:', chained.from + 2);
    const word = context.matchBefore(/[A-Za-z_]\w*(?:[.:]\w*)*/);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    const written = word?.text ?? '';
    const all = await known(sort);
    const dot = Math.max(written.lastIndexOf('.'), written.lastIndexOf(':'));
    if (dot < 0) return { from, options: all.map((entry) => option(entry, entry.name)), validFor: /^\w*$/ };
    const owner = written.slice(0, dot);
    const object = objects(context.state.doc).get(owner);
    return members(all, object ? `${object}${written[dot] ?? ''}` : `${owner}.`, from + dot + 1);
  };
}

/** What may follow: names of the next step only, each once. */
function members(all: Entry[], before: string, from: number): CompletionResult | null {
  const options = new Map<string, Completion>();
  for (const entry of all) {
    if (!entry.name.startsWith(before)) continue;
    const rest = entry.name.slice(before.length);
    const step = /^\w+/.exec(rest)?.[0] ?? '';
    if (!step) continue;
    if (step === rest) options.set(step, option(entry, step));
    else if (!options.has(step)) options.set(step, { label: step, type: 'namespace' });
  }
  return options.size > 0 ? { from, options: [...options.values()], validFor: /^\w*$/ } : null;
}

function option(entry: Entry, label: string): Completion {
  return { label, type: entry.type, detail: entry.detail, info: entry.card };
}

/** What a name is, when the pointer rests on it. */
export function luaHover(sort: Sort) {
  return hoverTooltip(async (view, at) => {
    const line = view.state.doc.lineAt(at);
    for (const found of line.text.matchAll(/(?:[A-Za-z_]\w*)?(?:[.:][A-Za-z_]\w*)+/g)) {
      const from = line.from + found.index;
      if (at < from || at > from + found[0].length) continue;
      // Up to the end of the step that is pointed at, as `core.log` of `core.log.warn`; a service alone is no word.
      const step = /^\w*/.exec(found[0].slice(at - from))?.[0].length ?? 0;
      const all = await known(sort);
      const entryOf = (written: string) => ({ written, entry: explained(all, written, view.state.doc) });
      const pointed = entryOf(found[0].slice(0, at - from + step));
      const { written, entry } = pointed.entry ? pointed : entryOf(found[0]);
      if (!entry) return null;
      return { pos: from, end: from + written.length, above: true, create: () => ({ dom: entry.card() }) };
    }
    return null;
  });
}

function explained(all: Entry[], written: string, doc: Text): Entry | undefined {
  const [, owner, member] = /^(\w*)([.:]\w+)$/.exec(written) ?? [];
  const object = owner === '' ? 'email' : owner && objects(doc).get(owner);
  const name = object && member ? object + member : written;
  return all.find((entry) => entry.name === name);
}

function functionCard(word: FunctionWord): HTMLElement {
  const signature = word.parameters.map((one) => `${one.name}${one.optional ? '?' : ''}: ${one.kind}`).join(', ');
  const access = [t('For {callers}.', { callers: word.access.join(', ') }), word.writes ? t('Changes something.') : t('Only reads.')];
  if (word.plugin) access.push(t('By the plugin {plugin}.', { plugin: word.plugin }));
  return card(`core.${word.name}(${signature})`, word.summary, [
    list(t('Parameters'), word.parameters),
    list(t('Result'), word.returns),
    paragraph(t('On failure it returns nil, a message and a code.'), 'muted'),
    paragraph(access.join(' '), 'muted'),
  ]);
}

function otherCard(word: OtherWord): HTMLElement {
  const call = word.takes === undefined ? '' : `(${word.takes})`;
  return card(`${word.name}${call}${word.gives ? `: ${word.gives}` : ''}`, word.summary, []);
}

function card(title: string, summary: string, parts: (HTMLElement | undefined)[]): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'cm-word';
  const code = document.createElement('code');
  code.textContent = title;
  dom.append(code, paragraph(summary), ...parts.filter((part) => part !== undefined));
  return dom;
}

function paragraph(text: string, kind = ''): HTMLElement {
  const made = document.createElement('p');
  made.className = kind;
  made.textContent = text;
  return made;
}

function list(title: string, nodes: Node[]): HTMLElement | undefined {
  if (nodes.length === 0) return undefined;
  const made = document.createElement('div');
  const head = document.createElement('strong');
  head.textContent = title;
  made.append(head, items(nodes));
  return made;
}

function items(nodes: Node[]): HTMLElement {
  const made = document.createElement('ul');
  for (const node of nodes) {
    const item = document.createElement('li');
    const name = document.createElement('code');
    name.textContent = node.name ? `${node.name}${node.optional ? '?' : ''}: ${node.kind}` : node.kind;
    // The summary says some rules itself.
    const rules = node.rules.filter((rule) => !node.summary.includes(rule));
    item.append(name, ` ${[node.summary, ...rules].filter(Boolean).join(' · ')}`);
    if (node.children.length > 0) item.append(items(node.children));
    made.append(item);
  }
  return made;
}
