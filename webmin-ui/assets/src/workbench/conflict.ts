import { localTimes } from '../time';
import { say } from '../toast';
import { t } from '../words';

export type Choice = 'mine' | 'theirs' | 'later';

/** Shows another's change beside one's own, drawn by the server, and asks what is to be done. */
export function resolve(part: string, mine: string): Promise<Choice> {
  const dialog = document.querySelector<HTMLDialogElement>('#conflict-dialog');
  const place = dialog?.querySelector<HTMLElement>('#conflict-part');
  if (!dialog || !place) return Promise.resolve('later');
  place.innerHTML = part;
  localTimes(place);
  const copy = dialog.querySelector<HTMLButtonElement>('[data-copy-mine]');
  if (copy) copy.onclick = () => void copied(mine);
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener('close', () => {
      place.replaceChildren();
      done(dialog.returnValue === 'mine' || dialog.returnValue === 'theirs' ? dialog.returnValue : 'later');
    }, { once: true });
  });
}

async function copied(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(t('Copied.'), 'good');
  } catch {
    say(t('The browser does not let the page copy. Choose "Go on editing", and copy it by hand.'), 'bad');
  }
}
