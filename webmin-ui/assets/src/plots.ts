// Draws the plots of a page from the tables beside them, which say the same to everybody.
import uPlot from 'uplot';
import { locale } from './words';

/** To the right of a plot. */
const PADDING = 4;
const FONT = '11px Inter, system-ui, sans-serif';
type Values = (number | null)[];

interface Line {
  tone: string;
  kind: 'area' | 'bar' | 'line';
  place: HTMLElement;
}

const drawn = new Map<HTMLElement, Drawing>();
const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const minutes = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const days = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const moment = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** Draws every plot that is there, and forgets those that are gone. */
export function drawPlots(): void {
  for (const [card, drawing] of drawn) {
    if (card.isConnected) continue;
    drawing.end();
    drawn.delete(card);
  }
  for (const card of document.querySelectorAll<HTMLElement>('[data-plot]')) {
    const drawing = drawn.get(card) ?? new Drawing(card);
    drawn.set(card, drawing);
    drawing.draw();
  }
}

document.addEventListener('coronet:changed', drawPlots);
// The colours are those of the theme, whoever chose it.
new MutationObserver(colourAnew).observe(document.documentElement, { attributeFilter: ['data-theme'] });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', colourAnew);

function colourAnew(): void {
  for (const drawing of drawn.values()) drawing.forget();
  drawPlots();
}

class Drawing {
  private plot: uPlot | undefined;
  private readonly place: HTMLElement;
  private readonly watch: ResizeObserver;
  private readonly sight: IntersectionObserver;
  private seen = false;
  /** What is drawn, in words. */
  private shown: string | undefined;

  constructor(private readonly card: HTMLElement) {
    this.place = card.querySelector<HTMLElement>('[data-canvas]') ?? card;
    this.watch = new ResizeObserver(() => this.plot?.setSize(this.size()));
    this.watch.observe(this.place);
    // Drawn when somebody is about to see it.
    this.sight = new IntersectionObserver((entries) => {
      this.seen = entries.some((entry) => entry.isIntersecting);
      this.draw();
    }, { rootMargin: '200px' });
    this.sight.observe(card);
  }

  end(): void {
    this.watch.disconnect();
    this.sight.disconnect();
    this.forget();
  }

  forget(): void {
    this.shown = undefined;
    this.plot?.destroy();
    this.plot = undefined;
  }

  draw(): void {
    const words = [this.card.dataset['from'], this.card.dataset['until'], this.card.querySelector('tbody')?.textContent].join(' ');
    if (!this.seen || words === this.shown) return;
    this.shown = words;
    const lines = this.lines();
    const [times, ...columns] = this.read(lines.length);
    this.plot?.destroy();
    this.plot = undefined;
    this.card.classList.toggle('is-empty', columns.every((values) => values.every((value) => !value)));
    if (this.card.classList.contains('is-empty')) return;
    const order = layers(lines);
    const heights = stacked(columns, lines);
    const options = this.options(lines, order, columns, times ?? []);
    const data = [times ?? [], ...order.map((at) => heights[at] ?? [])];
    this.plot = new uPlot(options, data as uPlot.AlignedData, this.place);
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(this.place.clientWidth, 60), height: Math.max(this.place.clientHeight, 30) };
  }

  private lines(): Line[] {
    return [...this.card.querySelectorAll<HTMLElement>('.legend [data-kind]')].map((place) => ({
      tone: place.dataset['tone'] ?? 'accent',
      kind: (place.dataset['kind'] ?? 'line') as Line['kind'],
      place,
    }));
  }

  /** The table with the steps in which nothing happened put back. Seconds, then one column for each line. */
  private read(count: number): [number[], ...Values[]] {
    const number = (name: string): number => Number(this.card.dataset[name]);
    const [from, until, step] = [number('from') / 1000, number('until') / 1000, number('step')];
    const rows = new Map<number, Values>();
    for (const row of this.card.querySelectorAll<HTMLTableRowElement>('tbody tr')) {
      const at = Date.parse(row.querySelector('time')?.dateTime ?? '') / 1000;
      const cells = [...row.querySelectorAll<HTMLElement>('td.right')];
      rows.set(at, cells.map((cell) => (cell.dataset['value'] === undefined ? null : Number(cell.dataset['value']))));
    }
    const empty = this.card.dataset['unit'] === 'count' ? 0 : null;
    const times: number[] = [];
    for (let at = from; at < until; at += step) times.push(at);
    const column = (index: number): Values => times.map((at) => rows.get(at)?.[index] ?? empty);
    return [times, ...Array.from({ length: count }, (_, index) => column(index))];
  }

  private options(lines: Line[], order: number[], columns: Values[], times: number[]): uPlot.Options {
    const small = 'small' in this.card.dataset;
    const colour = colours(this.card);
    const unit = this.card.dataset['unit'] ?? 'count';
    const step = Number(this.card.dataset['step']);
    const highest = Math.max(1, ...columns.flat().map((value) => value ?? 0));
    const day = (times.at(-1) ?? 0) - (times[0] ?? 0) > 100_000;
    const axis = { stroke: colour('muted'), font: FONT, ticks: { show: false } };
    const grid = { stroke: colour('line'), width: 1 };
    return {
      ...this.size(),
      padding: small ? [4, 0, 2, 0] : [8, PADDING, 0, 0],
      legend: { show: false },
      cursor: { x: !small, y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
      scales: {
        x: { time: true, range: (_, low, high) => [low, high + (small ? 0 : step)] },
        y: { range: () => range(columns, lines, unit, highest) },
      },
      axes: small
        ? [{ show: false }, { show: false }]
        : [
            { ...axis, grid: { show: false }, size: 26, space: 64, values: (plot, splits) => splits.map((at) => inside(plot, at, clock(at, day))) },
            { ...axis, grid, size: (_, labels) => Math.max(36, 14 + Math.ceil(Math.max(0, ...(labels ?? []).map(width)))), space: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9], values: (_, splits) => splits.map((value) => number.format(value)) },
          ],
      series: [{}, ...order.flatMap((at) => (lines[at] ? [series(lines[at], colour)] : []))],
      hooks: { setCursor: [(plot) => this.tell(plot, lines, columns, times)] },
    };
  }

  /** The numbers above the plot are those of the step under the pointer. */
  private tell(plot: uPlot, lines: Line[], columns: Values[], times: number[]): void {
    const index = plot.cursor.left !== undefined && plot.cursor.left >= 0 ? plot.cursor.idx : null;
    const heading = this.card.querySelector<HTMLElement>('h3');
    for (const [at, line] of lines.entries()) {
      const value = line.place.querySelector<HTMLElement>('.legend-value');
      if (!value) continue;
      value.dataset['all'] ??= value.textContent ?? '';
      const shown = index === null || index === undefined ? undefined : columns[at]?.[index];
      value.textContent = shown === undefined ? value.dataset['all'] : words(shown, this.card.dataset['unit'] ?? '');
      if (shown === undefined) delete value.dataset['all'];
    }
    if (!heading) return;
    const time = index === null || index === undefined ? undefined : times[index];
    if (time === undefined) delete heading.dataset['at'];
    else heading.dataset['at'] = moment.format(new Date(time * 1000));
  }
}

