// A column of values that repeat: a small number for each distinct value, so that a condition is tried once a value and looked
// up once a row. Values that nobody has any more are forgotten before they outnumber the rows.

import { grownIntegers } from './grown-column.ts';

/** Of rows that have no value. */
export const noValueCode = 0;

/** Values that nobody has may stay until there are so many more codes than rows. */
const slack = 64;

export class CodedColumn<Value extends string | number> {
  /** By row; rows past the end have {@link noValueCode}. */
  codes = new Int32Array(0);
  /** Rows up to the last that ever had a value. */
  length = 0;
  /** By code. Undefined for {@link noValueCode} alone. */
  private values: (Value | undefined)[] = [undefined];
  private readonly codeOfValue = new Map<Value, number>();

  /** `null`: none. */
  set(row: number, value: Value | null): void {
    if (value === null) {
      if (row < this.length) this.codes[row] = noValueCode;
      return;
    }
    if (row >= this.codes.length) this.codes = grownIntegers(this.codes, Math.max(64, 2 * (row + 1)));
    this.length = Math.max(this.length, row + 1);
    this.codes[row] = this.codeOf(value);
  }

  get(row: number): Value | null {
    return (row < this.length ? this.values[this.codes[row] as number] : undefined) ?? null;
  }

  /** What `judge` says of each value, by code: numbers from 0 to 65,535; `absent` for rows without one. */
  judged(judge: (value: Value) => number, absent: number): Uint16Array {
    return Uint16Array.from(this.values, (value) => (value === undefined ? absent : judge(value)));
  }

  /** By row, up to {@link length}. */
  toArray(): (Value | null)[] {
    return Array.from({ length: this.length }, (_, row) => this.get(row));
  }

  /** Takes over what {@link toArray} gave, into a column that is new. */
  restore(values: readonly (Value | null)[]): void {
    this.codes = new Int32Array(values.length);
    this.length = values.length;
    values.forEach((value, row) => {
      this.set(row, value);
    });
  }

  private codeOf(value: Value): number {
    const known = this.codeOfValue.get(value);
    if (known !== undefined) return known;
    if (this.values.length > 2 * this.length + slack) this.forgetUnused();
    const code = this.values.push(value) - 1;
    this.codeOfValue.set(value, code);
    return code;
  }

  private forgetUnused(): void {
    const { values } = this;
    this.values = [undefined];
    this.codeOfValue.clear();
    for (let row = 0; row < this.length; row++) {
      const value = values[this.codes[row] as number];
      this.codes[row] = value === undefined ? noValueCode : this.codeOf(value);
    }
  }
}
