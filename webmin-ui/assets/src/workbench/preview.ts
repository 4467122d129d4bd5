import type { EditorView } from '@codemirror/view';
import { t } from '../words';
import { mount, stateOf } from './code';
import { isAbort, post, Refused, type FileData, type Look } from './server';

/** Pixels a page has on a phone, and on a desk. */
const WIDTHS = { phone: 390, desktop: 860 } as const;
const PATIENCE = 300;

/** What the preview is of. */
export interface Draft {
  file: FileData;
  text: string;
  /** The sample data as it was typed; nothing for the file's own. */
  sample: string | undefined;
}

/** The pane beside a text: what it becomes, live, and the data that fills it. The newest answer wins. */
export class Preview {
  private asked: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private shownPath = '';
  private width: keyof typeof WIDTHS = 'desktop';
  private readonly sample: EditorView;
  private filling = false;
  private readonly resized = new ResizeObserver(() => this.scale());
  /** By path: the last good picture, so that going back to a tab shows it at once. */
  private readonly pictures = new Map<string, Look>();

  constructor(
    private readonly pane: HTMLElement,
    private readonly base: string,
    private readonly draft: () => Draft | undefined,
    private readonly looked: (path: string, look: Look) => void,
    private readonly sampled: (sample: string | undefined) => void,
  ) {
    const place = this.find('#wb-sample');
    this.sample = mount(place, stateOf('', {
      language: 'json', label: place.dataset['label'] ?? '', readOnly: false, keys: () => [],
      changed: () => {
        if (this.filling) return;
        this.sampled(this.sampleText());
        this.soon();
      },
    }));
    this.find('[data-reset-sample]').addEventListener('click', () => {
      this.sampled(undefined);
      const draft = this.draft();
      if (draft) this.fill(draft.file.sample);
      void this.look();
    });
    for (const button of pane.querySelectorAll<HTMLElement>('[data-width]')) {
      button.addEventListener('click', () => {
        this.width = button.dataset['width'] === 'phone' ? 'phone' : 'desktop';
        for (const other of pane.querySelectorAll('[data-width]')) other.setAttribute('aria-pressed', String(other === button));
        this.scale();
      });
    }
    if (matchMedia('(max-width: 640px)').matches) pane.querySelector<HTMLElement>('[data-width="phone"]')?.click();
    this.resized.observe(this.find('#wb-stage'));
  }

  /** The page is left: nothing that is on its way may come to the next one. */
  stop(): void {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.resized.disconnect();
    this.sample.destroy();
  }

