// The fleet as a map: a square an agent, in order of registration, its colour the state, its bar or filling the share in use. Drawn
// on one canvas, so that ten thousand agents are no burden; the pointer and the arrow keys name the agent, Enter tells more.

import type { Fleet } from './api.ts';
import { byId, percent, plural } from './dom.ts';

const cellMax = 112;
const cellMin = 6;
/** From here on an agent's square has its name and a bar; smaller ones are filled. */
const labelFrom = 64;
const labelledHeight = 66;

export class FleetMap {
  private readonly canvas = byId<HTMLCanvasElement>('fleet-map');
  private readonly hint = byId('fleet-hint');
  private fleet: Fleet = { names: [], states: [], used: [], tasks: [], connected: [], total: 0 };
  /** Width and height of an agent's place, its gap included. */
  private cell = cellMax;
  private rowHeight = cellMax;
  private columns = 1;
  private selected = -1;

  constructor(open: (name: string) => void) {
    const { canvas } = this;
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement as Element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    canvas.addEventListener('pointermove', (event) => this.select(this.at(event)));
    canvas.addEventListener('pointerleave', () => this.select(-1));
    canvas.addEventListener('click', (event) => {
      const name = this.fleet.names[this.at(event)];
      if (name !== undefined) open(name);
    });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
      const name = this.fleet.names[this.selected];
      if (event.key === 'Enter' && name !== undefined) open(name);
      if (step === undefined) return;
      event.preventDefault();
      this.select(Math.min(this.fleet.names.length - 1, Math.max(0, this.selected + step)));
    });
  }

  show(fleet: Fleet): void {
    this.fleet = fleet;
    this.draw();
  }

  private draw(): void {
    const { canvas, fleet } = this;
    const width = canvas.parentElement?.clientWidth ?? 600;
    const agents = Math.max(1, fleet.names.length);
    // As large as fits into about half of the width in height.
    this.cell = Math.max(cellMin, Math.min(cellMax, Math.floor(Math.sqrt((width * width * 0.45) / agents))));
    this.columns = Math.max(1, Math.floor(width / this.cell));
    const isLabelled = this.cell - 4 >= labelFrom;
    // Words need width; what they leave is shared among the columns.
    if (isLabelled)
      this.cell = Math.min(cellMax * 1.6, Math.floor(width / Math.min(this.columns, Math.max(agents, 4))));
    this.rowHeight = isLabelled ? labelledHeight : this.cell;
    const height = Math.ceil(agents / this.columns) * this.rowHeight;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.setAttribute(
      'aria-label',
      `Map of ${plural(fleet.total, 'agent')}; arrow keys choose one, Enter tells more`,
    );
    const context = canvas.getContext('2d');
    if (context === null) return;
    context.scale(ratio, ratio);
    const colours = getComputedStyle(document.documentElement);
    const colour = (name: string): string => colours.getPropertyValue(`--${name}`).trim();
    const gap = this.cell > 20 ? 4 : this.cell > 10 ? 2 : 1;
    const side = this.cell - gap;
    const tall = this.rowHeight - gap;
    const palette = new Map<string, { readonly wash: string; readonly full: string }>();
    for (const state of ['starting', 'ready', 'busy', 'draining', 'suspect', 'dead'])
      palette.set(state, { wash: colour(`${state}-wash`), full: colour(state) });
    const ink = colour('ink');
    const soft = colour('ink-soft');
    for (let index = 0; index < fleet.names.length; index++) {
      const x = (index % this.columns) * this.cell;
      const y = Math.floor(index / this.columns) * this.rowHeight;
      const { wash, full } = palette.get(fleet.states[index] as string) ?? { wash: soft, full: soft };
      context.fillStyle = wash;
      box(context, x, y, side, tall, gap);
      const used = fleet.used[index] as number;
      const [left, top, length, height] = isLabelled
        ? [x + 6, y + tall - 12, side - 12, 6]
        : [x, y + tall * (1 - used), side, tall * used];
      if (isLabelled) {
        context.fillStyle = ink;
        context.font = '600 12px system-ui, sans-serif';
        context.textBaseline = 'top';
        context.fillText(fitted(context, fleet.names[index] as string, side - 12), x + 6, y + 8, side - 12);
        context.fillStyle = soft;
        context.font = '12px system-ui, sans-serif';
        const state = fleet.states[index] as string;
        const running = fleet.tasks[index] as number;
        const words = state !== 'ready' ? state : running > 0 ? plural(running, 'task') : 'idle';
        context.fillText(words, x + 6, y + 25, side - 12);
        context.fillStyle = colour('page');
        box(context, left, top, length, height, 3);
      }
      context.save();
      context.beginPath();
      if (isLabelled) context.rect(left, top, length * used, height);
      else context.rect(left, Math.min(top, y + tall * (7 / 8)), length, tall);
      context.clip();
      context.fillStyle = full;
      if (isLabelled) box(context, left, top, length, height, 3);
      else box(context, x, y, side, tall, gap);
      context.restore();
      if (index === this.selected) {
        context.strokeStyle = ink;
        context.lineWidth = 2;
        context.strokeRect(x + 1, y + 1, side - 2, tall - 2);
      }
    }
  }

  private at({ offsetX, offsetY }: MouseEvent): number {
    const column = Math.floor(offsetX / this.cell);
    const index = Math.floor(offsetY / this.rowHeight) * this.columns + column;
    return column < this.columns && index < this.fleet.names.length ? index : -1;
  }

  private select(index: number): void {
    if (index === this.selected) return;
    this.selected = index;
    const { names, states, used, tasks, connected, total } = this.fleet;
    if (index < 0)
      this.hint.textContent =
        total > names.length
          ? `The first ${names.length} of ${total} agents.`
          : 'Point at an agent, or click for more.';
    else {
      const link = connected[index] === true ? '' : ', no stream here';
      const share = percent(used[index] as number);
      this.hint.textContent = `${names[index]}: ${states[index]}${link}, ${plural(tasks[index] as number, 'task')}, ${share} in use`;
    }
    this.draw();
  }
}

function box(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`…${text.slice(-length)}`).width > width) length--;
  return `…${text.slice(-length)}`;
}
