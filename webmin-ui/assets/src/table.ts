
/** What is chosen in a list and where the focus is, kept while the page looks again by itself. */
interface Kept {
  picks: Set<string>;
  focus: Place | undefined;
  open: Place[];
}

/** Where an element is found again in the same page, looked up anew: which one of those that a selector and a text fit. */
interface Place {
  selector: string;
  text: string | undefined;
  nth: number;
}

let kept: Kept | undefined;

/** Lists: choose rows, choose all of a page, and send nothing that is empty, so that addresses stay short. */
export function bindTables(root: ParentNode): void {
  if (kept) restore(kept);
  for (const list of root.querySelectorAll<HTMLElement>('[data-list]')) tell(list);
}

/** Once for the document: lists come and go below it. */
export function bindTableEvents(): void {
  document.addEventListener('change', (event) => {
    const box = event.target as HTMLInputElement;
    const list = box.closest<HTMLElement>('[data-list]');
    if (!list) return;
    if (box.matches('[data-pick-all]')) for (const pick of picks(list)) pick.checked = box.checked;
    if (box.matches('[data-pick-all], [data-pick]')) tell(list);
  });
  document.addEventListener('click', range);
  document.addEventListener('pointerover', (event) => nameWhole(event.target as Element));
  document.addEventListener('click', (event) => {
    for (const open of document.querySelectorAll<HTMLDetailsElement>('details[data-popover][open]')) {
      if (!open.contains(event.target as Node)) open.open = false;
    }
  });
  document.addEventListener('keydown', (event) => {
    const open = (event.target as Element).closest<HTMLDetailsElement>('details[data-popover][open]');
    if (event.key !== 'Escape' || !open) return;
    open.open = false;
    open.querySelector('summary')?.focus();
  });
  document.addEventListener('htmx:configRequest', (event) => {
    const { elt, parameters } = (event as CustomEvent).detail as { elt: Element; parameters: FormData };
    if (!elt.matches('form[data-filters]')) return;
    for (const name of new Set(parameters.keys())) if (parameters.getAll(name).every((value) => value === '')) parameters.delete(name);
  });
  document.addEventListener('htmx:beforeSwap', (event) => {
    const main = document.querySelector('#main');
    kept = 'refreshing' in document.body.dataset && event.target === main && main ? remember(main) : undefined;
  });
}

/** On hover, text that ended in an ellipsis is shown whole, and a button of which only the icon is shown is named. */
function nameWhole(at: Element): void {
  const button = at.closest<HTMLElement>('.table.lines td.end .btn');
  const label = button?.querySelector<HTMLElement>('.act-label');
  if (button && label) button.title = label.clientWidth > 1 ? '' : (button.getAttribute('aria-label') ?? label.textContent ?? '');
  const cut = at.closest<HTMLElement>('.table.lines :is(.line, .title, .sub), .tree-name');
  if (!cut) return;
  const parts = [cut, ...cut.querySelectorAll<HTMLElement>('.title')];
  if (parts.some((part) => part.scrollWidth > part.clientWidth)) cut.title = cut.textContent?.trim() ?? '';
}

let last: HTMLInputElement | undefined;

/** With shift, everything between the last choice and this one is chosen alike. */
function range(event: MouseEvent): void {
  const box = (event.target as Element).closest<HTMLInputElement>('[data-pick]');
  if (!box) return;
  const all = picks(box.closest('[data-list]'));
  const [from, to] = [last ? all.indexOf(last) : -1, all.indexOf(box)];
  if (event.shiftKey && from >= 0) {
    for (const pick of all.slice(Math.min(from, to), Math.max(from, to) + 1)) pick.checked = box.checked;
    tell(box.closest<HTMLElement>('[data-list]'));
  }
  last = box;
}

function picks(list: Element | null): HTMLInputElement[] {
  return [...(list?.querySelectorAll<HTMLInputElement>('[data-pick]') ?? [])];
}

/** Says how many are chosen; without one there is nothing to do with them. */
function tell(list: HTMLElement | null): void {
  const bar = list?.querySelector<HTMLElement>('[data-bulk]');
  if (!list || !bar) return;
  const all = picks(list);
  const chosen = all.filter((pick) => pick.checked).length;
  bar.classList.toggle('chosen', chosen > 0);
  for (const button of bar.querySelectorAll('button')) button.disabled = chosen === 0;
  const count = bar.querySelector('[data-chosen]');
  if (count) count.textContent = chosen === 0 ? '' : (count.getAttribute('data-text') ?? '').replace('{n}', String(chosen));
  for (const box of list.querySelectorAll<HTMLInputElement>('[data-pick-all]')) {
    box.checked = chosen > 0 && chosen === all.length;
    box.indeterminate = chosen > 0 && chosen < all.length;
  }
}

function remember(main: Element): Kept {
  const chosen = picks(main).filter((pick) => pick.checked);
  const focused = document.activeElement;
  return {
    picks: new Set(chosen.map((pick) => pick.id)),
    focus: focused && main.contains(focused) ? placeOf(main, focused) : undefined,
    open: [...main.querySelectorAll('details[open]')].map((details) => placeOf(main, details)),
  };
}

function restore(state: Kept): void {
  kept = undefined;
  for (const id of state.picks) {
    const pick = document.getElementById(id);
    if (pick instanceof HTMLInputElement) pick.checked = true;
  }
  const main = document.querySelector('#main');
  if (!main) return;
  for (const place of state.open) find(main, place)?.setAttribute('open', '');
  if (state.focus) find(main, state.focus)?.focus({ preventScroll: true });
}

/** By its id, by where it leads, or by its words. */
function placeOf(main: Element, element: Element): Place {
  const href = element.getAttribute('href');
  const selector = element.id ? `#${CSS.escape(element.id)}` : href ? `${element.localName}[href="${CSS.escape(href)}"]` : element.localName;
  const text = element.id || href ? undefined : words(element);
  return { selector, text, nth: alike(main, selector, text).indexOf(element as HTMLElement) };
}

function find(main: Element, { selector, text, nth }: Place): HTMLElement | undefined {
  return alike(main, selector, text)[nth];
}

function alike(main: Element, selector: string, text: string | undefined): HTMLElement[] {
  const all = [...main.querySelectorAll<HTMLElement>(selector)];
  return text === undefined ? all : all.filter((element) => words(element) === text);
}

function words(element: Element): string {
  const named = element.localName === 'details' ? element.querySelector('summary') : element;
  return element.getAttribute('aria-label') ?? named?.textContent ?? '';
}
