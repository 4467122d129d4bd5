/** Where this tab keeps the token, because phones forget a page in the background and load it again. */
const KEPT = 'coronet-link';

/** The token of a mailed link has no business in the address bar, the history or a screenshot. */
export function bindLink(): void {
  const form = document.querySelector<HTMLFormElement>('[data-link-form] form');
  const bare = location.pathname;
  if (form) {
    write(form.querySelector<HTMLInputElement>('[name=token]')?.value ?? '');
    form.addEventListener('submit', () => write(''));
    history.replaceState(history.state, '', bare);
  } else if (document.querySelector('[data-link-dead]')) {
    const token = read();
    write('');
    if (token && !location.search) location.replace(`${bare}?token=${encodeURIComponent(token)}`);
    else history.replaceState(history.state, '', bare);
  }
}

/** A browser may deny the storage; then a reload asks to open the link again. */
function read(): string {
  try {
    return sessionStorage.getItem(KEPT) ?? '';
  } catch {
    return '';
  }
}

function write(token: string): void {
  try {
    if (token) sessionStorage.setItem(KEPT, token);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // It stays in the page.
  }
}
