// The editor of templates, pages and job code: files in tabs, each with its own history, what they become beside them,
// and who else is there. Loaded only where a page has [data-workbench]; without it the page is a plain form.
import { nextDiagnostic, previousDiagnostic } from '@codemirror/lint';
import { Text } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import htmx from 'htmx.org';
import { ask } from '../dialog';
import { say } from '../toast';
import { localTimes } from '../time';
import { t } from '../words';
import { jump, mount, stateOf, underline } from './code';
import { resolve } from './conflict';
import { broughtBack, keep, recall, worthKeeping } from './kept';
import { fill } from './fill';
import { JobRun } from './job-run';
import { bindKeys } from './keys';
import { drawNotices, isStale } from './notices';
import { bindPanes, showPane } from './panes';
import { IDLE_MS, idleMs, Presence, type Open } from './presence';
import { Preview } from './preview';
import { drawProblems } from './problems';
import { bindSend } from './send';
import { complain, get, post, Refused, type FileData, type Look, type Problem, type Saved, type Seen } from './server';
import { bindTabs, drawTabs, newTab, type Tab } from './tabs';
import { TestRun } from './test-run';
import { Tree } from './tree';

let running: Workbench | undefined;

/** Starts the editor of the page, and ends the one of the page before. */
export function start(): void {
  const root = document.querySelector<HTMLElement>('[data-workbench]');
  if (running?.root === root) return;
  running?.stop();
  running = root ? new Workbench(root) : undefined;
}

class Workbench {
  private readonly base: string;
  private readonly operator: string;
  private readonly form: HTMLFormElement;
  private readonly view: EditorView;
  private readonly tabs: Tab[] = [];
  private active: Tab;
  private readonly tree: Tree;
  private readonly preview: Preview;
  private readonly presence: Presence;
  /** Only for who may edit. */
  private readonly test: TestRun | undefined;
  private readonly run: JobRun | undefined;
  private readonly stopped = new AbortController();
  private keeping: ReturnType<typeof setTimeout> | undefined;
  private saving = false;
  /** How often a file was asked for: of two that are on their way, the latest counts. */
  private opened = 0;

  constructor(readonly root: HTMLElement) {
    this.base = root.dataset['base'] ?? '';
    this.operator = root.dataset['operator'] ?? '';
    this.form = this.find('.wb-form') as HTMLFormElement;
    const file = JSON.parse(root.dataset['file'] ?? '{}') as FileData;
    const place = this.find('#wb-text');
    const shown = place.querySelector('textarea')?.value ?? '';
    this.recall(file.path);
    this.active = this.tabs.find((tab) => tab.path === file.path) ?? this.add(file.path);
    bindPanes(root);
    this.tree = new Tree(this.find('#wb-tree'), (path) => void this.open(path));
    this.preview = new Preview(
      this.find('#wb-preview'), this.base, () => this.draft(),
      (path, look) => this.looked(path, look),
      (sample) => {
        this.active.sample = sample;
        this.keepSoon();
      },
    );
    this.test = root.querySelector('#wb-test') ? new TestRun(this.find('#wb-preview'), `${this.base}/test`, () => this.draft(), (path, line) => void this.goTo(path, line)) : undefined;
    this.run = root.querySelector('#wb-ran') ? new JobRun(this.find('#wb-preview'), (path, line) => void this.goTo(path, line)) : undefined;
    this.view = mount(place, stateOf('', { language: '', label: '', readOnly: true, keys: () => [], changed: () => undefined }));
    fill(this.active, { ...file, text: shown }, (view) => this.changed(view));
    this.presence = new Presence(`${this.base}/presence`, () => this.openPaths(), (seen) => this.heard(seen), this.stopped.signal);
    this.bind();
    this.show(this.active);
    this.firstProblem(place);
  }

  stop(): void {
    this.keepNow();
    this.stopped.abort();
    this.preview.stop();
    this.test?.stop();
    this.run?.stop();
    this.view.destroy();
  }

  private bind(): void {
    const { signal } = this.stopped;
    const acts = { open: (path: string) => void this.open(path), close: (path: string) => void this.close(path) };
    bindTabs(this.find('.wb-tabs ul'), acts);
    bindSend(this.root, `${this.base}/send`, () => this.fields());
    bindKeys(signal, {
      save: () => void this.save(),
      look: () => this.enter(),
      close: () => void this.close(this.active.path),
      step: (by) => this.step(by),
      problem: (back) => (back ? previousDiagnostic : nextDiagnostic)(this.view) && this.view.focus(),
    });
    this.root.addEventListener('submit', (event) => this.submit(event), { capture: true, signal });
    this.root.addEventListener('click', (event) => this.click(event), { capture: true, signal });
    this.form.querySelector('#note')?.addEventListener('input', (event) => {
      this.active.note = (event.target as HTMLInputElement).value;
      this.keepSoon();
    });
    // Before htmx, which would load the whole page.
    window.addEventListener('popstate', (event) => {
      const path = (event.state as { editor?: string } | null)?.editor;
      if (!path || !this.root.isConnected || !location.pathname.endsWith('/templates/edit')) return;
      event.stopImmediatePropagation();
      void this.open(path, false);
    }, { capture: true, signal });
    window.addEventListener('pagehide', () => this.keepNow(), { signal });
    history.replaceState({ htmx: true, editor: this.active.path }, '', location.href);
  }

