import { isMac } from './palette';

const OFF = 'coronet.single-keys';
/** The second key of `g d` has to come within this time. */
const PATIENCE = 1_500;

/** Single keys: `?` shows them all, `/` goes to the page's search, `g` and a letter go to a page. Can be switched off. */
export function bindShortcuts(): void {
  const help = document.querySelector<HTMLDialogElement>('#shortcuts');
  const box = help?.querySelector<HTMLInputElement>('#single-keys');
  if (!help || !box) return;
  box.checked = localStorage.getItem(OFF) !== 'off';
  box.addEventListener('change', () => localStorage.setItem(OFF, box.checked ? 'on' : 'off'));
  if (isMac()) for (const key of document.querySelectorAll('[data-mod]')) key.textContent = '⌘';

  let going = 0;
  document.addEventListener('keydown', (event) => {
    if (!box.checked || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    const gone = Date.now() - going < PATIENCE;
    going = 0;
    if (gone) {
      const link = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
      if (link) event.preventDefault();
      link?.click();
    } else if (event.key === 'g') {
      going = Date.now();
    } else if (press(event.key)) {
      event.preventDefault();
    } else if (event.key === '?') {
      event.preventDefault();
      help.showModal();
    } else if (event.key === '/') {
      const search = document.querySelector<HTMLElement>('#main input[type="search"]');
      if (search) event.preventDefault();
      search?.focus();
    }
  });
}

/** Keys that a page gives to its own links, such as j and k to the neighbours of a mail. */
function press(key: string): boolean {
  const link = document.querySelector<HTMLElement>(`#main [data-press="${CSS.escape(key)}"]`);
  link?.click();
  return !!link;
}

function typing(event: KeyboardEvent): boolean {
  const place = event.target instanceof HTMLElement ? event.target : null;
  return !!place?.closest('input:not([type="checkbox"], [type="radio"]), textarea, select, code-editor, [contenteditable="true"], dialog[open]')
    || !!document.querySelector('dialog[open]');
}
