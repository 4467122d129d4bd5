import { locale, t } from './words';

const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** "5 minutes ago", "in 2 hours"; beyond a week the date says more. */
function fromNow(then: Date, now: number): string {
  const seconds = Math.round((then.getTime() - now) / 1000);
  if (Math.abs(seconds) > 7 * 86_400) return exact.format(then);
  if (Math.abs(seconds) < 5) return t('just now');
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** Shows the server's UTC times in the viewer's own zone; hovering tells the full form. */
export function localTimes(root: ParentNode): void {
  const now = Date.now();
  for (const element of root.querySelectorAll<HTMLTimeElement>('time[datetime]')) {
    const then = new Date(element.dateTime);
    if (Number.isNaN(then.getTime())) continue;
    element.textContent = element.hasAttribute('data-ago') ? fromNow(then, now) : exact.format(then);
    element.title = full.format(then);
  }
}

setInterval(() => localTimes(document), 20_000);
