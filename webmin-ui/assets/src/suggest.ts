import { t } from './words';

/** More would not be read. */
const MOST = 50;

/** A field with a list of values: they are searched by any part of their name, with or without the signs between its words. Without
 * script the browser's own list does what it can. */
export function bindSuggestions(root: ParentNode): void {
  for (const field of root.querySelectorAll<HTMLInputElement>('input[data-suggest][list]')) enhance(field);
}

function enhance(field: HTMLInputElement): void {
  const values = [...(field.list?.options ?? [])].map((option) => option.value);
  field.removeAttribute('list');
  const box = document.createElement('div');
  box.className = 'suggest';
  field.replaceWith(box);
  const list = document.createElement('ul');
  list.className = 'suggest-list';
  list.id = `${field.id}-options`;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', t('Matches'));
  list.hidden = true;
  box.append(field, list);
  for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-expanded', 'false'], ['aria-controls', list.id]] as const) {
    field.setAttribute(name, value);
  }
  if (document.activeElement !== field && field.autofocus) field.focus();

  let at = -1;
  const options = (): HTMLElement[] => [...list.querySelectorAll<HTMLElement>('[role=option]')];
  const close = (): void => {
    list.hidden = true;
    at = -1;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  };
  const open = (all: boolean): void => {
    const found = all ? values : search(values, field.value);
    list.replaceChildren(...found.slice(0, MOST).map((value, place) => option(value, `${list.id}-${place}`)));
    if (found.length === 0) list.append(note(t('No match')));
    if (found.length > MOST) list.append(note(t('Type more to see the others')));
    at = -1;
    list.hidden = false;
    field.setAttribute('aria-expanded', 'true');
    field.removeAttribute('aria-activedescendant');
  };
  const move = (by: number): void => {
    const all = options();
    if (all.length === 0) return;
    all[at]?.setAttribute('aria-selected', 'false');
    at = (at + by + all.length) % all.length;
    const chosen = all[at];
    chosen?.setAttribute('aria-selected', 'true');
    chosen?.scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', chosen?.id ?? '');
  };
  const choose = (value: string): void => {
    field.value = value;
    close();
    field.dispatchEvent(new Event('input', { bubbles: true }));
    close();
  };

  field.addEventListener('input', (event) => {
    // What was chosen from the list needs no list.
    if (event.isTrusted) open(false);
  });
  field.addEventListener('click', () => list.hidden && !field.disabled && open(values.includes(field.value) || field.value === ''));
  field.addEventListener('blur', close);
  field.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) open(values.includes(field.value) || field.value === '');
      move(event.key === 'ArrowDown' ? 1 : at < 0 ? 0 : -1);
    } else if (event.key === 'Enter' && !list.hidden && at >= 0) {
      event.preventDefault();
      choose(options()[at]?.textContent ?? '');
    } else if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  // The field keeps the focus.
  list.addEventListener('mousedown', (event) => {
    event.preventDefault();
    const chosen = (event.target as Element).closest('[role=option]');
    if (chosen) choose(chosen.textContent ?? '');
  });
}

/** Values that have every word that is typed; those that begin with it come first. */
function search(values: string[], typed: string): string[] {
  const words = plain(typed).split(' ').filter(Boolean);
  const found = values.filter((value) => words.every((word) => plain(value).includes(word)));
  const begins = (value: string): boolean => plain(value).split(' ').some((part) => part.startsWith(words[0] ?? ''));
  return [...found.filter(begins), ...found.filter((value) => !begins(value))];
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[_/ -]+/g, ' ');
}

function option(value: string, id: string): HTMLElement {
  const made = document.createElement('li');
  made.setAttribute('role', 'option');
  made.setAttribute('aria-selected', 'false');
  made.id = id;
  made.textContent = value;
  return made;
}

function note(text: string): HTMLElement {
  const made = document.createElement('li');
  made.className = 'muted small';
  made.textContent = text;
  return made;
}