  // -- tabs ---------------------------------------------------------------------------------------------------------

  private add(path: string): Tab {
    const tab = newTab(path);
    this.tabs.push(tab);
    return tab;
  }

  private async open(path: string, push = true): Promise<void> {
    const known = this.tabs.find((tab) => tab.path === path);
    if (known === this.active && known.state) {
      showPane(this.root, 'edit');
      this.view.focus();
      return;
    }
    const tab = known ?? newTab(path);
    const turn = (this.opened += 1);
    if (!tab.state) {
      try {
        fill(tab, await get<FileData>(`${this.base}/file?path=${encodeURIComponent(path)}`), (view) => this.changed(view));
      } catch (error) {
        complain(error);
        // A file that is gone has no tab, unless something of it is kept here only.
        if (known && known.draft === undefined && error instanceof Refused && error.status === 404) this.drop(known);
        return;
      }
      if (turn !== this.opened) return;
    }
    if (!known) this.tabs.splice(this.tabs.indexOf(this.active) + 1, 0, tab);
    this.leave();
    this.show(tab);
    if (push) history.pushState({ htmx: true, editor: path }, '', this.address(path));
    showPane(this.root, 'edit');
    this.view.focus();
  }

  private async close(path: string): Promise<void> {
    const tab = this.tabs.find((tab) => tab.path === path);
    if (!tab) return;
    if (tab.unsaved && !(await ask(t('{path} has changes that are not saved. Close it and lose them?', { path }), t('Close without saving')))) return;
    const at = this.tabs.indexOf(tab);
    this.drop(tab);
    if (this.tabs.length === 0) {
      this.form.removeAttribute('data-dirty');
      this.keepNow();
      htmx.ajax('get', this.base, { target: '#main', swap: 'innerHTML', push: 'true' } as never);
      return;
    }
    if (tab === this.active) await this.open(this.tabs[Math.min(at, this.tabs.length - 1)]?.path ?? '');
    else this.drawMarks();
    this.keepNow();
  }

  private drop(tab: Tab): void {
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    this.preview.forget(tab.path);
    this.presence?.soon();
  }

  private step(by: number): void {
    const at = this.tabs.indexOf(this.active) + by;
    const next = this.tabs[(at + this.tabs.length) % this.tabs.length];
    if (next) void this.open(next.path);
  }

  private leave(): void {
    this.active.state = this.view.state;
    this.active.scroll = this.view.scrollSnapshot();
    this.active.head = this.view.state.selection.main.head;
  }

  private show(tab: Tab): void {
    if (!tab.state || !tab.file) return;
    this.active = tab;
    this.view.setState(tab.state);
    if (tab.scroll) this.view.dispatch({ effects: tab.scroll });
    const note = this.form.querySelector<HTMLInputElement>('#note');
    if (note) note.value = tab.note;
    this.form.querySelector('.wb-foot')?.toggleAttribute('hidden', !tab.file.can_edit);
    document.title = [tab.path, ...document.title.split(' · ').slice(-1)].join(' · ');
    this.find('.wb-title').textContent = tab.path;
    this.drawBar();
    this.drawProblems();
    this.drawMarks();
    this.tree.reveal(tab.path);
    this.preview.turn();
    this.test?.turn(tab.path);
    this.run?.turn(tab.path);
    this.presence.soon();
    this.keepSoon();
  }

  private changed(view: EditorView): void {
    const tab = this.active;
    const unsaved = !tab.saved || !view.state.doc.eq(tab.saved);
    const wasIdle = idleMs(tab) > IDLE_MS;
    tab.typedAt = performance.now();
    if (unsaved !== tab.unsaved) {
      tab.unsaved = unsaved;
      this.drawMarks();
      this.presence.soon();
    } else if (wasIdle) {
      this.presence.soon();
    }
    this.keepSoon();
    this.preview.soon();
  }

  // -- saving -------------------------------------------------------------------------------------------------------

