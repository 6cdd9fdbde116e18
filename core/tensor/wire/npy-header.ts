// The header of NumPy's .npy format: a Python dict literal of three keys. Read as exactly that literal and nothing more: no
// expression is evaluated, no pickle is ever read. Source: numpy/lib/format.py, format versions 1.0 to 3.0 (NEP 1).

import { ByteReader } from './byte-reader.ts';
import { quoteBriefly } from './json-scanner.ts';
import type { TensorLimits } from './tensor-limits.ts';
import { malformedUtf8At, readUtf8, utf8Length, writeUtf8 } from './utf8.ts';

export interface NpyHeader {
  /** NumPy's description of the type, such as `<f8`. */
  readonly description: string;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the description stands, for messages. */
  readonly descriptionAt: number;
  /** Where the elements begin. */
  readonly payloadOffset: number;
}

const magic: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
export const npyFormat = 'npy';
/** Elements begin at a multiple of this many bytes. */
const alignment = 64;
/** NumPy leaves room for the first axis to grow to this many digits. */
const growthDigits = 21;

/** SIRA_TENSOR_INVALID, with the byte, for anything that numpy.save did not write. */
export function readNpyHeader(bytes: Uint8Array, limits: TensorLimits): NpyHeader {
  const reader = new ByteReader(bytes, npyFormat);
  const found = reader.take(magic.length, 'magic');
  if (magic.some((byte, index) => found[index] !== byte)) throw reader.fail('no .npy file: the magic is missing', 0);
  const major = reader.u8('version');
  const minor = reader.u8('version');
  if (major < 1 || major > 3 || minor !== 0) throw reader.fail(`version ${major}.${minor}; 1.0 to 3.0 are known`, 6);
  const lengthAt = reader.at;
  const length = major === 1 ? reader.u16('header length') : reader.u32('header length');
  if (length > limits.headerBytesMax)
    throw reader.fail(`a header of ${length} bytes; the limit is ${limits.headerBytesMax}`, lengthAt);
  const start = reader.at;
  const text = headerText(reader.take(length, 'header'), major, reader, start);
  const literal = new LiteralScanner(text, reader, start, limits);
  return { ...literal.header(), payloadOffset: start + length };
}

/** Latin-1 up to version 2, UTF-8 in 3. Positions in the text are byte positions: what is read is ASCII. */
function headerText(bytes: Uint8Array, major: number, reader: ByteReader, start: number): string {
  const wide = bytes.findIndex((byte) => byte >= 0x80);
  if (wide < 0) return readUtf8(bytes);
  const wrong = major === 3 ? malformedUtf8At(bytes) : -1;
  if (wrong >= 0) throw reader.fail('a header that is not UTF-8', start + wrong);
  throw reader.fail('a name outside ASCII, which only types with fields have; those are refused', start + wide);
}

/** One pass over `{'descr': …, 'fortran_order': …, 'shape': (…), }`. */
class LiteralScanner {
  private at = 0;
  private readonly text: string;
  private readonly reader: ByteReader;
  private readonly start: number;
  private readonly limits: TensorLimits;

  constructor(text: string, reader: ByteReader, start: number, limits: TensorLimits) {
    this.text = text;
    this.reader = reader;
    this.start = start;
    this.limits = limits;
  }

  header(): Omit<NpyHeader, 'payloadOffset'> {
    let description: string | undefined;
    let isFortranOrder: boolean | undefined;
    let shape: number[] | undefined;
    let descriptionAt = 0;
    this.expect('{');
    while (!this.accept('}')) {
      const keyAt = this.skipSpace();
      const key = this.string();
      this.expect(':');
      if (key === 'descr' && description === undefined) {
        descriptionAt = this.start + this.skipSpace();
        if (this.text[this.at] === '[' || this.text[this.at] === '(')
          throw this.fail('a type with fields or a sub-array; only plain elements make a tensor');
        description = this.string();
      } else if (key === 'fortran_order' && isFortranOrder === undefined) isFortranOrder = this.boolean();
      else if (key === 'shape' && shape === undefined) shape = this.tuple();
      else throw this.fail(`key ${quoteBriefly(key)} is unknown or comes twice`, keyAt);
      if (!this.accept(',')) {
        this.expect('}');
        break;
      }
    }
    this.skipSpace();
    if (this.at !== this.text.length) throw this.fail('something after the header’s dict');
    if (description === undefined || isFortranOrder === undefined || shape === undefined)
      throw this.fail('descr, fortran_order or shape is missing', 0);
    return { description, isFortranOrder, shape, descriptionAt };
  }

  private fail(what: string, at = this.at): Error {
    return this.reader.fail(what, this.start + at);
  }

  private skipSpace(): number {
    while (this.at < this.text.length && ' \t\n\r\f'.includes(this.text[this.at]!)) this.at += 1;
    return this.at;
  }

  private accept(symbol: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  private expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.fail(`${symbol} is due here`);
  }

  private string(): string {
    const quote = this.accept("'") ? "'" : '"';
    if (quote === '"') this.expect('"');
    const end = this.text.indexOf(quote, this.at);
    if (end < 0) throw this.fail('a string without end');
    const value = this.text.slice(this.at, end);
    if (value.length > 60 || /[\\\n\r]/.test(value))
      throw this.fail('an escape, a line break, or more than a name or type in a string');
    this.at = end + 1;
    return value;
  }

  private boolean(): boolean {
    if (this.accept('True')) return true;
    this.expect('False');
    return false;
  }

  /** `()`, `(4,)`, `(2, 3)`; Python 2 wrote `4L`. */
  private tuple(): number[] {
    const extents: number[] = [];
    this.expect('(');
    let isClosed = this.accept(')');
    while (!isClosed) {
      const begin = this.skipSpace();
      // A bound on the digits: a longer number would be refused anyway.
      const digits = /^\d{1,17}/.exec(this.text.slice(begin, begin + 17))?.[0];
      if (digits === undefined) throw this.fail('an extent that is no whole number ≥ 0');
      this.at += digits.length;
      const extent = Number(digits);
      if (!Number.isSafeInteger(extent)) throw this.fail('an extent above 2^53 − 1', begin);
      if (extents.length === this.limits.rankMax) throw this.fail(`more than ${this.limits.rankMax} axes`, begin);
      if (this.text[this.at] === 'L') this.at += 1;
      extents.push(extent);
      const hasComma = this.accept(',');
      isClosed = this.accept(')');
      if (!isClosed && !hasComma) throw this.fail(', or ) is due here');
      // Without a comma it is a number in brackets, no tuple.
      if (isClosed && !hasComma && extents.length === 1) throw this.fail('a shape that is no tuple', begin);
    }
    return extents;
  }
}

/** The header that numpy.save writes for a row-major array, version 1.0. */
export function writeNpyHeader(description: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const growth = shape.length === 0 ? 0 : growthDigits - String(shape[0]).length;
  const text = dict + ' '.repeat(growth);
  // 32 axes of 16 digits are far below the 65,535 bytes that version 1.0 holds.
  const used = magic.length + 4 + utf8Length(text) + 1;
  const total = Math.ceil(used / alignment) * alignment;
  const bytes = new Uint8Array(total).fill(0x20);
  bytes.set(magic);
  bytes[6] = 1;
  bytes[7] = 0;
  new DataView(bytes.buffer).setUint16(8, total - 10, true);
  writeUtf8(text, bytes, 10);
  bytes[total - 1] = 0x0a;
  return bytes;
}
