// How long each agent keeps its work once it has closed its connection, as it was told when it registered: a column, one row an
// agent. 0: until its lease ends.

import { grownFloats } from './grown-column.ts';

export class ConnectionGrace {
  private micros = new Float64Array(0);

  of(row: number): number {
    return this.micros[row] as number;
  }

  grow(rows: number): void {
    this.micros = grownFloats(this.micros, rows);
  }

  /** The agent is told as it registers. One that is `resumed` may have heard either answer: the longer time holds. */
  tell(row: number, micros: number, resumed: boolean): void {
    const former = resumed ? this.of(row) : micros;
    this.micros[row] = former === 0 || micros === 0 ? 0 : Math.max(former, micros);
  }

  /** Undefined if nobody has one. */
  save(rows: number): readonly number[] | undefined {
    const saved = Array.from(this.micros.subarray(0, rows));
    return saved.some((micros) => micros > 0) ? saved : undefined;
  }

  restore(saved: readonly number[] | undefined): void {
    this.micros.set(saved ?? []);
  }
}
