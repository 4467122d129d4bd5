import { isMac } from '../palette';

export interface Keys {
  save: () => void;
  look: () => void;
  close: () => void;
  step: (by: number) => void;
  problem: (back: boolean) => void;
}

/** The keys of the editor, wherever in it the focus is. `?` lists them. */
export function bindKeys(signal: AbortSignal, keys: Keys): void {
  document.addEventListener('keydown', (event) => {
    if (document.querySelector('dialog[open]')) return;
    const act = actOf(event, keys);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    // Before the editor's own meaning of the keys.
  }, { capture: true, signal });
}

function actOf(event: KeyboardEvent, keys: Keys): (() => void) | undefined {
  const main = isMac() ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  const key = event.key.toLowerCase();
  if (main && !event.altKey && !event.shiftKey) {
    if (key === 's') return keys.save;
    if (key === 'enter') return keys.look;
    if (key === 'p') return () => document.querySelector<HTMLElement>('[data-palette]')?.click();
  }
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    // With Alt some keyboards give another letter: the place of the key counts.
    if (event.code === 'KeyW') return keys.close;
    if (event.key === 'PageUp') return () => keys.step(-1);
    if (event.key === 'PageDown') return () => keys.step(1);
  }
  if (event.key === 'F8') return () => keys.problem(event.shiftKey);
  return undefined;
}
