const KEY = 'coronet.panes';
const STEP = 24;
/** Least and most width of a pane in pixels; the rest is the text's. */
const LIMITS = { tree: [160, 480, 248], preview: [280, 1100, 440] } as const;
type Name = keyof typeof LIMITS;

/** Panes whose widths can be dragged, and moved by the arrow keys; remembered in this browser. */
export function bindPanes(root: HTMLElement): void {
  const widths = recall();
  for (const split of root.querySelectorAll<HTMLElement>('[data-split]')) {
    const name = split.dataset['split'] as Name;
    const [least, most, usual] = LIMITS[name];
    split.setAttribute('aria-valuemin', String(least));
    split.setAttribute('aria-valuemax', String(most));
    const set = (width: number): void => {
      const fitting = Math.round(Math.min(most, Math.max(least, width)));
      widths[name] = fitting;
      root.style.setProperty(`--${name}`, `${fitting}px`);
      split.setAttribute('aria-valuenow', String(fitting));
    };
    const keep = (): void => localStorage.setItem(KEY, JSON.stringify(widths));
    set(widths[name] ?? usual);
    // The tree grows to the right, the preview to the left.
    const way = name === 'tree' ? 1 : -1;
    split.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      split.setPointerCapture(event.pointerId);
      const start = { x: event.clientX, width: widths[name] ?? usual };
      const move = (moved: PointerEvent): void => set(start.width + way * (moved.clientX - start.x));
      split.addEventListener('pointermove', move);
      split.addEventListener('lostpointercapture', () => {
        split.removeEventListener('pointermove', move);
        keep();
      }, { once: true });
    });
    split.addEventListener('dblclick', () => {
      set(usual);
      keep();
    });
    split.addEventListener('keydown', (event) => {
      const now = widths[name] ?? usual;
      const wanted: Record<string, number> = { ArrowLeft: now - way * STEP, ArrowRight: now + way * STEP, Home: least, End: most };
      const width = wanted[event.key];
      if (width === undefined) return;
      event.preventDefault();
      set(width);
      keep();
    });
  }
  bindSwitch(root);
}

/** On a narrow screen one pane is shown at a time. */
function bindSwitch(root: HTMLElement): void {
  for (const button of root.querySelectorAll<HTMLElement>('[data-show]')) {
    button.addEventListener('click', () => showPane(root, button.dataset['show'] ?? 'edit'));
  }
}

export function showPane(root: HTMLElement, pane: string): void {
  root.dataset['pane'] = pane;
  for (const button of root.querySelectorAll<HTMLElement>('[data-show]')) {
    button.setAttribute('aria-pressed', String(button.dataset['show'] === pane));
  }
}

function recall(): Partial<Record<Name, number>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<Name, number>>;
  } catch {
    return {};
  }
}
