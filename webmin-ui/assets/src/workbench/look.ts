import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Decoration, EditorView, MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const surface = EditorView.theme({
  '&': { color: 'var(--c-text)', backgroundColor: 'var(--c-surface)', fontSize: 'var(--t-sm)', flex: '1', minHeight: '0', height: '100%' },
  '&.cm-focused': { outline: '2px solid var(--c-accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.65', minHeight: 'inherit' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--c-accent)' },
  '.cm-cursor': { borderLeftColor: 'var(--c-accent)', borderLeftWidth: '2px' },
  '.cm-gutters': { backgroundColor: 'var(--c-surface)', color: 'var(--c-muted)', border: '0', paddingLeft: '6px' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in oklab, var(--c-hover) 70%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--c-text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in oklab, var(--c-accent) 24%, transparent) !important' },
  '.cm-matchingBracket': { backgroundColor: 'var(--c-accent-soft) !important', color: 'inherit' },
  '.cm-foldGutter': { width: '12px' },
  '.cm-gutter-lint': { width: '16px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '2px 1px' },
  '.cm-lint-marker': { width: '13px', height: '13px' },
  '.cm-tag': { color: 'var(--c-accent)', fontWeight: '600', backgroundColor: 'var(--c-accent-soft)', borderRadius: '3px' },
  '.cm-tag-note': { color: 'var(--c-muted)', fontStyle: 'italic' },
  '.cm-panels': { backgroundColor: 'var(--c-sunken)', color: 'var(--c-text)', borderColor: 'var(--c-line)' },
  '.cm-panels input, .cm-panels button': { fontSize: 'var(--t-sm)', backgroundColor: 'var(--c-surface)', backgroundImage: 'none', color: 'inherit', border: '1px solid var(--c-line-strong)', borderRadius: '5px' },
  '.cm-tooltip': { backgroundColor: 'var(--c-raised)', color: 'var(--c-text)', border: '1px solid var(--c-line)', borderRadius: '7px', boxShadow: 'var(--shadow-3)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--c-accent-soft)', color: 'var(--c-text)' },
  '.cm-word': { padding: '6px 10px', maxWidth: 'min(34rem, 88vw)', maxHeight: '22rem', overflow: 'auto', fontFamily: 'var(--sans)', whiteSpace: 'normal' },
  '.cm-word code': { fontFamily: 'var(--mono)', overflowWrap: 'anywhere' },
  '.cm-word > code': { fontWeight: '600' },
  '.cm-word p': { margin: '4px 0 0' },
  '.cm-word .muted': { color: 'var(--c-muted)', fontSize: 'var(--t-xs)' },
  '.cm-word div': { marginTop: '6px' },
  '.cm-word ul': { margin: '2px 0 0', paddingLeft: '1.1rem' },
  '.cm-tooltip.cm-completionInfo': { padding: '0' },
  '.cm-diagnostic': { fontFamily: 'var(--sans)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--c-bad)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: 'var(--c-accent)' },
  { tag: [tags.string, tags.special(tags.string), tags.attributeValue], color: 'var(--c-good)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--c-warn)' },
  { tag: [tags.comment, tags.meta], color: 'var(--c-muted)', fontStyle: 'italic' },
  { tag: [tags.tagName, tags.typeName], color: 'var(--c-info)' },
  { tag: [tags.attributeName, tags.propertyName], color: 'var(--c-info)' },
  { tag: [tags.function(tags.variableName), tags.standard(tags.variableName)], color: 'var(--c-info)' },
  { tag: tags.invalid, color: 'var(--c-bad)' },
]);

export const look = [surface, syntaxHighlighting(colours)];

const marks = new MatchDecorator({
  regexp: /\{#[^#]*#\}|\{\{[^}]*\}\}\}?|\{\*[^*]*\*\}|\{\([^)]*\)\}|\{-[^-]*-\}/g,
  decoration: (match) => Decoration.mark({ class: match[0].startsWith('{#') && match[0].endsWith('#}') ? 'cm-tag-note' : 'cm-tag' }),
});

/** Makes the tags of a template stand out from its text. */
export const tagMarks = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = marks.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = marks.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
