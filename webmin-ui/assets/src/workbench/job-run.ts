// *Run now* beside job code: the job runs as it is saved, and how that ends is shown in place.
import { locale, t } from '../words';
import { isAbort, Refused, stream } from './server';

interface Ended {
  outcome: string;
  milliseconds: number;
  log: string;
  problem: { message: string; line: number | null; traceback: string | null } | null;
}

type Line =
  | { started: { word: string; href: string; label: string } }
  | { progress: { done: number; total: number } }
  | { done: Ended }
  | { refused: string };

type Tone = '' | 'good' | 'warn' | 'bad';

/** The part of the pane that shows the latest run. A run goes on when another is looked at, or the page is left. */
export class JobRun {
  private watching: AbortController | undefined;
  /** Whose run is shown. */
  private path = '';
  private link: HTMLAnchorElement | undefined;

  constructor(
    private readonly root: HTMLElement,
    private readonly go: (path: string, line: number) => void,
  ) {}

  /** Turns to another text. */
  turn(path: string): void {
    this.find('#wb-ran').hidden = path !== this.path;
  }

  stop(): void {
    this.watching?.abort();
  }

  async start(address: string, path: string): Promise<void> {
    this.watching?.abort();
    const mine = new AbortController();
    this.watching = mine;
    this.path = path;
    this.link = undefined;
    this.find('#wb-ran').hidden = false;
    this.print('');
    this.say('', t('Running …'));
    this.find('#wb-ran').setAttribute('aria-busy', 'true');
    this.find('#wb-ran').scrollIntoView({ block: 'nearest' });
    let ended = false;
    try {
      for await (const line of stream<Line>(address, {}, mine.signal)) {
        ended ||= 'done' in line || 'refused' in line;
        this.hear(line);
      }
      if (!ended) this.say('bad', t('The server stopped. Look at the run in a moment.'));
    } catch (error) {
      // Whoever began another run sees that one.
      if (isAbort(error) || mine.signal.aborted) return;
      if (!(error instanceof Refused)) throw error;
      this.say('bad', error.message || t('The job was not started.'));
    } finally {
      if (this.watching === mine) this.find('#wb-ran').removeAttribute('aria-busy');
    }
  }

  private hear(line: Line): void {
    if ('started' in line) {
      this.link = document.createElement('a');
      this.link.href = line.started.href;
      this.link.textContent = line.started.label;
      this.say('', line.started.word);
    } else if ('progress' in line) {
      const { done, total } = line.progress;
      this.say('', t('Running: {done} of {total}', { done: done.toLocaleString(locale), total: total.toLocaleString(locale) }));
    } else if ('refused' in line) this.say('bad', line.refused);
    else this.show(line.done);
  }

  private show(run: Ended): void {
    const { milliseconds: ms } = run;
    const time = ms < 1000 ? `${ms} ms` : `${(ms / 1000).toLocaleString(locale, { maximumFractionDigits: 1 })} s`;
    const [tone, words] = outcome(run.outcome);
    this.print(run.log);
    const state = this.say(tone, `${words} ${t('Took {time}.', { time })}`);
    if (!run.problem) return;
    const message = document.createElement('p');
    message.className = 'mono';
    message.textContent = run.problem.message;
    state.append(message);
    const { line } = run.problem;
    if (line) {
      const path = this.path;
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'btn btn-sm';
      button.textContent = t('Go to line {line}', { line });
      button.addEventListener('click', () => this.go(path, line));
      state.append(button);
    }
  }

  private print(text: string): void {
    const log = this.find('#wb-ran-log');
    log.textContent = text;
    log.hidden = text === '';
  }

  private say(tone: Tone, text: string): HTMLElement {
    const state = this.find('#wb-ran-state');
    state.className = `wb-test-state ${tone}`;
    const words = document.createElement('p');
    words.className = 'strong';
    words.textContent = text;
    state.replaceChildren(words, ...(this.link ? [this.link] : []));
    return state;
  }

  private find(selector: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`the editor has no ${selector}`);
    return found;
  }
}

function outcome(word: string): [Tone, string] {
  switch (word) {
    case 'ok':
      return ['good', t('Succeeded: job.OK.')];
    case 'sleep':
      return ['good', t('Succeeded: job.SLEEP. Not again for 24 hours.')];
    case 'stop':
      return ['warn', t('Succeeded: job.STOP. Not again until the Jobs Service is reloaded.')];
    case 'exit':
      return ['warn', t('Succeeded: job.EXIT. The job is inactive now.')];
    case 'timeout':
      return ['bad', t('Failed: it did not end in time.')];
    case 'cancelled':
      return ['warn', t('It was cancelled.')];
    case 'lost':
      return ['bad', t('Failed: the server stopped while it ran.')];
    default:
      return ['bad', t('It failed.')];
  }
}