  /** Turns to another text: its last picture at once, a new one in a moment. */
  turn(): void {
    const draft = this.draft();
    if (!draft) return;
    const { kind, sample, can_edit } = draft.file;
    const isHtml = kind !== 'mail' && kind !== 'job' && kind !== 'plain' && kind !== 'picture';
    const shows: Record<string, boolean> = {
      html: isHtml,
      job: kind === 'job',
      look: kind !== 'job',
      mail: kind === 'mail' || kind === 'mail-html',
      // What functions answer to job code that is tried.
      answers: kind === 'job' && can_edit,
      sample: isHtml && kind !== 'document' || kind === 'mail' || (kind === 'job' && can_edit),
      data: kind !== 'job',
    };
    for (const part of this.pane.querySelectorAll<HTMLElement>('[data-for]')) part.hidden = !shows[part.dataset['for'] ?? ''];
    // Job code mostly needs no answers, and its test run the room.
    (this.find('.wb-sample') as HTMLDetailsElement).open = kind !== 'job' || draft.sample !== undefined;
    const beside = this.find('#wb-beside');
    beside.hidden = isHtml || kind === 'mail';
    beside.innerHTML = beside.hidden ? '' : draft.file.beside;
    this.fill(draft.sample ?? sample);
    this.shownPath = draft.file.path;
    const picture = this.pictures.get(draft.file.path);
    this.show(picture ?? NOTHING);
    this.find('#wb-stale').hidden = true;
    void this.look();
  }

  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), PATIENCE);
  }

  async look(): Promise<void> {
    clearTimeout(this.timer);
    this.asked?.abort();
    const draft = this.draft();
    if (!draft) return;
    this.asked = new AbortController();
    const { path, kind } = draft.file;
    if (kind === 'picture') return;
    const fields: Record<string, string> = { path, text: draft.text };
    if (draft.sample !== undefined) fields['sample'] = draft.sample;
    try {
      const look = await post<Look>(`${this.base}/look`, fields, { signal: this.asked.signal, quiet: true });
      // What was typed meanwhile is looked at in a moment; this answer is of an older text.
      const now = this.draft();
      if (now?.file.path === path && now.text !== draft.text) return;
      this.looked(path, look);
      if (path === this.shownPath) this.take(draft, look);
    } catch (error) {
      if (isAbort(error)) return;
      if (error instanceof Refused) this.problem(error.message);
      else throw error;
    }
  }

  forget(path: string): void {
    this.pictures.delete(path);
  }

  private take(draft: Draft, look: Look): void {
    if (draft.sample === undefined && look.sample !== null) {
      draft.file.sample = look.sample;
      this.fill(look.sample);
    }
    this.problem(look.sample_problem);
    const isGood = look.text !== null || look.html !== null || look.answer !== null;
    const stale = !isGood && (look.problems.length > 0 || look.sample_problem !== null);
    this.find('#wb-shown').classList.toggle('stale', stale);
    this.find('#wb-stale').hidden = !stale || !this.pictures.has(draft.file.path);
    if (!isGood) return;
    this.pictures.set(draft.file.path, look);
    this.show(look);
  }

  private show(look: Look): void {
    const plain = this.find('#wb-plain');
    plain.hidden = look.text === null;
    plain.textContent = look.text ?? '';
    this.find('#wb-stage').hidden = look.html === null;
    if (look.html !== null) {
      this.scale();
      this.frame(look.html);
    }
    this.answer(look);
  }

  private answer(look: Look): void {
    const place = this.find('#wb-answer');
    place.hidden = look.answer === null;
    place.replaceChildren();
    if (!look.answer) return;
    const { status, headers, log, calls } = look.answer;
    place.append(fact(t('Status'), String(status)));
    for (const [name, value] of headers) place.append(fact(name, value));
    const said: Record<string, string> = { example: t('answered by the example'), read: t('read'), 'not done': t('not called: give an example under "answers"') };
    for (const call of calls) place.append(fact(call.function, said[call.answered] ?? call.answered));
    if (log) place.append(fact(t('Log'), log.trimEnd()));
  }

  /** A frame cannot be filled by script without weakening our own policy, so what was rendered is posted into it. */
  private frame(html: string): void {
    const frame = this.find('#wb-frame') as HTMLIFrameElement;
    const at = frame.contentWindow?.scrollY ?? 0;
    frame.addEventListener('load', () => frame.contentWindow?.scrollTo(0, at), { once: true });
    const form = document.createElement('form');
    form.method = 'post';
    form.action = frame.dataset['address'] ?? '';
    form.target = frame.name;
    form.hidden = true;
    form.setAttribute('hx-boost', 'false');
    const field = document.createElement('textarea');
    field.name = 'html';
    field.value = still(html);
    form.append(field);
    document.body.append(form);
    form.submit();
    form.remove();
  }

  /** A page keeps the width it would have, and is drawn smaller where that does not fit. */
  private scale(): void {
    const stage = this.find('#wb-stage');
    const frame = this.find('#wb-frame');
    const room = stage.clientWidth;
    const width = this.width === 'phone' ? WIDTHS.phone : Math.max(WIDTHS.desktop, room);
    const scale = Math.min(1, room / width);
    if (room === 0) return;
    stage.dataset['width'] = this.width;
    frame.style.width = `${width}px`;
    frame.style.height = `${stage.clientHeight / scale}px`;
    frame.style.transform = `scale(${scale})`;
    frame.style.marginInlineStart = `${Math.max(0, (room - width * scale) / 2)}px`;
  }

  private fill(sample: string): void {
    if (this.sampleText() === sample) return;
    this.filling = true;
    this.sample.dispatch({ changes: { from: 0, to: this.sample.state.doc.length, insert: sample } });
    this.filling = false;
  }

  private sampleText(): string {
    return this.sample.state.doc.toString();
  }

  private problem(text: string | null): void {
    const place = this.find('#sample-problem');
    place.hidden = text === null;
    place.textContent = text ?? '';
  }

  private find(selector: string): HTMLElement {
    const found = this.pane.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`the preview has no ${selector}`);
    return found;
  }
}

const NOTHING: Look = { problems: [], warnings: [], text: null, html: null, answer: null, sample: null, sample_problem: null };

/** Takes out what the frame would stop with a complaint each. What this misses is stopped all the same; an empty page is a page, too. */
function still(html: string): string {
  return html.replace(/<script\b[^>]*>[\s\S]*?<\/script\s*>/gi, '').replace(/(<(?:input|button|select|textarea)\b[^>]*?)\sautofocus\b/gi, '$1') || ' ';
}

function fact(name: string, value: string): HTMLElement {
  const line = document.createElement('div');
  const label = document.createElement('span');
  label.className = 'muted';
  label.textContent = name;
  const text = document.createElement('span');
  text.className = 'mono';
  text.textContent = value;
  line.append(label, text);
  return line;
}
