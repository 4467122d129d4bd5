/** Usual values of a field: the one that is chosen is typed for the operator. Without script the server does that. */
export function bindPresets(): void {
  document.addEventListener('change', (event) => {
    const choice = event.target as HTMLSelectElement;
    const id = choice.dataset?.['preset'];
    const field = id && choice.value ? document.querySelector<HTMLInputElement>(`#${CSS.escape(id)}`) : null;
    if (!field) return;
    field.value = choice.value;
    choice.value = '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}
