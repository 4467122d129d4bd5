import { post, type Seen } from './server';

/** How often others are asked for, and so within which time they are seen. */
const EVERY = 5_000;

/** Who pressed no key for so long is idle; the server has the same. */
export const IDLE_MS = 30_000;

/** A text that is open here. */
export interface Open {
  path: string;
  unsaved: boolean;
  /** Milliseconds since a key was last pressed in it; `null` when none was. */
  idle_ms: number | null;
}

/** For how long no key was pressed in a text here. */
export function idleMs(tab: { typedAt?: number }): number {
  return tab.typedAt === undefined ? Number.POSITIVE_INFINITY : performance.now() - tab.typedAt;
}

/** Tells the server which texts are open here, and hears who else has them open and what is live now. */
export class Presence {
  /** A window that is loaded anew is another one; the old one said goodbye. */
  private readonly editor = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly address: string,
    private readonly open: () => Open[],
    private readonly heard: (seen: Seen[]) => void,
    stopped: AbortSignal,
  ) {
    document.addEventListener('visibilitychange', () => this.soon(), { signal: stopped });
    window.addEventListener('pagehide', () => this.leave(), { signal: stopped });
    stopped.addEventListener('abort', () => {
      clearTimeout(this.timer);
      this.leave();
    });
    this.soon();
  }

  /** Something changed: that is told at once, but not with every key. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tell(), 250);
  }

  private async tell(): Promise<void> {
    clearTimeout(this.timer);
    if (!document.hidden) {
      try {
        this.heard(await post<Seen[]>(this.address, this.word(this.open()), { quiet: true, background: true }));
      } catch {
        // Nobody waits for this; the next time may be better.
      }
    }
    this.timer = setTimeout(() => void this.tell(), EVERY);
  }

  private leave(): void {
    navigator.sendBeacon(this.address, new URLSearchParams(this.word([])));
  }

  private word(open: Open[]): Record<string, string> {
    return { editor: this.editor, open: JSON.stringify(open) };
  }
}
