import { say } from '../toast';
import { post, Refused, type Done } from './server';

const KEY = 'coronet.send-to';

/** *Send to me*: asks where to, once, and hands what is typed to the outbox. */
export function bindSend(root: HTMLElement, address: string, draft: () => Record<string, string>): void {
  const dialog = document.querySelector<HTMLDialogElement>('#send-dialog');
  const form = dialog?.querySelector('form');
  const to = dialog?.querySelector<HTMLInputElement>('#send-to');
  const subject = dialog?.querySelector<HTMLInputElement>('#send-subject');
  const problem = dialog?.querySelector<HTMLElement>('#send-problem');
  if (!dialog || !form || !to || !subject || !problem) return;
  root.querySelector('[data-send]')?.addEventListener('click', () => {
    to.value ||= localStorage.getItem(KEY) ?? '';
    problem.hidden = true;
    dialog.showModal();
    to.select();
  });
  form.addEventListener('submit', (event) => {
    if ((event.submitter as HTMLButtonElement | null)?.value !== 'send') return;
    event.preventDefault();
    void send();
  });

  async function send(): Promise<void> {
    if (!to || !subject || !problem || !dialog) return;
    try {
      const done = await post<Done>(address, { ...draft(), to: to.value, subject: subject.value });
      if (done.ok) {
        localStorage.setItem(KEY, to.value);
        dialog.close();
        say(done.word, 'good', done.link ?? undefined);
        return;
      }
      problem.textContent = done.word;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      problem.textContent = error.message;
    }
    problem.hidden = problem.textContent === '';
  }
}
