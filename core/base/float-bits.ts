// Bit access to doubles for the fixed mathematics and the digest: the high word, the low word, and powers of two built
// from their exponent. What is exact here is exact on every machine, whatever its byte order.

// Scratch, not state: every function writes it before it reads it, and nothing it holds outlives a call.
const buffer = new ArrayBuffer(8);
const float = new Float64Array(buffer);
const words = new Int32Array(buffer);
/** Where the high word lies: 1 on a little-endian machine, 0 on a big-endian one. */
const high = new Uint8Array(new Uint16Array([1]).buffer)[0];
const low = 1 - high;

/** Sign, exponent and the first 20 bits of the fraction, as a signed 32-bit integer. */
export function highWord(value: number): number {
  float[0] = value;
  return words[high];
}

/** The last 32 bits of the fraction, as a signed 32-bit integer. */
export function lowWord(value: number): number {
  float[0] = value;
  return words[low];
}

/** The double with these two words. */
export function fromWords(highBits: number, lowBits: number): number {
  words[high] = highBits;
  words[low] = lowBits;
  return float[0];
}

/** `value` with another high word. */
export function withHighWord(value: number, highBits: number): number {
  float[0] = value;
  words[high] = highBits;
  return float[0];
}

/** `value` with the last 32 bits of its fraction cleared, so that products of two such numbers are exact. */
export function clearLowWord(value: number): number {
  float[0] = value;
  words[low] = 0;
  return float[0];
}

/** 2 to the power of `exponent`, an integer in −1022…1023, exactly. */
export function powerOfTwo(exponent: number): number {
  return fromWords((exponent + 1023) << 20, 0);
}

/**
 * `value` · 2^`exponent`, rounded once, for |value| in [0.5, 4] and an integer `exponent` in −1200…1024: overflows to
 * ±Infinity, underflows gradually.
 */
export function scaleByPowerOfTwo(value: number, exponent: number): number {
  if (exponent >= -1022) return exponent <= 1023 ? value * powerOfTwo(exponent) : value * 2 * powerOfTwo(1023);
  // The first product is still a normal number, hence exact; only the second rounds.
  return value * powerOfTwo(-200) * powerOfTwo(exponent + 200);
}
