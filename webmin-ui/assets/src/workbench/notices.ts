import { t } from '../words';
import type { Tab } from './tabs';

export interface NoticeActs {
  discard: () => void;
  compare: () => void;
}

/** What stays true of a text until somebody acts: others who have it open, a newer revision, a draft from before. */
export function drawNotices(place: HTMLElement, tab: Tab, acts: NoticeActs): void {
  const notices: HTMLElement[] = [];
  const { seen } = tab;
  if (seen && isStale(tab)) {
    const text = seen.author
      ? t('{author} saved revision {revision} of this text while you were typing.', { author: seen.author, revision: seen.revision })
      : t('This text was dropped to the layer below while you were typing.');
    notices.push(notice('warn', text, [t('What changed'), acts.compare]));
  }
  const others = (seen?.others ?? []).filter((other) => !other.own);
  if (others.length > 0) {
    const names = [...new Set(others.map((other) => other.operator))].join(', ');
    notices.push(notice('info', others.some((other) => other.typing) ? t('{names} is changing this text right now.', { names })
      : others.some((other) => other.unsaved) ? t('{names} has changed this text without saving it, and is not typing now.', { names })
      : t('{names} has this text open, too.', { names })));
  } else if ((seen?.others ?? []).length > 0) {
    notices.push(notice('info', t('You have this text open in another window, too.')));
  }
  if (tab.restored && tab.unsaved) {
    notices.push(notice('info', t('What you typed before, and did not save, is back.'), [t('Discard it'), acts.discard]));
  }
  // Said again to screen readers only when it is something new.
  const said = notices.map((one) => one.textContent).join('|');
  if (place.dataset['said'] === `${tab.path}|${said}`) return;
  place.dataset['said'] = `${tab.path}|${said}`;
  place.replaceChildren(...notices);
}

/** Whether the text was made from another revision than the one that is live. */
export function isStale(tab: Tab): boolean {
  return !!tab.seen && !!tab.file && tab.seen.layer !== null && tab.seen.revision !== tab.revision;
}

function notice(tone: string, text: string, act?: [string, () => void]): HTMLElement {
  const box = document.createElement('div');
  box.className = `notice ${tone}`;
  const words = document.createElement('div');
  words.textContent = text;
  box.append(words);
  if (act) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn btn-sm';
    button.textContent = act[0];
    button.addEventListener('click', act[1]);
    box.append(button);
  }
  return box;
}
