// JSON as far as a safetensors header goes (RFC 8259: objects, arrays, strings, whole numbers ≥ 0), read token by token from
// bytes. The caller asks for what must come next, so nesting is as deep as the caller's own code, a key that comes twice is
// seen, and every error says at which byte; JSON.parse offers none of the three.

import type { SiraError } from '../../base/errors.ts';
import { malformed } from './tensor-limits.ts';
import { malformedUtf8At, readUtf8 } from './utf8.ts';

const quote = 0x22;
const backslash = 0x5c;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

export class JsonScanner {
  at: number;
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private readonly format: string;

  constructor(bytes: Uint8Array, format: string, start: number, end: number) {
    this.bytes = bytes;
    this.format = format;
    this.at = start;
    this.end = end;
  }

  fail(what: string, byte = this.at): SiraError {
    return malformed(this.format, byte, what);
  }

  /** Steps over `symbol`, one ASCII character, and white space before it. */
  expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.fail(`${this.next()} where ${symbol} is due`);
  }

  /** As `expect`, but says whether it was there. */
  accept(symbol: string): boolean {
    this.skipSpace();
    if (this.at >= this.end || this.bytes[this.at] !== symbol.charCodeAt(0)) return false;
    this.at += 1;
    return true;
  }

  /** The members of an object: `member` reads the value of each. A key that comes twice is refused. */
  object(member: (key: string, keyAt: number) => void): void {
    this.expect('{');
    if (this.accept('}')) return;
    const seen = new Set<string>();
    do {
      this.skipSpace();
      const keyAt = this.at;
      const key = this.string();
      if (seen.has(key)) throw this.fail(`key ${quoteBriefly(key)} twice in one object`, keyAt);
      seen.add(key);
      this.expect(':');
      member(key, keyAt);
    } while (this.accept(','));
    this.expect('}');
  }

  /** The items of an array of whole numbers, at most `countMax`. */
  integers(countMax: number): number[] {
    const items: number[] = [];
    this.expect('[');
    if (this.accept(']')) return items;
    do {
      if (items.length === countMax) throw this.fail(`more than ${countMax} numbers`);
      items.push(this.integer());
    } while (this.accept(','));
    this.expect(']');
    return items;
  }

  /** A whole number from 0 to 2⁵³ − 1 in plain digits. */
  integer(): number {
    this.skipSpace();
    const start = this.at;
    let value = 0;
    for (; this.at < this.end; this.at++) {
      const digit = this.bytes[this.at] - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (!Number.isSafeInteger(value)) throw this.fail('a number above 2^53 − 1', start);
    }
    if (this.at === start) throw this.fail(`${this.next()} where a whole number ≥ 0 is due`);
    if (this.bytes[start] === 0x30 && this.at > start + 1) throw this.fail('a number with a leading zero', start);
    return value;
  }

  string(): string {
    this.expect('"');
    let text = '';
    let start = this.at;
    for (;;) {
      if (this.at >= this.end) throw this.fail('a string without end');
      const byte = this.bytes[this.at];
      if (byte < 0x20) throw this.fail('a control character in a string');
      if (byte === quote || byte === backslash) {
        text += this.plain(start);
        this.at += 1;
        if (byte === quote) return text;
        text += this.escape();
        start = this.at;
      } else this.at += 1;
    }
  }

  skipSpace(): void {
    while (this.at < this.end && isSpace(this.bytes[this.at])) this.at += 1;
  }

  private plain(start: number): string {
    const bytes = this.bytes.subarray(start, this.at);
    const wrong = malformedUtf8At(bytes);
    if (wrong >= 0) throw this.fail('a string that is not UTF-8', start + wrong);
    return readUtf8(bytes);
  }

  private escape(): string {
    const start = this.at - 1;
    const letter = String.fromCharCode(this.bytes[this.at] ?? 0);
    this.at += 1;
    if (letter !== 'u') {
      const text = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
      if (text === undefined || this.at > this.end) throw this.fail('an escape that JSON does not have', start);
      return text;
    }
    const unit = this.hexadecimal(start);
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const pairs = unit < 0xdc00 && this.bytes[this.at] === backslash && this.bytes[this.at + 1] === 0x75;
    if (pairs) this.at += 2;
    const low = pairs ? this.hexadecimal(start) : 0;
    if (low < 0xdc00 || low > 0xdfff) throw this.fail('half a surrogate pair', start);
    return String.fromCharCode(unit, low);
  }

  private hexadecimal(start: number): number {
    if (this.at + 4 > this.end) throw this.fail('an escape without end', start);
    const digits = String.fromCharCode(...this.bytes.subarray(this.at, this.at + 4));
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.fail('an escape without four hexadecimal digits', start);
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  /** The next byte, for messages. */
  private next(): string {
    if (this.at >= this.end) return 'the end';
    const byte = this.bytes[this.at];
    return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `byte 0x${byte.toString(16)}`;
  }
}

/** Foreign text for a message, cut where it would drown it. */
export function quoteBriefly(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
