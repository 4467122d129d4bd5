import type { EditorState, StateEffect, Text } from '@codemirror/state';
import { t } from '../words';
import type { FileData, Problem, Seen } from './server';
import { words } from './tree';

/** An open text. Of one that was not looked at since the page was loaded only what was kept is known. */
export interface Tab {
  path: string;
  revision: number;
  file?: FileData;
  /** The text with its own history; there once it was looked at. */
  state?: EditorState;
  scroll?: StateEffect<unknown>;
  /** The text as it is live at `revision`. */
  saved?: Text;
  /** What was typed and kept, until the text is there. */
  draft?: string;
  /** Whether a draft from before was brought back. */
  restored: boolean;
  unsaved: boolean;
  /** When a key was last pressed in it here, as `performance.now()` has it. */
  typedAt?: number;
  sample: string | undefined;
  note: string;
  head: number;
  problems: Problem[];
  warnings: Problem[];
  seen?: Seen;
}

export function newTab(path: string): Tab {
  return { path, revision: 0, restored: false, unsaved: false, sample: undefined, note: '', head: 0, problems: [], warnings: [] };
}

export interface TabActs {
  open: (path: string) => void;
  close: (path: string) => void;
}

/** Draws the open files: links, each with a button to close it. */
export function drawTabs(list: HTMLElement, tabs: Tab[], active: string, address: (path: string) => string, acts: TabActs): void {
  const names = tabs.map((tab) => nameOf(tab.path));
  list.replaceChildren(...tabs.map((tab, at) => {
    const item = document.createElement('li');
    item.className = tab.path === active ? 'wb-tab here' : 'wb-tab';
    const link = document.createElement('a');
    link.href = address(tab.path);
    link.title = tab.path;
    link.dataset['tab'] = tab.path;
    if (tab.path === active) link.setAttribute('aria-current', 'page');
    // Two files of one name are told apart by their folders.
    const name = names[at] ?? '';
    link.textContent = names.filter((other) => other === name).length > 1 ? tab.path.split('/').slice(-2).join('/') : name;
    if (tab.problems.length > 0) {
      const count = document.createElement('span');
      count.className = 'wb-tab-problems';
      count.append(String(tab.problems.length), words(t('problems')));
      link.append(count);
    }
    if (tab.unsaved) {
      const mark = document.createElement('span');
      mark.className = 'tree-unsaved';
      mark.append('●', words(t('not saved')));
      link.append(mark);
    }
    const close = document.createElement('button');
    close.type = 'button';
    close.className = 'wb-tab-close';
    close.setAttribute('aria-label', t('Close {name}', { name }));
    close.title = t('Close {name}', { name });
    close.textContent = '×';
    close.addEventListener('click', () => acts.close(tab.path));
    item.append(link, close);
    return item;
  }));
  list.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

/** Clicks and keys of the list, bound once: its items come and go. */
export function bindTabs(list: HTMLElement, acts: TabActs): void {
  const tabOf = (event: Event): string | undefined => (event.target as Element).closest<HTMLElement>('li')?.querySelector<HTMLElement>('a')?.dataset['tab'];
  list.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a');
    const path = tabOf(event);
    if (!link || !path || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    acts.open(path);
  }, true);
  // The middle button closes, as in every program with tabs.
  list.addEventListener('mousedown', (event) => {
    if (event.button === 1) event.preventDefault();
  });
  list.addEventListener('auxclick', (event) => {
    const path = tabOf(event);
    if (event.button !== 1 || !path) return;
    event.preventDefault();
    acts.close(path);
  });
  list.addEventListener('keydown', (event) => {
    const links = [...list.querySelectorAll<HTMLElement>('a')];
    const here = links.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const step = steps[event.key];
    if (here < 0) return;
    if (step !== undefined) links[(here + step + links.length) % links.length]?.focus();
    else if (event.key === 'Delete') acts.close(links[here]?.dataset['tab'] ?? '');
    else return;
    event.preventDefault();
  });
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? path;
}
