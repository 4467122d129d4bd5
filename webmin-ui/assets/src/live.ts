// A page with data-live follows what happens: src/kit/live.rs sends the parts that changed, and they are put in place
// without touching what the reader does there.
import { Idiomorph } from 'idiomorph';
import htmx from 'htmx.org';
import { localTimes } from './time';
import { outcomeKnown } from './toast';

type Mark = 'on' | 'wait' | 'off' | 'paused' | 'out';

/** A tab that nobody looks at for this long lets go of its connection: a browser has few to one server. */
const HIDDEN_FOR = 20_000;
/** The server gives a sign of life every few seconds. A stream that is silent for so long is dead. */
const SILENT_FOR = 20_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

let current: Stream | undefined;

/** Follows the page that is shown, if it wants that; an earlier one is let go. */
export function followPage(): void {
  const page = document.querySelector<HTMLElement>('#main [data-live]');
  if (current?.page === page) return;
  current?.close();
  current = page ? new Stream(page) : undefined;
  void current?.run();
}

function idle(): Promise<void> {
  return new Promise((resolve) => {
    if ('requestIdleCallback' in window) requestIdleCallback(() => resolve(), { timeout: 2_000 });
    else setTimeout(resolve, 200);
  });
}

class Stream {
  private readonly stop = new AbortController();
  private connection: AbortController | undefined;
  private lastId: string;
  private wait = FIRST_WAIT;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private paused = false;
  private wake: (() => void) | undefined;

  constructor(readonly page: HTMLElement) {
    this.lastId = page.dataset['liveId'] ?? '';
    const options = { signal: this.stop.signal };
    document.addEventListener('visibilitychange', () => this.visibility(), options);
    addEventListener('online', () => this.wake?.(), options);
  }

  close(): void {
    clearTimeout(this.hiding);
    this.stop.abort();
    this.connection?.abort();
    this.wake?.();
  }

  async run(): Promise<void> {
    // The page is as new as it can be: what comes next may wait until it is drawn and can be used.
    await idle();
    while (this.page.isConnected && !this.stop.signal.aborted) {
      if (this.paused) {
        this.mark('paused');
        await this.rest();
        continue;
      }
      const goOn = await this.follow().catch(() => true);
      if (!goOn || this.stop.signal.aborted) return;
      if (this.paused) continue;
      this.mark('off');
      // Not all pages at once when a server comes back.
      await this.rest(this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }
    this.close();
  }

  /** Reads one connection to its end; false when there is no use in another. */
  private async follow(): Promise<boolean> {
    const connection = new AbortController();
    this.connection = connection;
    const answer = await fetch(this.page.dataset['live'] ?? '', {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': this.lastId },
      signal: connection.signal,
    });
    if (answer.status === 401 || answer.status === 403 || answer.redirected) return this.signedOut();
    if (!answer.ok || !answer.body) return true;
    this.mark('on');
    this.wait = FIRST_WAIT;
    let silence = setTimeout(() => connection.abort(), SILENT_FOR);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return true;
        clearTimeout(silence);
        silence = setTimeout(() => connection.abort(), SILENT_FOR);
        text += value;
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const end = this.take(event);
          if (end === 'out') return this.signedOut();
          if (end === 'over') {
            outcomeKnown();
            return false;
          }
        }
      }
    } finally {
      clearTimeout(silence);
      connection.abort();
    }
  }

  /** One event; what it says when it is the last: the session ended, or there is nothing more to follow. */
  private take(text: string): 'out' | 'over' | undefined {
    const data: string[] = [];
    let name = '';
    for (const line of text.split('\n')) {
      const at = line.indexOf(':');
      const value = line.slice(at + 1).replace(/^ /, '');
      if (line.startsWith('event:')) name = value;
      else if (line.startsWith('data:')) data.push(value);
      else if (line.startsWith('id:')) this.lastId = value;
    }
    if (name === 'signed-out') return 'out';
    if (name === 'over') return 'over';
    const part = this.page.querySelector<HTMLElement>(`[data-live-part="${CSS.escape(name)}"]`);
    if (part) put(part, data.join('\n'));
    return undefined;
  }

  private signedOut(): boolean {
    this.mark('out');
    return false;
  }

  private visibility(): void {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => {
        this.paused = true;
        this.connection?.abort();
      }, HIDDEN_FOR);
    } else {
      this.paused = false;
      this.wait = FIRST_WAIT;
      this.wake?.();
    }
  }

  private rest(time?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = time === undefined ? undefined : setTimeout(resolve, time);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private mark(state: Mark): void {
    const mark = this.page.querySelector<HTMLElement>('[data-live-mark]');
    if (mark) mark.dataset['liveMark'] = state;
  }
}

/** Puts new HTML in the place of a part's. What is the same stays: focus, scroll, what is open, and what a script drew. */
function put(part: HTMLElement, html: string): void {
  const next = new DOMParser().parseFromString(`<body>${html}</body>`, 'text/html').body;
  // Both sides in the viewer's own zone: what did not change is not touched.
  localTimes(next);
  Idiomorph.morph(part, [...next.childNodes], {
    morphStyle: 'innerHTML',
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (old: Node) => !(old instanceof HTMLElement && 'canvas' in old.dataset),
      beforeAttributeUpdated: (name: string, node: Element) => !(name === 'open' && node.localName === 'details'),
    },
  });
  htmx.process(part);
  part.dispatchEvent(new CustomEvent('coronet:changed', { bubbles: true }));
}
