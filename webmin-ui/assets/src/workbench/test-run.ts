// A test run of job code: what is typed runs without changing anything, and is seen while it runs.
import { locale, t } from '../words';
import { isAbort, Refused, stream } from './server';
import type { Draft } from './preview';

interface Call {
  function: string;
  parameters: unknown;
  answered: string;
}

interface Tested {
  outcome: string;
  problem: { message: string; line: number | null; traceback: string | null } | null;
  calls: Call[];
  milliseconds: number;
  log: string;
}

type Line = { log: string } | { more: string } | { done: Tested } | { refused: string };

/** The part of the pane beside job code. The latest run counts; it ends when another begins or the page is left. */
export class TestRun {
  private running: AbortController | undefined;
  /** Whose run is shown. */
  private path = '';

  constructor(
    private readonly root: HTMLElement,
    private readonly address: string,
    private readonly draft: () => Draft | undefined,
    private readonly go: (path: string, line: number) => void,
  ) {
    this.button('[data-cancel-try]').addEventListener('click', () => this.cancel());
  }

  /** Turns to another text. */
  turn(path: string): void {
    this.find('#wb-tried').hidden = path !== this.path;
  }

  stop(): void {
    this.running?.abort();
  }

  async start(): Promise<void> {
    const draft = this.draft();
    if (!draft || draft.file.kind !== 'job') return;
    this.running?.abort();
    const mine = new AbortController();
    this.running = mine;
    this.path = draft.file.path;
    this.begin();
    const log = this.find('#wb-test-log');
    let ended = false;
    try {
      const fields = { path: draft.file.path, text: draft.text, sample: draft.sample ?? '' };
      for await (const line of stream<Line>(this.address, fields, mine.signal)) {
        if ('log' in line) this.print(line.log);
        else if ('more' in line) this.print((log.textContent ?? '') + line.more);
        else {
          ended = true;
          if ('done' in line) this.show(line.done);
          else this.say('bad', line.refused);
        }
      }
      if (!ended) this.say('bad', t('The server stopped. Try again in a moment.'));
    } catch (error) {
      // Whoever began another run sees that one.
      if (isAbort(error) || mine.signal.aborted) {
        if (this.running === mine) this.say('', t('Cancelled. Nothing was changed.'));
      } else if (error instanceof Refused) this.say('bad', error.message);
      else throw error;
    } finally {
      if (this.running === mine) this.end();
    }
  }

  private cancel(): void {
    this.running?.abort();
  }

  private begin(): void {
    this.find('#wb-tried').hidden = false;
    this.find('#wb-test-calls').replaceChildren();
    this.print('');
    this.say('', t('Running …'));
    this.button('[data-cancel-try]').hidden = false;
    this.find('#wb-test').setAttribute('aria-busy', 'true');
  }

  private end(): void {
    this.running = undefined;
    this.button('[data-cancel-try]').hidden = true;
    this.find('#wb-test').removeAttribute('aria-busy');
  }

  private print(text: string): void {
    const log = this.find('#wb-test-log');
    const follows = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = text;
    log.hidden = text === '';
    if (follows) log.scrollTop = log.scrollHeight;
  }

  private show(tested: Tested): void {
    this.print(tested.log);
    const [tone, words] = outcome(tested.outcome);
    const { milliseconds: ms } = tested;
    const time = ms < 1000 ? `${ms} ms` : `${(ms / 1000).toLocaleString(locale, { maximumFractionDigits: 1 })} s`;
    this.say(tone, `${words} ${t('Took {time}. Nothing was changed.', { time })}`);
    if (tested.problem) this.problem(tested.problem);
    this.find('#wb-test-calls').replaceChildren(...calls(tested.calls));
  }

  private problem(problem: NonNullable<Tested['problem']>): void {
    const state = this.find('#wb-test-state');
    const message = document.createElement('p');
    message.className = 'mono';
    message.textContent = problem.message;
    state.append(message);
    const { line, traceback } = problem;
    if (line) {
      const path = this.path;
      const link = document.createElement('button');
      link.type = 'button';
      link.className = 'btn btn-sm';
      link.textContent = t('Go to line {line}', { line });
      link.addEventListener('click', () => this.go(path, line));
      state.append(link);
    }
    if (traceback) state.append(folded(t('Call stack'), traceback));
  }

  private say(tone: '' | 'good' | 'warn' | 'bad', text: string): void {
    const state = this.find('#wb-test-state');
    state.className = `wb-test-state ${tone}`;
    const words = document.createElement('p');
    words.className = 'strong';
    words.textContent = text;
    state.replaceChildren(words);
  }

  private button(selector: string): HTMLButtonElement {
    return this.find(selector) as HTMLButtonElement;
  }

  private find(selector: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`the test run has no ${selector}`);
    return found;
  }
}

function outcome(word: string): ['good' | 'warn' | 'bad', string] {
  switch (word) {
    case 'ok':
      return ['good', t('job.OK: done, runs again at its next time.')];
    case 'sleep':
      return ['good', t('job.SLEEP: done, not again for 24 hours.')];
    case 'stop':
      return ['warn', t('job.STOP: not again until the Jobs Service is reloaded.')];
    case 'exit':
      return ['warn', t('job.EXIT: the job would be set inactive.')];
    case 'timeout':
      return ['bad', t('It did not end in time: a test run has 60 seconds.')];
    case 'cancelled':
      return ['warn', t('It was cancelled.')];
    default:
      return ['bad', t('It failed.')];
  }
}

function calls(made: Call[]): HTMLElement[] {
  if (made.length === 0) return [];
  const head = document.createElement('h3');
  head.textContent = t('Calls');
  const list = document.createElement('ul');
  list.className = 'wb-test-calls';
  for (const call of made) {
    const item = document.createElement('li');
    item.append(folded(call.function, JSON.stringify(call.parameters, null, 2), answered(call)));
    list.append(item);
  }
  return [head, list];
}

function answered(call: Call): [string, string] {
  switch (call.answered) {
    case 'example':
      return ['info', t('answered by the example')];
    case 'read':
      return ['', t('read')];
    case 'caught':
      return ['good', mail(call.parameters) ?? t('caught')];
    default:
      return ['warn', t('refused: it would change something')];
  }
}

/** Whom a caught mail was for, and its subject. */
function mail(parameters: unknown): string | undefined {
  const message = (parameters as { message?: { to?: unknown; subject?: unknown } } | null)?.message;
  if (!message) return undefined;
  const to = Array.isArray(message.to) ? message.to.join(', ') : String(message.to ?? '');
  return t('caught: to {to}, “{subject}”', { to, subject: String(message.subject ?? '') });
}

function folded(title: string, text: string, note?: [string, string]): HTMLElement {
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  const name = document.createElement('span');
  name.textContent = title;
  summary.append(name);
  if (note) {
    name.className = 'mono';
    const mark = document.createElement('span');
    mark.className = `wb-test-note ${note[0]}`;
    mark.textContent = note[1];
    summary.append(' ', mark);
  }
  const body = document.createElement('pre');
  body.textContent = text;
  details.append(summary, body);
  return details;
}
