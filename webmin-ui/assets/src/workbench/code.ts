// CodeMirror lives in a shadow root: there it styles itself through adopted style sheets, which the content security
// policy allows, and no <style> element is needed.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { css } from '@codemirror/lang-css';
import { html } from '@codemirror/lang-html';
import { javascript } from '@codemirror/lang-javascript';
import { json } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, StreamLanguage } from '@codemirror/language';
import { lua } from '@codemirror/legacy-modes/mode/lua';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, Prec, type Extension, type Text } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { look, tagMarks } from './look';
import { luaHover, luaWords, type Sort } from './lua';
import type { Problem } from './server';
import { tagWords } from './words';

export interface CodeOptions {
  language: string;
  /** Which code it is, when it is Lua. */
  sort?: Sort;
  label: string;
  readOnly: boolean;
  /** The keys a template is filled with. */
  keys: () => string[];
  changed: (view: EditorView) => void;
}

function language({ language: name, sort = 'page', keys }: CodeOptions): Extension {
  switch (name) {
    case 'lua':
      return [StreamLanguage.define(lua), autocompletion({ override: [luaWords(sort)] }), luaHover(sort)];
    case 'javascript':
      return [javascript(), autocompletion()];
    case 'json':
      return json();
    case 'css':
      return [css(), autocompletion()];
    case 'html':
      return html();
    case 'template':
      return [html(), tagMarks, EditorState.languageData.of(() => [{ autocomplete: tagWords(keys) }]), autocompletion()];
    default:
      return [];
  }
}

/**
 * Typing over a selection is done by CodeMirror: left to the browser, the style of what was selected is kept in a
 * style attribute, which the content security policy stops.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data, inputType, isComposing } = event;
    const { from, to, empty } = view.state.selection.main;
    if (inputType !== 'insertText' || data === null || empty || isComposing || view.state.readOnly) return false;
    const replaced = () => view.state.update(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
    const taken = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, data, replaced));
    if (!taken) view.dispatch(replaced());
    event.preventDefault();
    return true;
  },
});

/** Esc, then Tab, leaves the text (WCAG 2.1.2), whatever else Esc closes. Any other key takes that back. */
function tabLeaves(view: EditorView): boolean {
  view.setTabFocusMode(60_000);
  return false;
}

/** A text with a history of its own. */
export function stateOf(text: string, options: CodeOptions): EditorState {
  const changed = EditorView.updateListener.of((update) => {
    if (update.docChanged) options.changed(update.view);
  });
  return EditorState.create({
    doc: text,
    extensions: [
      Prec.highest(keymap.of([{ key: 'Escape', run: tabLeaves }])),
      lineNumbers(), foldGutter(), lintGutter(), highlightActiveLineGutter(), highlightActiveLine(), history(), drawSelection(),
      indentOnInput(), indentUnit.of('  '), EditorState.tabSize.of(2), bracketMatching(), closeBrackets(), highlightSelectionMatches(),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': options.label }),
      EditorState.readOnly.of(options.readOnly),
      language(options),
      keymap.of([
        ...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab,
      ]),
      typeOver,
      changed,
      look,
    ],
  });
}

/** An editor in `place`, which is emptied. */
export function mount(place: HTMLElement, state: EditorState): EditorView {
  const host = document.createElement('code-editor');
  const root = host.attachShadow({ mode: 'open' });
  place.replaceChildren(host);
  return new EditorView({ parent: root, root, state });
}

/** The place of a problem as a range: from there to the end of the word, or of the line. */
function range(doc: Text, problem: Problem): { from: number; to: number } {
  const line = doc.line(Math.min(Math.max(problem.line, 1), doc.lines));
  const from = Math.min(line.from + Math.max(problem.column - 1, 0), line.to);
  const word = /^[\w{}*%#().-]+/.exec(doc.sliceString(from, line.to));
  if (problem.column <= 1 || from === line.to) return { from: line.from, to: line.to };
  return { from, to: word ? from + word[0].length : line.to };
}

/** Underlines what is wrong; a problem of another file stands at the first line. */
export function underline(view: EditorView, path: string, problems: Problem[], warnings: Problem[]): void {
  const mark = (severity: 'error' | 'warning') => (problem: Problem): Diagnostic => ({
    ...range(view.state.doc, problem.file && problem.file !== path ? { ...problem, line: 1, column: 1 } : problem),
    severity,
    message: problem.message,
  });
  view.dispatch(setDiagnostics(view.state, [...problems.map(mark('error')), ...warnings.map(mark('warning'))]));
}

export function jump(view: EditorView, line: number, column = 1): void {
  const at = range(view.state.doc, { file: '', line, column: Math.max(column, 1), message: '' }).from;
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
  view.focus();
}