  private async save(revision = this.active.revision): Promise<void> {
    const tab = this.active;
    if (!tab.file?.can_edit || this.saving) return;
    this.saving = true;
    const doc = this.view.state.doc;
    try {
      const fields = { path: tab.path, text: doc.toString(), note: tab.note, revision: String(revision) };
      const saved = await post<Saved>(`${this.base}/save?path=${encodeURIComponent(tab.path)}`, fields);
      if (saved.outcome === 'saved') this.saved(tab, saved.file, doc, saved.word);
      else if (saved.outcome === 'refused') this.refused(tab, saved.problems, saved.word);
      else await this.conflict(tab, saved, doc);
    } catch (error) {
      complain(error);
    } finally {
      this.saving = false;
    }
  }

  private saved(tab: Tab, file: FileData, doc: Text, word: string): void {
    tab.file = { ...file, sample: tab.file?.sample ?? file.sample };
    tab.revision = file.revision;
    tab.saved = doc;
    tab.note = '';
    tab.restored = false;
    tab.warnings = file.warnings;
    // Whoever went on typing meanwhile has something that is not saved.
    tab.unsaved = !(this.docOf(tab)?.eq(doc) ?? true);
    delete tab.seen;
    if (tab === this.active) {
      const note = this.form.querySelector<HTMLInputElement>('#note');
      if (note) note.value = '';
      this.drawBar();
    }
    this.tree.layer(tab.path, file.layer, file.bar);
    this.drawMarks();
    this.drawProblems();
    this.keepNow();
    this.presence.soon();
    this.preview.soon();
    say(word, 'good');
  }

  private refused(tab: Tab, problems: Problem[], word: string): void {
    tab.problems = problems;
    this.drawProblems();
    this.drawMarks();
    say(word, 'bad');
    const first = problems.find((problem) => problem.line > 0 && (!problem.file || problem.file === tab.path));
    if (first && tab === this.active) jump(this.view, first.line, first.column);
  }

  /** The text of a tab as it is now, be it shown or not. */
  private docOf(tab: Tab): Text | undefined {
    return tab === this.active ? this.view.state.doc : tab.state?.doc;
  }

  private async conflict(tab: Tab, saved: Saved & { outcome: 'conflict' }, sent: Text): Promise<void> {
    const choice = await resolve(saved.part, (this.docOf(tab) ?? sent).toString());
    if (tab !== this.active) return;
    if (choice === 'mine') {
      tab.file = { ...saved.file, sample: tab.file?.sample ?? '' };
      this.saving = false;
      await this.save(saved.file.revision);
    } else if (choice === 'theirs') {
      this.take(tab, saved.file, saved.theirs);
      say(t('This is their text now. Undo brings yours back.'), 'good');
    }
  }

