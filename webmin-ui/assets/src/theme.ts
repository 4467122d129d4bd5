/** The theme form works without script; with it the change shows at once. */
export function bindTheme(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches('[data-theme-form]')) return;
    const chosen = new FormData(form, (event as SubmitEvent).submitter).get('theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
    else delete document.documentElement.dataset['theme'];
  }, true);
}
