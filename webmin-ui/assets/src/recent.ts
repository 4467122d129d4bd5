import { t } from './words';

/** Kept in the tab and not beyond it: a title may say whom one looked at. */
const KEY = 'coronet-recent';
const KEPT = 8;
const SHOWN = 5;

interface Place {
  href: string;
  title: string;
}

/** Remembers where one was, for the palette. The door forgets it: whoever signs in next starts with nothing. */
export function bindRecent(): void {
  if (!document.querySelector('#palette')) {
    write([]);
    return;
  }
  note();
  document.addEventListener('htmx:afterSettle', (event) => {
    if ((event.target as Element).id === 'main') note();
  });
}

/** The places as the palette's first group; nothing when one was nowhere else yet. */
export function recentPlaces(): HTMLElement[] {
  const places = read().filter(({ href }) => href !== here()).slice(0, SHOWN);
  if (places.length === 0) return [];
  const group = document.createElement('div');
  group.className = 'palette-group';
  group.role = 'group';
  group.ariaLabel = t('Recent');
  const kind = document.createElement('div');
  kind.className = 'palette-kind';
  kind.ariaHidden = 'true';
  kind.textContent = t('Recent');
  group.append(kind, ...places.map(option));
  return [group];
}

function option({ href, title }: Place): HTMLElement {
  const option = document.createElement('div');
  option.role = 'option';
  option.className = 'palette-option';
  Object.assign(option.dataset, { way: 'open', href });
  const label = document.createElement('span');
  label.className = 'palette-label';
  label.textContent = title;
  option.append(label);
  return option;
}

function note(): void {
  const title = document.title.split(' · ')[0] ?? '';
  // What went wrong, or is not there, is no place to go back to.
  if (!title || document.querySelector('#main [data-refusal]')) return;
  const others = read().filter(({ href }) => href !== here());
  write([{ href: here(), title }, ...others].slice(0, KEPT));
}

const here = (): string => location.pathname + location.search;

function read(): Place[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as Place[];
  } catch {
    return [];
  }
}

function write(places: Place[]): void {
  try {
    if (places.length) sessionStorage.setItem(KEY, JSON.stringify(places));
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing: the palette does without.
  }
}
