import { say } from './toast';
import { t } from './words';

/** After a swap: mark where we are, close the phone's menu, move focus to the new page. */
export function bindNavigation(): void {
  const line = document.querySelector('#progress');
  const waiting = new Set<XMLHttpRequest>();
  // Asked of the request itself: what sent it may be gone from the page before it ends, and its events with it.
  document.addEventListener('htmx:beforeSend', (event) => {
    const { xhr } = (event as CustomEvent).detail as { xhr: XMLHttpRequest };
    waiting.add(xhr);
    line?.classList.add('busy');
    xhr.addEventListener('loadend', () => {
      waiting.delete(xhr);
      if (waiting.size === 0) line?.classList.remove('busy');
    });
  });
  document.addEventListener('htmx:sendError', () => say(t('The server did not answer. Check the connection and try again.'), 'bad'));
  document.addEventListener('htmx:afterSettle', (event) => {
    if ((event.target as Element).id !== 'main') return;
    markArea();
    // A page that looked again by itself must not move the focus.
    if ('refreshing' in document.body.dataset) {
      delete document.body.dataset['refreshing'];
      return;
    }
    // A list that was searched during typing: the next letter belongs to the same field.
    if (document.activeElement?.matches('#main [data-search]')) return;
    const box = document.querySelector<HTMLInputElement>('#menu');
    if (box) box.checked = false;
    const start = firstOf('[aria-invalid="true"]', '[autofocus]', '.notice.bad', 'h1');
    if (start) {
      if (!start.matches('input, select, textarea, button, a')) start.tabIndex = -1;
      start.focus({ preventScroll: true });
    }
  });
}

function markArea(): void {
  const area = document.querySelector<HTMLElement>('#main [data-area]')?.dataset['area'];
  for (const link of document.querySelectorAll<HTMLElement>('[data-nav]')) {
    if (link.dataset['nav'] === area) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** What wants the attention first: a mistake before the field that a fresh page starts with. */
function firstOf(...selectors: string[]): HTMLElement | null {
  for (const selector of selectors) {
    const found = document.querySelector<HTMLElement>(`#main ${selector}`);
    if (found) return found;
  }
  return null;
}
