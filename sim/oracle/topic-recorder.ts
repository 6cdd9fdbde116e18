// Remembers what the broker of the durable topics heard and said last, as rows of numbers, and tells on demand what concerns one
// group, topic or offset: the chain of events that a violation carries.

import { formatDuration } from '../../core/base/time.ts';

const width = 5;
export const nobody = -1;

export class TopicRecorder {
  private readonly rows: Float64Array;
  private readonly length: number;
  private count = 0;
  private readonly names: string[] = [];
  private readonly codes = new Map<string, number>();

  constructor(length = 2 ** 14) {
    this.length = length;
    this.rows = new Float64Array(length * width);
  }

  /** The number of a name, for {@link note}. */
  code(name: string): number {
    let code = this.codes.get(name);
    if (code === undefined) {
      code = this.names.length;
      this.names.push(name);
      this.codes.set(name, code);
    }
    return code;
  }

  /** `event` and `subject` are codes; `offset` and `detail` as the event has them. */
  note(timeMicros: number, event: number, subject: number, offset: number, detail: number): void {
    const at = (this.count++ & (this.length - 1)) * width;
    const { rows } = this;
    rows[at] = timeMicros;
    rows[at + 1] = event;
    rows[at + 2] = subject;
    rows[at + 3] = offset;
    rows[at + 4] = detail;
  }

  /** The last rows of `subject` (or of nobody, such as crashes) that are about `offset` or about none, oldest first. */
  chain(subject: number, offset: number, linesMax = 24): string[] {
    const lines: string[] = [];
    // What concerns the group as a whole is told only as far as there is room beside what concerns the offset.
    let general = offset >= 0 ? 6 : linesMax;
    const first = Math.max(0, this.count - this.length);
    for (let row = this.count - 1; row >= first && lines.length < linesMax; row--) {
      const at = (row & (this.length - 1)) * width;
      const [time, event, whom, where, detail] = this.rows.subarray(at, at + width);
      if (whom !== nobody && whom !== subject) continue;
      if (offset >= 0 && where !== offset && where !== nobody) continue;
      if (where === nobody && whom !== nobody && general-- <= 0) continue;
      const place = where === nobody ? '' : ` ${where}`;
      const name = whom === nobody ? '' : `${this.names[whom!]}: `;
      const more = detail === nobody ? '' : ` (${detail})`;
      lines.push(`${formatDuration(time!)}  ${name}${this.names[event!]}${place}${more}`);
    }
    return lines.reverse();
  }
}
