// The sparse index of one segment: every so many bytes the offset, time and position of a record, so that a read by offset or
// time begins at most that many bytes before its goal. It is a help, not a truth: whoever follows it checks the records.

import { getUint32, getUint64, setUint32, setUint64 } from './record.ts';

const entryBytes = 24;

export class SegmentIndex {
  readonly everyBytes: number;
  private readonly offsets: number[] = [];
  private readonly times: number[] = [];
  private readonly positions: number[] = [];

  constructor(everyBytes: number) {
    this.everyBytes = everyBytes;
  }

  get length(): number {
    return this.offsets.length;
  }

  /** Told of every record, in order; keeps those that lie far enough behind the last kept. */
  add(offset: number, timeMicros: number, position: number): void {
    const last = this.positions.at(-1);
    if (last !== undefined && position - last < this.everyBytes) return;
    this.offsets.push(offset);
    this.times.push(timeMicros);
    this.positions.push(position);
  }

  /** Where to begin to find `offset`: at a record with an offset not above it. `otherwise` if the index has none. */
  positionOfOffset(offset: number, otherwise: number): number {
    const at = countBelow(this.offsets, offset + 1) - 1;
    return at < 0 ? otherwise : this.positions[at]!;
  }

  /** Where to begin to find the first record of `timeMicros` or later: at one that is earlier. `otherwise` if the index has none. */
  positionOfTime(timeMicros: number, otherwise: number): number {
    const at = countBelow(this.times, timeMicros) - 1;
    return at < 0 ? otherwise : this.positions[at]!;
  }

  /** The body of an index record. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(8 + this.length * entryBytes);
    setUint32(bytes, 0, this.length);
    setUint32(bytes, 4, this.everyBytes);
    for (let at = 0, to = 8; at < this.length; at++, to += entryBytes) {
      setUint64(bytes, to, this.offsets[at]!);
      setUint64(bytes, to + 8, this.times[at]!);
      setUint64(bytes, to + 16, this.positions[at]!);
    }
    return bytes;
  }

  /** Reads back what {@link encode} made; `undefined` if the bytes cannot be that. */
  static decode(bytes: Uint8Array): SegmentIndex | undefined {
    if (bytes.length < 8 || bytes.length !== 8 + getUint32(bytes, 0) * entryBytes) return undefined;
    const index = new SegmentIndex(getUint32(bytes, 4));
    for (let at = 8; at < bytes.length; at += entryBytes) {
      index.offsets.push(getUint64(bytes, at));
      index.times.push(getUint64(bytes, at + 8));
      index.positions.push(getUint64(bytes, at + 16));
    }
    return index;
  }
}

/** How many of the rising `values` are below `bound`. */
function countBelow(values: readonly number[], bound: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
