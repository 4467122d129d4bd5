import htmx from 'htmx.org';
import { say } from './toast';
import { t } from './words';

/** Confirmation pages are ordinary pages; with script they open in a dialog above the page that asked. */
export function bindDialogs(): void {
  const dialog = document.querySelector<HTMLDialogElement>('#dialog');
  const body = document.querySelector<HTMLElement>('#dialog-body');
  if (!dialog || !body) return;

  document.addEventListener('htmx:afterSwap', (event) => {
    if (event.target === body) {
      if (!dialog.open) dialog.showModal();
      entitle(body);
    } else if (dialog.open && (event.target as Element).id === 'main') {
      dialog.close();
    }
  });
  // A session that ended is noticed by what one does. What the page asks for by itself does not open the login, and never
  // takes away one that is being filled in.
  document.addEventListener('htmx:beforeOnLoad', (event) => {
    const { elt, xhr } = (event as CustomEvent<{ elt: Element; xhr: XMLHttpRequest }>).detail;
    const signingIn = dialog.open && body.querySelector('[name="in_place"]') && !body.contains(elt);
    if (xhr.status === 401 && (signingIn || elt.matches('.form-preview'))) event.preventDefault();
  });
  dialog.addEventListener('click', (event) => {
    const wantsOut = event.target === dialog || (event.target as Element).closest('[data-close]');
    if (!wantsOut) return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  }, true);
  dialog.addEventListener('close', () => body.replaceChildren());
  // The session had ended; whoever signed in again above the page goes on with what the page still holds.
  document.addEventListener('coronet:signed-in', () => {
    dialog.close();
    say(t('You are signed in again. Send what you typed once more.'), 'good');
  });
}

/** Shows a part of a page that the server sent to a request of our own, above the page. */
export function openDialog(html: string): void {
  const dialog = document.querySelector<HTMLDialogElement>('#dialog');
  const body = document.querySelector<HTMLElement>('#dialog-body');
  if (!dialog || !body) return;
  body.innerHTML = html;
  htmx.process(body);
  entitle(body);
  if (!dialog.open) dialog.showModal();
  body.querySelector<HTMLElement>('[autofocus]')?.focus();
}

/** A dialog is called what its page is called. */
function entitle(body: HTMLElement): void {
  const title = body.querySelector('h1');
  if (!title) return;
  title.id = 'dialog-title';
  title.removeAttribute('tabindex');
}

/** Asks a yes-or-no question in a dialog of our own; resolves to the answer. */
export function ask(question: string, yes: string): Promise<boolean> {
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog';
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'dialog-ask';
  const text = document.createElement('p');
  text.textContent = question;
  text.id = 'dialog-question';
  dialog.setAttribute('aria-labelledby', text.id);
  const foot = document.createElement('div');
  foot.className = 'form-foot';
  const stay = button(t('Stay here'), 'no', 'btn btn-quiet');
  stay.autofocus = true;
  foot.append(button(yes, 'yes', 'btn btn-danger'), stay);
  form.append(text, foot);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}

function button(label: string, value: string, className: string): HTMLButtonElement {
  const made = document.createElement('button');
  made.textContent = label;
  made.value = value;
  made.className = className;
  return made;
}