/** What is drawn first lies below: areas, then the whole height of the bars, then what of it stands lower. */
function layers(lines: Line[]): number[] {
  const all = lines.map((_, at) => at);
  const isBar = (at: number): boolean => lines[at]?.kind === 'bar';
  return [...all.filter((at) => !isBar(at)), ...all.filter(isBar).reverse()];
}

/** Bars stand on each other; what came in and what is measured stands for itself. */
function stacked(columns: Values[], lines: Line[]): Values[] {
  const below: number[] = [];
  return columns.map((values, at) => {
    if (lines[at]?.kind !== 'bar') return values;
    return values.map((value, index) => (below[index] = (below[index] ?? 0) + (value ?? 0)));
  });
}

function range(columns: Values[], lines: Line[], unit: string, highest: number): [number, number] {
  if (unit === 'bytes') {
    const all = columns.flat().filter((value) => value !== null);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const room = Math.max((high - low) * 0.2, high * 0.02);
    return [Math.max(0, low - room), high + room];
  }
  const tops = stacked(columns, lines).flat().map((value) => value ?? 0);
  return [0, Math.max(unit === 'count' ? 4 : 1, highest, ...tops) * 1.08];
}

function series(line: Line, colour: (name: string) => string): uPlot.Series {
  const stroke = colour(line.tone);
  const points = { show: false };
  const fill = line.kind === 'bar' ? stroke : colour(`${line.tone}-soft`);
  const drawn: uPlot.Series = { stroke, fill, points, width: { bar: 0, area: 1.25, line: 1.5 }[line.kind] };
  const { bars, stepped } = uPlot.paths;
  if (line.kind === 'bar' && bars) drawn.paths = bars({ size: [0.62, 18], align: 1, radius: 0.15 });
  if (line.kind === 'area' && stepped) drawn.paths = stepped({ align: 1 });
  return drawn;
}

/** The tokens as this theme has them; a probe resolves what a custom property only names. */
function colours(card: HTMLElement): (name: string) => string {
  const probe = document.createElement('span');
  probe.hidden = true;
  card.append(probe);
  const found = new Map<string, string>();
  const look = (name: string): string => {
    probe.style.color = `var(--c-${name})`;
    return getComputedStyle(probe).color;
  };
  for (const name of ['accent', 'good', 'warn', 'bad', 'info', 'accent-soft', 'muted', 'line']) found.set(name, look(name));
  probe.remove();
  return (name) => found.get(name) ?? '';
}

const ruler = document.createElement('canvas').getContext('2d');

/** Pixels that a label takes. */
function width(label: string): number {
  if (!ruler) return 0;
  ruler.font = FONT;
  return ruler.measureText(label).width;
}

/** The label of a time, which is centred below it, unless the edge of the picture would cut it off. */
function inside(plot: uPlot, at: number, label: string): string {
  const box = plot.bbox.width / devicePixelRatio;
  const { min, max } = plot.scales['x'] ?? {};
  if (min == null || max == null || box <= 0) return label;
  const toTheRight = ((max - at) / (max - min)) * box + PADDING;
  return toTheRight >= width(label) / 2 ? label : '';
}

function clock(at: number, day: boolean): string {
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  return day && (midnight || date.getHours() % 12 !== 0) ? days.format(date) : midnight ? days.format(date) : minutes.format(date);
}

function words(value: number | null, unit: string): string {
  if (value === null) return '–';
  if (unit === 'ms') return value < 1000 ? `${value} ms` : `${number.format(value / 1000)} s`;
  if (unit !== 'bytes') return number.format(value);
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const at = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), units.length - 1);
  return `${number.format(value / 1024 ** at)} ${units[at]}`;
}
