import htmx from 'htmx.org';

/** Read at a glance, and out of the way before the next act. */
const SHOWN_MS = 6_000;

/** Toasts leave by themselves, except errors, which stay until closed. */
export function bindToasts(): void {
  // The whole page: a toast that htmx appends is itself the new part, and would not be found below it.
  for (const toast of document.querySelectorAll<HTMLElement>('.toast:not([data-bound])')) {
    toast.dataset['bound'] = '';
    toast.querySelector('.toast-close')?.addEventListener('click', () => toast.remove());
    if (!toast.classList.contains('bad')) leaveWhenRead(toast);
  }
}

/** What a page has while something on it is still going on. */
const GOING_ON = '#main :is([data-refresh], [data-live], [hx-trigger^="every"])';

/** Once for the document. A toast belongs to the page it was shown on, and ends when the outcome of what it reported is known. */
export function bindToastEvents(): void {
  let wasGoingOn = false;
  document.addEventListener('htmx:beforeSwap', (event) => {
    const isNewPage = (event.target as Element).id === 'main' && !('refreshing' in document.body.dataset);
    if (!isNewPage) return;
    removeAll('.toast:not(.bad)');
    wasGoingOn = false;
  });
  const look = (): void => {
    const isGoingOn = document.querySelector(GOING_ON) !== null;
    if (wasGoingOn && !isGoingOn) outcomeKnown();
    wasGoingOn = isGoingOn;
  };
  document.addEventListener('htmx:afterSettle', look);
  look();
  document.addEventListener('focusin', (event) => makeRoomFor(event.target as Element));
}

/** What has the focus must be seen (WCAG 2.4.11): toasts that would cover it show at the top instead. */
function makeRoomFor(focused: Element): void {
  const toasts = document.querySelector('#toasts');
  if (!toasts?.firstElementChild || toasts.contains(focused)) return;
  toasts.classList.remove('at-top');
  // Where the focus is scrolled to is settled by the next frame.
  requestAnimationFrame(() => toasts.classList.toggle('at-top', overlap(toasts, focused)));
}

function overlap(one: Element, other: Element): boolean {
  const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** The page shows the outcome now, so the message that something was begun is no longer true. */
export function outcomeKnown(): void {
  removeAll('.toast.info');
}

function removeAll(selector: string): void {
  for (const toast of document.querySelectorAll(selector)) toast.remove();
}

/** The time stops while the toast is pointed at or has the focus, and goes on with what was left. */
function leaveWhenRead(toast: HTMLElement): void {
  let left = SHOWN_MS;
  let since = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pause = (): void => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    left -= Date.now() - since;
  };
  const go = (): void => {
    if (timer !== undefined || toast.matches(':hover, :focus-within')) return;
    since = Date.now();
    timer = setTimeout(() => toast.remove(), left);
  };
  toast.addEventListener('pointerenter', pause);
  toast.addEventListener('focusin', pause);
  toast.addEventListener('pointerleave', go);
  // The focus is still inside while this event is told.
  toast.addEventListener('focusout', () => setTimeout(go));
  go();
}

/** A toast of our own, for what only the browser knows; with a link to what came of it, if that has a page. */
export function say(text: string, tone: 'good' | 'bad', to?: { href: string; label: string }): void {
  const template = document.querySelector<HTMLTemplateElement>('#toast-template');
  const toast = template?.content.firstElementChild?.cloneNode(true) as HTMLElement | undefined;
  const words = toast?.querySelector('p');
  const place = document.querySelector('#toasts');
  if (!toast || !words || !place) return;
  toast.classList.replace('bad', tone);
  if (tone === 'good') toast.removeAttribute('role');
  words.textContent = text;
  if (to) {
    const link = document.createElement('a');
    link.href = to.href;
    link.textContent = to.label;
    words.append(' ', link);
  }
  place.append(toast);
  // In its place it is a link like any other of the page.
  if (to) htmx.process(toast);
  bindToasts();
}
