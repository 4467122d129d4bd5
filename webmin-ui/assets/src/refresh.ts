import htmx from 'htmx.org';

let timer: ReturnType<typeof setTimeout> | undefined;

/** A page with data-refresh looks again after so many milliseconds, as long as it says so and nobody types in it. */
export function bindRefresh(): void {
  clearTimeout(timer);
  const page = document.querySelector<HTMLElement>('#main [data-refresh]');
  if (!page) return;
  timer = setTimeout(() => {
    const busy = document.hidden || page.querySelector('form[data-dirty]') || document.querySelector('dialog[open], details[data-popover][open], #progress.busy');
    const typing = document.activeElement?.closest('input:not([type="checkbox"]), textarea, select');
    if (busy || typing) bindRefresh();
    else if (page.isConnected) {
      document.body.dataset['refreshing'] = '';
      void htmx.ajax('get', location.pathname + location.search, { target: '#main', swap: 'innerHTML', source: '#main' } as never);
    }
  }, Number(page.dataset['refresh']));
}
