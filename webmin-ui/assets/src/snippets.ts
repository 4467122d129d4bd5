/** On a function's page the snippets follow what is typed into its form. */
export function bindSnippets(root: ParentNode): void {
  const place = root.querySelector<HTMLElement>('#snippets[data-address]');
  const form = root.querySelector<HTMLFormElement>('[aria-labelledby="try"] form');
  if (!place || !form) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;
  const look = async (): Promise<void> => {
    asked?.abort();
    asked = new AbortController();
    const typed = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === 'string') typed.append(name, value);
    try {
      const answer = await fetch(place.dataset['address'] ?? '', { method: 'POST', body: typed, signal: asked.signal });
      // Half a value is no mistake yet: the snippets stay as they were.
      if (answer.ok) place.innerHTML = await answer.text();
    } catch (error) {
      if (error instanceof TypeError || (error instanceof DOMException && error.name === 'AbortError')) return;
      throw error;
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), 300);
  });
}
