import { t } from './words';

/** A password field gets a button that shows what is typed. */
export function bindReveal(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>('button[data-reveal]')) {
    const field = document.querySelector<HTMLInputElement>(button.dataset['reveal'] ?? '');
    if (!field) continue;
    button.addEventListener('click', () => {
      const shown = field.type === 'text';
      field.type = shown ? 'password' : 'text';
      button.textContent = shown ? t('Show') : t('Hide');
      button.setAttribute('aria-pressed', String(!shown));
    });
  }
}
