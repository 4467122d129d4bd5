/** A page that takes longer than this shows its outline meanwhile (docs/design-language.md). */
const PATIENCE = 300;

/** While another page is on its way: what is shown says so, first to screen readers, then to everybody. */
export function bindWaiting(): void {
  const main = document.querySelector<HTMLElement>('#main');
  const outline = document.querySelector<HTMLTemplateElement>('#outline');
  const word = document.querySelector<HTMLElement>('#waiting');
  if (!main || !outline || !word) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest: XMLHttpRequest | undefined;

  const end = (): void => {
    clearTimeout(timer);
    main.removeAttribute('aria-busy');
    main.classList.remove('waiting');
    main.querySelector(':scope > .page-waiting')?.remove();
    word.textContent = '';
  };
  document.addEventListener('htmx:beforeSend', (event) => {
    const { elt, target, xhr } = (event as CustomEvent).detail as { elt: Element; target?: Element; xhr: XMLHttpRequest };
    if (target !== main || 'refreshing' in document.body.dataset) return;
    end();
    // When no answer came, the page is as it was. Of two requests the later one counts.
    latest = xhr;
    xhr.addEventListener('loadend', () => latest === xhr && end());
    timer = setTimeout(() => {
      main.setAttribute('aria-busy', 'true');
      word.textContent = word.dataset['word'] ?? '';
      // What was typed into a form stays in sight until its answer is there; a link leads elsewhere.
      if (!elt.matches('a')) return;
      const shown = document.createElement('div');
      shown.className = 'page-waiting';
      shown.append(outline.content.cloneNode(true));
      main.append(shown);
      main.classList.add('waiting');
    }, PATIENCE);
  });
  // Before the answer is put in.
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (((event as CustomEvent).detail as { target?: Element }).target === main) end();
  });
}
