import { t } from '../words';

const KEY = 'coronet.tree';

/** The tree of files: filtered as one types, walked by the arrow keys, its folders remembered, its files opened in tabs. */
export class Tree {
  private readonly none: HTMLElement | null;

  constructor(private readonly root: HTMLElement, private readonly open: (path: string) => void) {
    this.none = root.querySelector('.tree-none');
    this.recallFolders();
    const filter = root.querySelector<HTMLInputElement>('#tree-filter');
    filter?.addEventListener('input', () => this.filter(filter.value));
    filter?.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        const first = this.root.querySelector<HTMLElement>('a[data-path]:not(li[hidden] *)');
        if (event.key === 'Enter') first?.click();
        else first?.focus();
      }
    });
    // Captured, so that the link is not followed as a link of a page.
    root.addEventListener('click', (event) => {
      const link = (event.target as Element).closest<HTMLElement>('a[data-path]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      event.stopPropagation();
      this.open(link.dataset['path'] ?? '');
    }, true);
    root.querySelector('.tree')?.addEventListener('keydown', (event) => this.key(event as KeyboardEvent));
    root.addEventListener('toggle', () => this.keepFolders(), true);
  }

  /** Marks the file that is shown, those that are not saved, and those with a problem; draws a changed layer anew. */
  mark(active: string, unsaved: ReadonlySet<string>): void {
    for (const link of this.links()) {
      const path = link.dataset['path'] ?? '';
      if (path === active) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      let mark = link.querySelector('.tree-unsaved');
      if (unsaved.has(path) && !mark) {
        mark = document.createElement('span');
        mark.className = 'tree-unsaved';
        mark.append('●', words(t('not saved')));
        link.querySelector('.tree-name')?.after(mark);
      } else if (!unsaved.has(path)) mark?.remove();
    }
  }

  /** Opens the folders on the way to a file. */
  reveal(path: string): void {
    const link = this.links().find((link) => link.dataset['path'] === path);
    for (let at = link?.parentElement; at && at !== this.root; at = at.parentElement) {
      if (at instanceof HTMLDetailsElement) at.open = true;
    }
    link?.scrollIntoView({ block: 'nearest' });
  }

  /** A text that was saved is edited now. `bar` holds the layer's badge, finished. */
  layer(path: string, layer: string, bar: string): void {
    const shown = this.links().find((link) => link.dataset['path'] === path)?.querySelector('.layer');
    const badge = new DOMParser().parseFromString(bar, 'text/html').querySelector('h1 .badge');
    if (!shown || !badge) return;
    shown.className = `layer ${layer}`;
    shown.innerHTML = badge.innerHTML;
  }

  private links(): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>('a[data-path]')];
  }

  private filter(typed: string): void {
    const parts = typed.toLowerCase().split(/\s+/).filter(Boolean);
    let any = false;
    for (const link of this.links()) {
      const path = (link.dataset['path'] ?? '').toLowerCase();
      const fits = parts.every((part) => path.includes(part));
      any ||= fits;
      if (link.parentElement) link.parentElement.hidden = !fits;
    }
    for (const folder of [...this.root.querySelectorAll<HTMLElement>('li[data-folder]')].reverse()) {
      const empty = !folder.querySelector('a[data-path]:not(li[hidden] > a)');
      folder.hidden = empty;
      const details = folder.querySelector('details');
      if (details && parts.length > 0) details.open = true;
    }
    if (parts.length === 0) this.recallFolders();
    if (this.none) this.none.hidden = any;
  }

  private key(event: KeyboardEvent): void {
    const rows = [...this.root.querySelectorAll<HTMLElement>('summary, a[data-path]')].filter((row) => row.checkVisibility());
    const here = rows.indexOf(document.activeElement as HTMLElement);
    const details = (document.activeElement as HTMLElement | null)?.closest('details');
    const to: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
    const next = to[event.key];
    if (next !== undefined) rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
    else if (event.key === 'ArrowRight' && document.activeElement?.matches('summary') && details) details.open = true;
    else if (event.key === 'ArrowLeft' && details) {
      if (document.activeElement?.matches('summary') && details.open) details.open = false;
      else if (document.activeElement?.matches('summary')) details.parentElement?.closest('details')?.querySelector<HTMLElement>('summary')?.focus();
      else details.querySelector<HTMLElement>('summary')?.focus();
    } else return;
    event.preventDefault();
  }

  private folders(): [string, HTMLDetailsElement][] {
    return [...this.root.querySelectorAll<HTMLElement>('li[data-folder]')].flatMap((item) => {
      const details = item.querySelector('details');
      return details ? [[item.dataset['folder'] ?? '', details] as [string, HTMLDetailsElement]] : [];
    });
  }

  private keepFolders(): void {
    // What a filter opened for the moment is not a choice.
    if (this.root.querySelector<HTMLInputElement>('#tree-filter')?.value) return;
    const open = this.folders().filter(([, details]) => details.open).map(([path]) => path);
    sessionStorage.setItem(KEY, JSON.stringify(open));
  }

  private recallFolders(): void {
    const kept = sessionStorage.getItem(KEY);
    if (kept === null) return;
    const open = new Set(JSON.parse(kept) as string[]);
    for (const [path, details] of this.folders()) details.open = open.has(path) || !!details.querySelector('a[aria-current]');
  }
}

/** A text for screen readers only. */
export function words(text: string): HTMLElement {
  const span = document.createElement('span');
  span.className = 'sr-only';
  span.textContent = ` ${text}`;
  return span;
}