  /** Takes what is live, as a change that can be undone. */
  private take(tab: Tab, file: FileData, text: string): void {
    const live = text.replaceAll('\r\n', '\n');
    tab.file = file;
    tab.revision = file.revision;
    tab.saved = Text.of(live.split('\n'));
    tab.restored = false;
    tab.warnings = file.warnings;
    if (tab === this.active) {
      const head = Math.min(this.view.state.selection.main.head, live.length);
      this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: live }, selection: { anchor: head } });
      this.drawBar();
    } else if (tab.state) {
      tab.state = tab.state.update({ changes: { from: 0, to: tab.state.doc.length, insert: live } }).state;
    }
    tab.unsaved = false;
    this.tree.layer(tab.path, file.layer, file.bar);
    this.drawMarks();
    this.keepNow();
  }

  // -- what comes from elsewhere ------------------------------------------------------------------------------------

  private looked(path: string, look: Look): void {
    const tab = this.tabs.find((tab) => tab.path === path);
    if (!tab) return;
    tab.problems = look.problems;
    tab.warnings = look.warnings;
    if (tab === this.active) this.drawProblems();
    this.drawMarks();
  }

  private heard(all: Seen[]): void {
    for (const seen of all) {
      const tab = this.tabs.find((tab) => tab.path === seen.path);
      if (!tab) continue;
      tab.seen = seen;
      if (tab.state && isStale(tab) && !tab.unsaved && !this.saving) void this.follow(tab, seen);
    }
    this.drawNotices();
  }

  /** A text that nobody types into here follows what is saved elsewhere. */
  private async follow(tab: Tab, seen: Seen): Promise<void> {
    const file = await get<FileData>(`${this.base}/file?path=${encodeURIComponent(tab.path)}`).catch(() => undefined);
    if (!file || tab.unsaved || file.revision === tab.revision) return;
    this.take(tab, file, file.text ?? '');
    if (tab === this.active) this.preview.soon();
    say(seen.author ? t('{author} saved {path}: you see the new text.', { author: seen.author, path: tab.path }) : t('{path} was dropped to the layer below: you see that text.', { path: tab.path }), 'good');
  }

  private submit(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement;
    if (form === this.form) {
      event.preventDefault();
      event.stopPropagation();
      void this.save();
    } else if (form.dataset['run']) {
      event.preventDefault();
      event.stopPropagation();
      void this.run?.start(form.dataset['run'], this.active.path);
    }
  }

  private click(event: MouseEvent): void {
    if ((event.target as Element).closest('[data-try]')) {
      this.tryIt();
      return;
    }
    const link = (event.target as Element).closest<HTMLElement>('[data-open-path]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    void this.open(link.dataset['openPath'] ?? '');
  }

  /** Ctrl-Enter: what this text does, shown now. */
  private enter(): void {
    if (this.active.file?.kind === 'job' && this.test) this.tryIt();
    else {
      showPane(this.root, 'preview');
      void this.preview.look();
    }
  }

  private tryIt(): void {
    showPane(this.root, 'preview');
    void this.test?.start();
  }

  private async goTo(path: string, line: number): Promise<void> {
    await this.open(path);
    jump(this.view, line);
  }

  // -- drawing ------------------------------------------------------------------------------------------------------

  private drawBar(): void {
    const bar = this.find('#wb-bar');
    bar.innerHTML = this.active.file?.bar ?? '';
    htmx.process(bar);
    localTimes(bar);
  }

  private drawProblems(): void {
    const { path, problems, warnings } = this.active;
    underline(this.view, path, problems, warnings);
    drawProblems(this.find('#wb-problems'), path, problems, warnings, (problem) => {
      if (problem.file && problem.file !== path) void this.open(problem.file).then(() => jump(this.view, problem.line, problem.column));
      else jump(this.view, problem.line, problem.column);
    });
  }

  private drawMarks(): void {
    const acts = { open: (path: string) => void this.open(path), close: (path: string) => void this.close(path) };
    drawTabs(this.find('.wb-tabs ul'), this.tabs, this.active.path, (path) => this.address(path), acts);
    const unsaved = new Set(this.tabs.filter((tab) => tab.unsaved).map((tab) => tab.path));
    this.tree.mark(this.active.path, unsaved);
    this.form.toggleAttribute('data-dirty', unsaved.size > 0);
    const state = this.root.querySelector<HTMLElement>('#wb-state');
    const text = this.active.unsaved ? t('Not saved yet') : '';
    if (state && state.textContent !== text) state.textContent = text;
    this.drawNotices();
  }

  private drawNotices(): void {
    drawNotices(this.find('#wb-notices'), this.active, {
      discard: () => void this.discard(),
      compare: () => void this.save(),
    });
  }

  private async discard(): Promise<void> {
    const tab = this.active;
    const file = await get<FileData>(`${this.base}/file?path=${encodeURIComponent(tab.path)}`);
    this.take(tab, file, file.text ?? '');
    say(t('This is the live text. Undo brings yours back.'), 'good');
  }

  private firstProblem(place: HTMLElement): void {
    const line = Number(place.dataset['line']);
    if (!line) return;
    this.active.problems = [{ file: this.active.path, line, column: 1, message: place.dataset['problem'] || t('Here') }];
    this.drawProblems();
    jump(this.view, line);
  }

  // -- keeping ------------------------------------------------------------------------------------------------------

  private recall(path: string): void {
    this.tabs.push(...(recall(this.operator)?.tabs ?? []).map(broughtBack));
    if (this.tabs.every((tab) => tab.path !== path)) this.add(path);
  }

  private keepSoon(): void {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keepNow(), 150);
  }

  private keepNow(): void {
    clearTimeout(this.keeping);
    if (this.view.dom.isConnected || this.root.isConnected) this.leave();
    if (!keep(this.operator, { active: this.active.path, tabs: this.tabs.map(worthKeeping) })) say(t('This browser cannot keep what you type. Save before you leave.'), 'bad');
  }

  private draft(): { file: FileData; text: string; sample: string | undefined } | undefined {
    const { file, sample } = this.active;
    return file && { file, text: this.view.state.doc.toString(), sample };
  }

  private fields(): Record<string, string> {
    const fields: Record<string, string> = { path: this.active.path, text: this.view.state.doc.toString() };
    const sample = this.active.sample ?? this.active.file?.sample;
    return sample ? { ...fields, sample } : fields;
  }

  private openPaths(): Open[] {
    return this.tabs.slice(0, 50).map((tab) => ({ path: tab.path, unsaved: tab.unsaved, idle_ms: tab.typedAt === undefined ? null : Math.round(idleMs(tab)) }));
  }

  private address(path: string): string {
    return `${this.base}/edit?path=${encodeURIComponent(path)}`;
  }

  private find(selector: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`the editor has no ${selector}`);
    return found;
  }
}
