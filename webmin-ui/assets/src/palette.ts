import htmx from 'htmx.org';
import { recentPlaces } from './recent';
import { t } from './words';

/** The command palette: a combobox over a list that the server fills. Without script its button is a link to a page. */
export function bindPalette(): void {
  const found = document.querySelector<HTMLDialogElement>('#palette');
  const input = found?.querySelector<HTMLInputElement>('#palette-input');
  const list = found?.querySelector<HTMLElement>('#palette-list');
  if (!found || !input || !list) return;
  const palette = new Palette(found, input, list);
  document.addEventListener('click', (event) => {
    if (!(event.target as Element).closest('[data-palette]') || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    palette.open();
  }, true);
  // Captured, so that an editor's own meaning of the keys does not come first.
  document.addEventListener('keydown', (event) => {
    const wanted = isMac() ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!wanted || event.altKey || event.shiftKey || event.key.toLowerCase() !== 'k') return;
    event.preventDefault();
    event.stopPropagation();
    palette.toggle();
  }, true);
}

/** Ctrl-K ends a line in every text field of a Mac, where ⌘K is what people press. */
export function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}

class Palette {
  private asked: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private at = 0;
  /** What was typed for the list that is shown. */
  private shown: string | undefined;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly input: HTMLInputElement,
    private readonly list: HTMLElement,
  ) {
    input.addEventListener('input', () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.look(), 80);
    });
    input.addEventListener('keydown', (event) => this.key(event));
    list.addEventListener('click', (event) => this.choose((event.target as Element).closest('[role="option"]')));
    // The field keeps the focus: the list is read through aria-activedescendant.
    list.addEventListener('mousedown', (event) => event.preventDefault());
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog || (event.target as Element).closest('[data-palette-close]')) dialog.close();
    });
  }

  toggle(): void {
    if (this.dialog.open) this.dialog.close();
    else this.open();
  }

  open(): void {
    // Another dialog asks something: that comes first.
    if (document.querySelector('dialog[open]')) return;
    this.input.value = '';
    this.dialog.showModal();
    this.input.focus();
    void this.look();
  }

  private options(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>('[role="option"]')];
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.asked = new AbortController();
    const text = this.input.value;
    try {
      const address = `${this.input.dataset['address']}?q=${encodeURIComponent(text)}`;
      const answer = await fetch(address, { signal: this.asked.signal });
      // The session ended: the page itself leads to the sign-in, and back.
      if (answer.status === 401) location.reload();
      if (!answer.ok) return;
      this.list.innerHTML = await answer.text();
      if (!text.trim()) this.list.prepend(...recentPlaces());
      this.shown = text;
      this.listed();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return;
      this.list.replaceChildren();
      this.say(t('The server did not answer.'));
    }
  }

  private listed(): void {
    const options = this.options();
    options.forEach((option, at) => (option.id = `palette-option-${at}`));
    this.dialog.querySelector('.palette-empty')?.toggleAttribute('hidden', options.length > 0);
    this.input.setAttribute('aria-expanded', String(options.length > 0));
    this.say(t('{n} found', { n: options.length }));
    this.mark(0);
  }

  private say(text: string): void {
    const place = this.dialog.querySelector('#palette-count');
    if (place) place.textContent = text;
  }

  private mark(at: number): void {
    const options = this.options();
    this.at = options.length ? (at + options.length) % options.length : 0;
    options.forEach((option, place) => option.setAttribute('aria-selected', String(place === this.at)));
    const marked = options[this.at];
    if (marked) this.input.setAttribute('aria-activedescendant', marked.id);
    else this.input.removeAttribute('aria-activedescendant');
    marked?.scrollIntoView({ block: 'nearest' });
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const last = this.options().length - 1;
      this.mark(Math.abs(step) === 1 ? this.at + step : Math.min(last, Math.max(0, this.at + step)));
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      void this.enter();
    }
  }

  /** Enter means what was typed, also when it comes before the list for it did. */
  private async enter(): Promise<void> {
    if (this.shown !== this.input.value) await this.look();
    this.choose(this.options()[this.at]);
  }

  private choose(option: Element | null | undefined): void {
    if (!(option instanceof HTMLElement)) return;
    const { way, href = '', field, choose = '' } = option.dataset;
    this.dialog.close();
    if (field === 'theme') void theme(href, choose);
    else if (way === 'send') send(href, field, choose);
    else follow(href, way === 'ask');
  }
}

/** Goes there as a link of the page would: with its guard for unsaved changes, and its history. */
function follow(href: string, ask: boolean): void {
  const link = document.createElement('a');
  link.href = href;
  if (ask) {
    for (const [name, value] of [['hx-get', href], ['hx-target', '#dialog-body'], ['hx-swap', 'innerHTML'], ['hx-push-url', 'false']] as const) {
      link.setAttribute(name, value);
    }
  }
  // A paragraph of help: the browser itself jumps to it.
  if (href.includes('#')) link.setAttribute('hx-boost', 'false');
  act(link).click();
}

function send(href: string, field: string | undefined, value: string): void {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = href;
  if (field) form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: field, value }));
  // The whole page is another one after these, not only its main part.
  if (href.endsWith('/logout') || field === 'language') form.setAttribute('hx-boost', 'false');
  act(form).requestSubmit();
}

async function theme(href: string, chosen: string): Promise<void> {
  const answer = await fetch(href, { method: 'POST', body: new URLSearchParams({ theme: chosen }), redirect: 'manual' });
  if (answer.type !== 'opaqueredirect' && !answer.ok) return;
  if (chosen === 'device') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

/** Puts what is to be followed or sent into the page, in place of the one before. */
function act<E extends HTMLElement>(element: E): E {
  document.querySelector('#palette-act')?.replaceChildren(element);
  htmx.process(element);
  return element;
}
