import { ask } from './dialog';
import { t } from './words';

/** Keeps unsaved work: a form with data-guard that was changed must be saved, or left on purpose. */
export function bindGuard(): void {
  document.addEventListener('input', (event) => {
    const form = (event.target as Element).closest<HTMLFormElement>('form[data-guard]');
    if (form && !(event.target as Element).closest('[data-no-guard]')) mark(form);
  });
  window.addEventListener('beforeunload', (event) => {
    if (dirty()) event.preventDefault();
  });
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches('[data-guard]') && !(event as SubmitEvent).submitter?.hasAttribute('data-aside')) clear(form);
  }, true);
  // Sent, and not taken: the session had ended. What was typed is still unsaved.
  document.addEventListener('htmx:afterRequest', (event) => {
    const { elt, xhr } = (event as CustomEvent).detail as { elt: Element; xhr: XMLHttpRequest };
    if (xhr.status === 401 && elt.matches('form[data-guard]')) mark(elt as HTMLFormElement);
  });
  document.addEventListener('htmx:confirm', (event) => {
    const { elt, issueRequest, target } = (event as CustomEvent).detail as {
      elt: Element;
      target: Element;
      issueRequest: (skip: boolean) => void;
    };
    const form = dirty();
    if (!form || target?.id !== 'main' || elt === form || form.contains(elt)) return;
    // It holds what the page holds, and sends that on.
    if (elt.closest('[data-sends-on]')) return;
    event.preventDefault();
    // A form that keeps what was typed says so.
    const { guardQuestion, guardLeave } = form.dataset;
    const question = guardQuestion ?? t('This page has changes that are not saved. Leave without saving?');
    void ask(question, guardLeave ?? t('Leave without saving')).then((leave) => {
      if (!leave) return;
      clear(form);
      issueRequest(true);
    });
  });
}

export function mark(form: HTMLFormElement): void {
  form.dataset['dirty'] = '';
  form.querySelector('[data-dirty-mark]')?.removeAttribute('hidden');
}

function clear(form: HTMLFormElement): void {
  delete form.dataset['dirty'];
  form.querySelector('[data-dirty-mark]')?.setAttribute('hidden', '');
}

function dirty(): HTMLFormElement | null {
  return document.querySelector('form[data-guard][data-dirty]');
}
