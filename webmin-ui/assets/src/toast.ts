import htmx from 'htmx.org';

/** Toasts leave by themselves, but not while they are being read, and errors stay until closed. */
export function bindToasts(root: ParentNode): void {
  for (const toast of root.querySelectorAll<HTMLElement>('.toast:not([data-bound])')) {
    toast.dataset['bound'] = '';
    toast.querySelector('.toast-close')?.addEventListener('click', () => toast.remove());
    if (toast.classList.contains('bad')) continue;
    const leave = (): void => {
      if (toast.matches(':hover, :focus-within')) setTimeout(leave, 2_000);
      else toast.remove();
    };
    // Whoever may want to take something back gets the time to think of it.
    setTimeout(leave, toast.querySelector('form') ? 20_000 : 7_000);
  }
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
  bindToasts(place);
}
