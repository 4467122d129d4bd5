/** Long enough for the next key, short enough to feel immediate. */
const PAUSE_MS = 300;

/**
 * Fields that submit their form without a button: those with data-submit when they change, and those with data-search during typing.
 * The form's own button is for browsers without script.
 */
export function bindSubmits(root: ParentNode): void {
  for (const field of root.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[data-submit]')) {
    field.addEventListener('change', () => field.form?.requestSubmit());
  }
  for (const field of root.querySelectorAll<HTMLInputElement>('[data-search]')) bindSearch(field);
}

/** Once for the document: what was typed while the answer was on its way is not overwritten by that answer. */
export function bindTyping(): void {
  let typed: string | undefined;
  document.addEventListener('htmx:beforeSwap', () => {
    const field = document.activeElement;
    typed = field instanceof HTMLInputElement && field.matches('[data-search]') ? field.value : undefined;
  });
  document.addEventListener('htmx:afterSettle', () => {
    const field = document.activeElement;
    if (typed === undefined || !(field instanceof HTMLInputElement) || !field.matches('[data-search]')) return;
    if (field.value !== typed) {
      field.value = typed;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    typed = undefined;
  });
}

function bindSearch(field: HTMLInputElement): void {
  let pause: ReturnType<typeof setTimeout> | undefined;
  const search = (): void => {
    clearTimeout(pause);
    const { form } = field;
    if (!field.isConnected || !form || field.value.trim() === field.defaultValue.trim()) return;
    // The first search is a step that "back" undoes. Further letters replace it, so that "back" does not undo one letter at a time.
    form.setAttribute(field.defaultValue === '' ? 'hx-push-url' : 'hx-replace-url', 'true');
    form.requestSubmit();
  };
  field.addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(search, PAUSE_MS);
  });
}
