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
