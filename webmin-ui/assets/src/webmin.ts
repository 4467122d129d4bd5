// Every page loads this. It only improves what already works: without it links and forms still do their work.
import htmx from 'htmx.org';
import { bindCopy } from './copy';
import { bindDialogs } from './dialog';
import { bindGuard } from './guard';
import { bindLink } from './link';
import { bindNavigation } from './navigation';
import { bindPalette } from './palette';
import { bindPresets } from './presets';
import { bindRecent } from './recent';
import { bindRefresh, bindRefreshing } from './refresh';
import { bindReveal } from './reveal';
import { bindShortcuts } from './shortcuts';
import { bindSnippets } from './snippets';
import { bindSubmits, bindTyping } from './submit';
import { bindSuggestions } from './suggest';
import { bindTableEvents, bindTables } from './table';
import { bindTheme } from './theme';
import { localTimes } from './time';
import { bindToasts, bindToastEvents } from './toast';
import { bindWaiting } from './waiting';

// No eval and no style element: the content security policy allows neither. No history snapshots in
// localStorage: pages hold what must not stay behind after logout, so "back" asks the server again.
Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  // A new page begins at its top, and does not travel there.
  scrollBehavior: 'instant',
  // A key pressed as soon as the new page is there must not go to a field of it that was called as one before.
  defaultSettleDelay: 0,
  responseHandling: [
    { code: '204', swap: false },
    { code: '[23]..', swap: true },
    // A refused form comes back with its mistakes marked: an answer like any other, and no fault to report.
    { code: '4..', swap: true },
    { code: '5..', swap: true, error: true },
  ],
});

/** There once a page was shown that follows what happens: it is also told when that page is left. */
let follow: (() => void) | undefined;

/** Run for the whole document once, and for each part htmx puts into it. */
function enhance(root: ParentNode): void {
  localTimes(root);
  bindToasts();
  bindSubmits(root);
  bindSuggestions(root);
  bindSnippets(root);
  bindReveal(root);
  bindRefresh();
  root.querySelector('.pane [aria-current]')?.scrollIntoView({ block: 'nearest' });
  bindTables(root);
  bindWorkbench();
  bindLive();
  if (root.querySelector('[data-plot]')) void import('./plots').then((plots) => plots.drawPlots());
}

/** What is put into the page may be the very element that follows, so the whole page is looked at. */
function bindLive(): void {
  if (document.querySelector('#main [data-live]')) void import('./live').then((live) => (follow = live.followPage)());
  else follow?.();
}

let workbench: Promise<typeof import('./workbench')> | undefined;

/** The editor is large, and loaded with the first page that has one; it is told of each page after that. */
function bindWorkbench(): void {
  if (document.querySelector('[data-workbench]')) workbench ??= import('./workbench');
  void workbench?.then((editor) => editor.start());
}

// A refused plain form is the answer to a POST. Going back to it later asks the address with GET, and not for a form
// to be sent again.
history.replaceState(history.state, '', location.href);

bindCopy();
bindDialogs();
bindGuard();
bindLink();
bindNavigation();
bindPalette();
bindPresets();
bindRecent();
bindRefreshing();
bindShortcuts();
bindTableEvents();
bindTheme();
bindToastEvents();
bindTyping();
bindWaiting();
enhance(document);
// What comes later; the page itself is told of here, too, and has what it needs already.
htmx.onLoad((part) => {
  if (part !== document.body) enhance(part instanceof Element ? part : document);
});
