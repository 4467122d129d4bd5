/**
 * Live preview: an editor form with data-preview posts its draft there a moment after each change. The answer is
 * a part of a page; HTML results go, by a form of their own, into a sandboxed frame.
 */
export function bindPreview(root: ParentNode): void {
  const form = root.querySelector<HTMLFormElement>('form[data-preview]:not([data-bound])');
  if (!form) return;
  form.dataset['bound'] = '';
  const sample = document.querySelector<HTMLFormElement>('#sample-form');
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;

  const look = async (): Promise<void> => {
    asked?.abort();
    asked = new AbortController();
    const draft = new URLSearchParams();
    for (const name of ['path', 'text']) draft.set(name, String(new FormData(form).get(name) ?? ''));
    if (sample) draft.set('sample', String(new FormData(sample).get('sample') ?? ''));
    try {
      const answer = await fetch(form.dataset['preview'] ?? '', { method: 'POST', body: draft, signal: asked.signal });
      const place = document.querySelector('#preview');
      if (!answer.ok || !place) return;
      place.innerHTML = await answer.text();
      showHtml(draft);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
    }
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), 350);
  };
  form.addEventListener('input', (event) => {
    if ((event.target as HTMLElement).matches('[name="text"]')) soon();
  });
  sample?.addEventListener('input', soon);
  sample?.addEventListener('submit', (event) => {
    event.preventDefault();
    event.stopPropagation();
    void look();
  });
  bindWidths();
  void look();
}

/** A frame cannot be filled by script without weakening our own policy, so a form is posted into it. */
function showHtml(draft: URLSearchParams): void {
  const frame = document.querySelector<HTMLIFrameElement>('#preview-frame');
  const address = frame?.dataset['address'];
  if (!frame || !address) return;
  const form = document.createElement('form');
  form.method = 'post';
  form.action = address;
  form.target = frame.name;
  form.hidden = true;
  for (const [name, value] of draft) {
    const field = document.createElement('textarea');
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
  form.remove();
}

function bindWidths(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-width]')) {
    button.addEventListener('click', () => {
      document.querySelector('#preview-card')?.classList.toggle('phone', button.dataset['width'] === 'phone');
      for (const other of document.querySelectorAll('[data-width]')) other.setAttribute('aria-pressed', String(other === button));
    });
  }
}
