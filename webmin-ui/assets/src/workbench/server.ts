import { openDialog } from '../dialog';
import { BACKGROUND } from '../refresh';
import { say } from '../toast';
import { t } from '../words';

export type Kind = 'mail' | 'mail-html' | 'page-template' | 'page' | 'job' | 'document' | 'plain' | 'picture';

export interface Problem {
  file: string;
  line: number;
  column: number;
  message: string;
}

/** A text as the server has it. */
export interface FileData {
  path: string;
  name: string;
  layer: string;
  revision: number;
  kind: Kind;
  language: string;
  sample: string;
  warnings: Problem[];
  can_edit: boolean;
  /** Finished HTML: what stands above the text, and beside it when there is no preview. */
  bar: string;
  beside: string;
  text?: string;
}

/** What a draft becomes, and what is wrong with it. */
export interface Look {
  problems: Problem[];
  warnings: Problem[];
  text: string | null;
  html: string | null;
  answer: { status: number; headers: [string, string][]; log: string; calls: { function: string; answered: string }[] } | null;
  sample: string | null;
  sample_problem: string | null;
}

export type Saved =
  | { outcome: 'saved'; word: string; file: FileData }
  | { outcome: 'refused'; word: string; problems: Problem[] }
  | { outcome: 'conflict'; part: string; theirs: string; file: FileData };

export interface Done {
  ok: boolean;
  word: string;
  link: { href: string; label: string } | null;
}

/** Somebody else who has a text open, and what is live now. */
export interface Seen {
  path: string;
  layer: string | null;
  revision: number;
  author?: string;
  others: { operator: string; own: boolean; unsaved: boolean; typing: boolean; since: number }[];
}

/** The server's answer was no answer to use; the message is for the operator. */
export class Refused extends Error {
  constructor(message: string, readonly status = 0) {
    super(message);
  }
}

interface Options {
  signal?: AbortSignal;
  /** A request nobody waits for does not ask to sign in. */
  quiet?: boolean;
  /** A request nobody made by hand is no use of the session. */
  background?: boolean;
}

export async function get<T>(address: string): Promise<T> {
  // Whoever signs in goes on with what was asked, and this is no page: the words alone have to do.
  return read<T>(await send(address, { headers: { Accept: 'application/json' } }), true);
}

export async function post<T>(address: string, fields: Record<string, string>, options: Options = {}): Promise<T> {
  const headers = { 'HX-Request': 'true', ...(options.background ? BACKGROUND : {}) };
  const request: RequestInit = { method: 'POST', body: new URLSearchParams(fields), headers };
  if (options.signal) request.signal = options.signal;
  return read<T>(await send(address, request), options.quiet ?? false);
}

/** The lines of an answer, each JSON, as they come. Empty lines only say that the server is there. */
export async function* stream<T>(address: string, fields: Record<string, string>, signal: AbortSignal): AsyncGenerator<T> {
  const request = { method: 'POST', body: new URLSearchParams(fields), headers: { 'HX-Request': 'true' }, signal };
  const answer = await send(address, request);
  if (!answer.ok || !answer.body) {
    await read<never>(answer, false);
    return;
  }
  let rest = '';
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) yield JSON.parse(line) as T;
  }
}

async function send(address: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(address, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refused(t('The server did not answer. Check the connection and try again.'));
  }
}

async function read<T>(answer: Response, quiet: boolean): Promise<T> {
  if (answer.ok) return (await answer.json()) as T;
  const html = await answer.text();
  if (answer.status === 401) {
    // A refused write brings the form to sign in above the page: nothing that was typed goes.
    if (!quiet && html) {
      openDialog(html);
      throw new Refused('', answer.status);
    }
    throw new Refused(t('Your session has ended. Sign in again; what you typed is still here.'), answer.status);
  }
  const words = new DOMParser().parseFromString(html, 'text/html').querySelectorAll('.empty h1, .empty p');
  throw new Refused([...words].map((word) => word.textContent ?? '').join(' ') || String(answer.status), answer.status);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Says what was refused, unless the page asks to sign in, which says it already. */
export function complain(error: unknown): void {
  if (!(error instanceof Refused)) throw error;
  if (error.message) say(error.message, 'bad');
}
