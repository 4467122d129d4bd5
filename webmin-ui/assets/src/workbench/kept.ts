import { newTab, type Tab } from './tabs';

/** What a browser tab keeps of an editor: which texts are open, and what was typed and not saved. */
export interface KeptTab {
  path: string;
  revision: number;
  /** Only when it is not saved. */
  draft?: string;
  sample?: string;
  note?: string;
  head: number;
}

export interface Kept {
  active: string;
  tabs: KeptTab[];
}

const KEY = 'coronet.editor';

/** What was kept for this operator; what another left behind is forgotten. */
export function recall(operator: string): Kept | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as (Kept & { operator: string }) | null;
    if (kept?.operator === operator) return kept;
    sessionStorage.removeItem(KEY);
  } catch {
    // Storage that cannot be read, or holds something else, is as good as empty.
  }
  return undefined;
}

/** Whether it could be kept: storage may be full, or switched off. */
export function keep(operator: string, kept: Kept): boolean {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ operator, ...kept }));
    return true;
  } catch {
    return false;
  }
}

/** A tab as it was kept; its text comes when it is looked at. */
export function broughtBack(kept: KeptTab): Tab {
  const tab = newTab(kept.path);
  tab.head = kept.head;
  tab.revision = kept.revision;
  tab.sample = kept.sample;
  tab.note = kept.note ?? '';
  if (kept.draft !== undefined) {
    tab.draft = kept.draft;
    tab.unsaved = true;
  }
  return tab;
}

/** What has to be kept of a tab: of its text only what is not saved. */
export function worthKeeping(tab: Tab): KeptTab {
  const kept: KeptTab = { path: tab.path, revision: tab.revision, head: tab.head };
  const draft = tab.state ? (tab.unsaved ? tab.state.doc.toString() : undefined) : tab.draft;
  if (draft !== undefined) kept.draft = draft;
  if (tab.sample !== undefined) kept.sample = tab.sample;
  if (tab.note) kept.note = tab.note;
  return kept;
}
