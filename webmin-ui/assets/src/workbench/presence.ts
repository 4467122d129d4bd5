import { post, type Seen } from './server';

/** How often others are asked for, and so within which time they are seen. */
const EVERY = 5_000;

/** Tells the server which texts are open here, and hears who else has them open and what is live now. */
export class Presence {
  /** A window that is loaded anew is another one; the old one said goodbye. */
  private readonly editor = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly address: string,
    private readonly open: () => { path: string; unsaved: boolean }[],
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

  private word(open: { path: string; unsaved: boolean }[]): Record<string, string> {
    return { editor: this.editor, open: JSON.stringify(open) };
  }
}
