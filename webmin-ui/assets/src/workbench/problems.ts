import { t } from '../words';
import type { Problem } from './server';

/** The list below a text: what is wrong with it and what may fail, each with its place; choosing one goes there. */
export function drawProblems(place: HTMLElement, path: string, problems: Problem[], warnings: Problem[], go: (problem: Problem) => void): void {
  const all: [Problem, 'bad' | 'warn'][] = [...problems.map((one) => [one, 'bad'] as [Problem, 'bad']), ...warnings.map((one) => [one, 'warn'] as [Problem, 'warn'])];
  place.hidden = all.length === 0;
  const list = document.createElement('ul');
  for (const [problem, tone] of all) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = tone;
    const sort = document.createElement('span');
    sort.className = 'strong';
    sort.textContent = tone === 'bad' ? t('Problem') : t('Warning');
    const text = document.createElement('span');
    text.className = 'grow';
    text.textContent = problem.message;
    const at = document.createElement('span');
    at.className = 'muted nowrap';
    at.textContent = where(path, problem);
    button.append(sort, text, at);
    button.addEventListener('click', () => go(problem));
    item.append(button);
    list.append(item);
  }
  place.replaceChildren(list);
}

function where(path: string, problem: Problem): string {
  if (!problem.line) return '';
  const at = t('Line {line}, column {column}', { line: problem.line, column: problem.column });
  return problem.file && problem.file !== path ? `${problem.file}: ${at}` : at;
}
