import { Text } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import { t } from '../words';
import { stateOf } from './code';
import type { FileData } from './server';
import type { Tab } from './tabs';

/** A text has come from the server. What was typed into it before stays, and says so. */
export function fill(tab: Tab, file: FileData, changed: (view: EditorView) => void): void {
  const live = (file.text ?? '').replaceAll('\r\n', '\n');
  const draft = tab.draft;
  tab.file = file;
  tab.saved = Text.of(live.split('\n'));
  tab.warnings = file.warnings;
  tab.restored = draft !== undefined && draft !== live;
  tab.unsaved = tab.restored;
  // A draft was made from the revision it was made from, whatever is live now.
  if (!tab.restored) tab.revision = file.revision;
  delete tab.draft;
  const state = stateOf(live, {
    language: file.language,
    sort: file.kind === 'job' ? 'job' : 'page',
    label: t('Text of {path}', { path: file.path }),
    readOnly: !file.can_edit,
    keys: () => keysOf(tab.sample ?? tab.file?.sample),
    changed,
  });
  const restored = tab.restored && draft !== undefined ? state.update({ changes: { from: 0, to: live.length, insert: draft } }).state : state;
  const head = Math.min(tab.head, restored.doc.length);
  tab.state = restored.update({ selection: { anchor: head } }).state;
}

/** The keys of sample data that is typed right now, as far as it can be read. */
function keysOf(sample: string | undefined): string[] {
  try {
    const data: unknown = JSON.parse(sample ?? '{}');
    return data && typeof data === 'object' ? Object.keys(data) : [];
  } catch {
    return [];
  }
}
