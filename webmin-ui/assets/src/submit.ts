/** A select with data-submit sends its form at once; its button is for those without script. */
export function bindSelects(root: ParentNode): void {
  for (const select of root.querySelectorAll<HTMLSelectElement>('select[data-submit]')) {
    select.addEventListener('change', () => select.form?.requestSubmit());
  }
}
