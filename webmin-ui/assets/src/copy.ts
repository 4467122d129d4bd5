import { t } from './words';

/** A button with data-copy="#id" copies that element's text and says so. */
export function bindCopy(): void {
  document.addEventListener('click', async (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-copy]') : null;
    const source = button && document.querySelector(button.dataset['copy'] ?? '');
    const label = button?.querySelector('[data-label]');
    if (!button || !source || !label) return;
    await navigator.clipboard.writeText(source.textContent?.trim() ?? '');
    const before = label.textContent;
    label.textContent = t('Copied');
    setTimeout(() => (label.textContent = before), 1_500);
  });
}
