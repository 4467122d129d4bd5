// Loaded only where a <code-editor> is. CodeMirror lives in a shadow root: there it styles itself through
// adopted style sheets, which the content security policy allows, and no <style> element is needed.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { html } from '@codemirror/lang-html';
import { bracketMatching, foldGutter, indentOnInput, indentUnit, StreamLanguage } from '@codemirror/language';
import { lua } from '@codemirror/legacy-modes/mode/lua';
import { javascript } from '@codemirror/legacy-modes/mode/javascript';
import { css } from '@codemirror/legacy-modes/mode/css';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { luaWords, tagWords } from './editor-words';
import { look, tagMarks } from './editor-look';
import { mark } from './guard';

function language(name: string | null): Extension {
  switch (name) {
    case 'lua':
      return [StreamLanguage.define(lua), autocompletion({ override: [luaWords] })];
    case 'javascript':
    case 'json':
      return StreamLanguage.define(javascript);
    case 'css':
      return StreamLanguage.define(css);
    case 'html':
      return html();
    case 'template':
      return [html(), tagMarks, EditorState.languageData.of(() => [{ autocomplete: tagWords }]), autocompletion()];
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

/** Wraps its textarea, which stays the form's field and the editor of those without script. */
class CodeEditor extends HTMLElement {
  private view: EditorView | undefined;

  connectedCallback(): void {
    const field = this.querySelector('textarea');
    if (!field || this.view) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.replaceChildren();
    this.view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({ doc: field.value, extensions: this.extensions(field) }),
    });
    this.showProblem();
    if (this.hasAttribute('autofocus')) this.view.focus();
  }

  disconnectedCallback(): void {
    this.view?.destroy();
    this.view = undefined;
  }

  private extensions(field: HTMLTextAreaElement): Extension {
    const readOnly = field.readOnly;
    const changed = EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      field.value = update.state.doc.toString();
      field.dispatchEvent(new Event('input', { bubbles: true }));
      if (field.form?.matches('[data-guard]') && !this.hasAttribute('data-no-guard')) mark(field.form);
    });
    const save = {
      key: 'Mod-s',
      run: () => {
        if (readOnly) return false;
        field.form?.requestSubmit(field.form.querySelector<HTMLButtonElement>('[data-save]') ?? undefined);
        return true;
      },
    };
    return [
      lineNumbers(), foldGutter(), lintGutter(), highlightActiveLineGutter(), highlightActiveLine(), history(), drawSelection(),
      indentOnInput(), indentUnit.of('  '), EditorState.tabSize.of(2), bracketMatching(), closeBrackets(), highlightSelectionMatches(),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': field.getAttribute('aria-label') ?? 'Code' }),
      EditorState.readOnly.of(readOnly),
      language(this.getAttribute('language')),
      keymap.of([save, ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap,
        ...(this.hasAttribute('data-no-guard') ? [] : [indentWithTab])]),
      typeOver,
      changed,
      look,
    ];
  }

  /** data-line and data-problem come from the server when a save was refused or a run failed. */
  private showProblem(): void {
    const line = Number(this.dataset['line']);
    const view = this.view;
    if (!view || !line || line > view.state.doc.lines) return;
    const at = view.state.doc.line(line);
    const problem = { from: at.from, to: at.to, severity: 'error' as const, message: this.dataset['problem'] ?? 'Here' };
    view.dispatch(setDiagnostics(view.state, [problem]));
    view.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: 'center' }) });
  }
}

export function define(): void {
  if (!customElements.get('code-editor')) customElements.define('code-editor', CodeEditor);
}
