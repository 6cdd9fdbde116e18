// Numbers, texts and plain data as bytes, exactly: every double keeps its bits (−0, infinities), every text its code units,
// lone surrogates included. Small integers take one byte, columns of integers one pair per run of equal steps, so that an
// unchanged fleet's heartbeats take a few bytes. A reader of malformed bytes never throws and allocates no more than it was
// given bytes for, integers in runs excepted, which are bounded; it notes a fault and returns zeros.

import { assert } from './assert.ts';

// The first byte of a number: itself up to 199; then bytes that follow, least significant first, of it or its negative.
const directMax = 199;
const positive = 200;
const negative = 208;
const asDouble = 216;

/** The tags of plain data. */
const tag = { undefined: 0, null: 1, false: 2, true: 3, number: 4, text: 5, list: 6, object: 7 } as const;

/** Plain data deeper than this is refused. */
const depthMax = 100;
/** Integers in one column at most. */
export const integersMax = 1 << 22;

export class PackedWriter {
  private bytes: Uint8Array = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private end = 0;

  /** What was written; valid until the next call. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.end);
  }

  clear(): void {
    this.end = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.end++] = value;
  }

  number(value: number): void {
    this.reserve(9);
    const { bytes } = this;
    if (value >= 0 && value <= directMax && Math.floor(value) === value && !Object.is(value, -0)) {
      bytes[this.end++] = value;
    } else if (Number.isSafeInteger(value) && value !== 0) {
      const at = this.end++;
      let rest = Math.abs(value);
      for (; rest > 0; rest = Math.floor(rest / 256)) bytes[this.end++] = rest % 256;
      bytes[at] = (value > 0 ? positive : negative) + this.end - at - 1;
    } else {
      bytes[this.end] = asDouble;
      this.view.setFloat64(this.end + 1, value, true);
      this.end += 9;
    }
  }

  /** Its length, doubled, plus 1 if it needs two bytes a unit; then its UTF-16 code units. */
  text(value: string): void {
    const { length } = value;
    let isWide = false;
    for (let index = 0; index < length && !isWide; index++) isWide = value.charCodeAt(index) > 255;
    this.number(length * 2 + (isWide ? 1 : 0));
    this.reserve(2 * length);
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index);
      this.bytes[this.end++] = unit;
      if (isWide) this.bytes[this.end++] = unit >>> 8;
    }
  }

  /** Bytes as they are, without their length. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** The first `count` of a column: pairs of a step and how often it is taken. */
  integers(values: Int32Array, count: number): void {
    assert(count <= values.length && count <= integersMax, 'a column has its count');
    this.number(count);
    let last = 0;
    for (let index = 0; index < count; ) {
      const step = (values[index] as number) - last;
      let run = 0;
      while (index < count && (values[index] as number) - last === step) {
        last = values[index++] as number;
        run++;
      }
      this.number(step);
      this.number(run);
    }
  }

  /** Plain data: what JSON carries, with exact numbers and `undefined`; any list of numbers counts as a list. */
  value(value: unknown, depth = 0): void {
    assert(depth <= depthMax, 'plain data is not that deep');
    switch (typeof value) {
      case 'undefined':
        this.byte(tag.undefined);
        return;
      case 'boolean':
        this.byte(value ? tag.true : tag.false);
        return;
      case 'number':
        this.byte(tag.number);
        this.number(value);
        return;
      case 'string':
        this.byte(tag.text);
        this.text(value);
        return;
      case 'object': {
        if (value === null) {
          this.byte(tag.null);
        } else if (Array.isArray(value) || ArrayBuffer.isView(value)) {
          const list = value as ArrayLike<unknown>;
          this.byte(tag.list);
          this.number(list.length);
          for (let index = 0; index < list.length; index++) this.value(list[index], depth + 1);
        } else {
          const entries = Object.entries(value);
          this.byte(tag.object);
          this.number(entries.length);
          for (const [key, part] of entries) {
            this.text(key);
            this.value(part, depth + 1);
          }
        }
        return;
      }
      default:
        assert(false, 'inputs are plain data');
    }
  }

  private reserve(length: number): void {
    if (this.end + length <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.end + length, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

export class PackedReader {
  /** What is wrong, `undefined` if nothing is so far. */
  fault: string | undefined;
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  byte(): number {
    if (this.at >= this.bytes.length) return this.fail('it ends too early');
    return this.bytes[this.at++] as number;
  }

  number(): number {
    const first = this.byte();
    if (first <= directMax) return first;
    if (first === asDouble) {
      if (this.at + 8 > this.bytes.length) return this.fail('it ends too early');
      const { buffer, byteOffset } = this.bytes;
      this.at += 8;
      return new DataView(buffer, byteOffset + this.at - 8, 8).getFloat64(0, true);
    }
    const isNegative = first > negative;
    const length = first - (isNegative ? negative : positive);
    if (length < 1 || length > 7) return this.fail(`${first} begins no number`);
    let value = 0;
    for (let place = 0, scale = 1; place < length; place++, scale *= 256) value += this.byte() * scale;
    if (!Number.isSafeInteger(value)) return this.fail('an integer is too large');
    return isNegative ? -value : value;
  }

  /** A number of things that take at least `bytesEach` bytes. */
  length(bytesEach = 1): number {
    const length = this.number();
    const isPossible = Number.isSafeInteger(length) && length >= 0 && length * bytesEach <= this.bytes.length - this.at;
    return isPossible ? length : this.fail(`${length} is no length here`);
  }

  text(): string {
    const stored = this.number();
    const isWide = stored % 2 === 1;
    const length = Math.floor(stored / 2);
    const unitBytes = isWide ? 2 : 1;
    if (!(length >= 0 && this.at + length * unitBytes <= this.bytes.length)) {
      this.fail(`${stored} is no length here`);
      return '';
    }
    let text = '';
    for (let index = 0; index < length; index++) {
      const low = this.bytes[this.at++] as number;
      text += String.fromCharCode(isWide ? low | ((this.bytes[this.at++] as number) << 8) : low);
    }
    return text;
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    if (!(length >= 0 && this.at + length <= this.bytes.length)) {
      this.fail(`${length} is no length here`);
      return this.bytes.subarray(0, 0);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.raw(this.bytes.length - this.at);
  }

  integers(): Int32Array {
    const count = this.number();
    if (!(Number.isSafeInteger(count) && count >= 0 && count <= integersMax)) this.fail(`${count} is no length here`);
    if (this.fault !== undefined) return new Int32Array(0);
    const values = new Int32Array(count);
    let last = 0;
    for (let index = 0; index < count; ) {
      const step = this.number();
      const run = this.number();
      if (!(Number.isSafeInteger(step) && Number.isSafeInteger(run) && run >= 1 && run <= count - index))
        this.fail('a run does not fit its column');
      if (this.fault !== undefined) return values;
      for (let end = index + run; index < end; index++) {
        last += step;
        values[index] = last;
        if (values[index] !== last) this.fail('an integer has more than 32 bits');
      }
    }
    return values;
  }

  value(depth = 0): unknown {
    if (depth > depthMax) return this.fail('it is too deep');
    const kind = this.byte();
    switch (kind) {
      case tag.undefined:
        return undefined;
      case tag.null:
        return null;
      case tag.false:
      case tag.true:
        return kind === tag.true;
      case tag.number:
        return this.number();
      case tag.text:
        return this.text();
      case tag.list: {
        const list: unknown[] = [];
        for (let left = this.length(); left > 0 && this.fault === undefined; left--) list.push(this.value(depth + 1));
        return list;
      }
      case tag.object: {
        const entries: [string, unknown][] = [];
        for (let left = this.length(2); left > 0 && this.fault === undefined; left--)
          entries.push([this.text(), this.value(depth + 1)]);
        // Unlike an assignment, this takes a key such as `__proto__` for a key.
        return Object.fromEntries(entries);
      }
      default:
        return this.fail(`${kind} begins nothing`);
    }
  }

  fail(what: string): 0 {
    this.fault ??= `${what}, byte ${this.at}`;
    return 0;
  }
}
