import htmx from 'htmx.org';

/** Says that nobody asked by hand: a page that only stands open must not keep its session alive. */
export const BACKGROUND = { 'Coronet-Background': 'true' };

let timer: ReturnType<typeof setTimeout> | undefined;

/** A page with data-refresh looks again after so many milliseconds, as long as it says so and nobody works in it. */
export function bindRefresh(): void {
  clearTimeout(timer);
  const page = document.querySelector<HTMLElement>('#main [data-refresh]');
  if (!page) return;
  timer = setTimeout(() => {
    if (document.hidden || document.querySelector('#progress.busy') || isWorkedIn(page)) bindRefresh();
    else if (page.isConnected) {
      document.body.dataset['refreshing'] = '';
      const context = { target: '#main', swap: 'innerHTML', source: '#main', headers: BACKGROUND };
      void htmx.ajax('get', location.pathname + location.search, context as never);
    }
  }, Number(page.dataset['refresh']));
}

/** What was begun while the answer was on its way is worth more than the answer: that is let go. */
export function bindRefreshing(): void {
  document.addEventListener('htmx:beforeSwap', (event) => {
    const { detail, target } = event as CustomEvent<{ shouldSwap: boolean; requestConfig?: { headers?: Record<string, string> } }>;
    const page = document.querySelector<HTMLElement>('#main [data-refresh]');
    if ((target as Element).id !== 'main' || !detail.requestConfig?.headers?.['Coronet-Background']) return;
    if (!page || !isWorkedIn(page)) return;
    detail.shouldSwap = false;
    delete document.body.dataset['refreshing'];
    bindRefresh();
  });
}

function isWorkedIn(page: HTMLElement): boolean {
  const open = document.querySelector('dialog[open], details[data-popover][open]');
  const typing = document.activeElement?.closest('input:not([type="checkbox"]), textarea, select');
  return Boolean(open ?? typing ?? page.querySelector('form[data-dirty]')) || isFilled(page);
}

/** Whether something was typed or chosen there that is not sent yet. What is picked in a list is kept all the same. */
function isFilled(page: HTMLElement): boolean {
  const fields = page.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>('input, textarea, select');
  return [...fields].some((field) => {
    if (field.matches('[data-pick], [data-pick-all]')) return false;
    if (field instanceof HTMLSelectElement) {
      const first = Math.max([...field.options].findIndex((option) => option.defaultSelected), 0);
      return field.selectedIndex !== first;
    }
    if (field instanceof HTMLInputElement && ['checkbox', 'radio'].includes(field.type)) return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  });
}
