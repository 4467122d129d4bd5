const found = document.querySelector<HTMLMetaElement>('meta[name="texts"]')?.content;
const texts: Record<string, string> = found ? (JSON.parse(found) as Record<string, string>) : {};

/** A text of the script in the language of the page, its `{names}` filled in. The catalogue's part is `locales/<tag>/script.toml`. */
export function t(source: string, values: Record<string, string | number> = {}): string {
  const text = texts[source] ?? source;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** For `Intl`: English dates are written as in the rest of the webmin, day first. */
export const locale = document.documentElement.lang.startsWith('en') ? 'en-GB' : document.documentElement.lang;
