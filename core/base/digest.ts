// A running digest over integers, floats and texts: two 32-bit multiply lanes, the second fed by the first, sensitive to
// order. It tells two runs apart at a few nanoseconds a value and allocates nothing; it is no cryptographic hash, and
// whoever wants to collide it can. The same values give the same digest on every machine.

// Scratch, not state: written before it is read, and nothing in it outlives a call.
const float = new Float64Array(1);
const words = new Int32Array(float.buffer);
/** Where the high word lies: 1 on a little-endian machine, 0 on a big-endian one. */
const highIndex = new Uint8Array(new Uint16Array([1]).buffer)[0];

/** State of a digest: the two lanes as signed 32-bit integers. */
export type DigestState = readonly [number, number];

export class Digest {
  private first = 0x243f6a88;
  private second = 0x05a308d3;

  /** Adds a 32-bit integer; what lies beyond 32 bits of `value` is dropped. */
  addInt32(value: number): void {
    const first = this.first;
    const mixed = Math.imul(first ^ value, 0x9e3779b1);
    this.first = (mixed << 13) | (mixed >>> 19);
    // The lanes rotate by different amounts, so that no pair of changes cancels in both.
    const other = Math.imul(this.second ^ value, 0x85ebca6b);
    this.second = (((other << 17) | (other >>> 15)) + first) | 0;
  }

  /** Adds any safe integer; −0 counts as 0. */
  addInteger(value: number): void {
    const low = value | 0;
    this.addInt32(low);
    if (low !== value) this.addInt32(Math.floor(value / 4294967296) ^ 0x5bd1e995);
  }

  /** Adds the exact bits of a double: −0 differs from 0; every NaN counts as the same. */
  addFloat(value: number): void {
    float[0] = value;
    let high = words[highIndex];
    let low = words[1 - highIndex];
    // The bits of a NaN are the one thing about a double that may differ between machines.
    if (Number.isNaN(value)) {
      high = 0x7ff80000;
      low = 0;
    }
    this.addInt32(high);
    this.addInt32(low);
  }

  /** Adds a text by its length and UTF-16 code units. */
  addText(text: string): void {
    const length = text.length;
    this.addInt32(length);
    let index = 0;
    for (; index + 1 < length; index += 2) this.addInt32((text.charCodeAt(index) << 16) | text.charCodeAt(index + 1));
    if (index < length) this.addInt32(text.charCodeAt(index));
  }

  /** Adds bytes by their length and content. */
  addBytes(bytes: Uint8Array): void {
    const length = bytes.length;
    this.addInteger(length);
    let index = 0;
    for (; index + 3 < length; index += 4) {
      this.addInt32(bytes[index] | (bytes[index + 1] << 8) | (bytes[index + 2] << 16) | (bytes[index + 3] << 24));
    }
    if (index < length) {
      let last = 0;
      for (; index < length; index++) last = (last << 8) | bytes[index];
      this.addInt32(last);
    }
  }

  /** The digest so far as 16 hexadecimal digits; more can be added afterwards. */
  toHex(): string {
    const [first, second] = this.words();
    return hex32(first) + hex32(second);
  }

  /** The same 64 bits as two signed 32-bit integers. */
  words(): readonly [number, number] {
    const first = finish(this.first ^ Math.imul(this.second, 0xc2b2ae35));
    return [first, finish(this.second ^ Math.imul(first, 0x27d4eb2f))];
  }

  save(): DigestState {
    return [this.first, this.second];
  }

  restore(state: DigestState): void {
    this.first = state[0] | 0;
    this.second = state[1] | 0;
  }
}

/** The finalizer of MurmurHash3 (Appleby): every bit of the input reaches every bit of the output. */
function finish(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
