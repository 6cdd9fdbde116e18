// Natural, binary and decimal logarithms with fixed bits; sources and promise in fixed-math.ts.

import { clearLowWord, highWord, withHighWord } from './float-bits.ts';

const twoTo54 = 18014398509481984;

/** The exponent k in x = 2^k · m with m in [√½, √2); x is positive and finite, `high` its high word. */
function exponentOf(x: number, high: number): number {
  if (high < 0x00100000) return exponentOf(x * twoTo54, highWord(x * twoTo54)) - 54;
  // Adding 0x95f64 carries into the exponent exactly when the fraction exceeds √2's.
  return ((high + 0x95f64) >> 20) - 1023;
}

/** m in x = 2^k · m, exactly. */
function significandOf(x: number, high: number, k: number): number {
  if (high < 0x00100000) return significandOf(x * twoTo54, highWord(x * twoTo54), k + 54);
  return withHighWord(x, high - (k << 20));
}

/** log(1 + f) − f + f²/2 for 1 + f in [√½, √2). FreeBSD k_log.h. */
function tailOfLog1Plus(f: number): number {
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  return s * (0.5 * f * f + (even + odd));
}

/** What the three answer for x that has no finite logarithm; a number x in (0, ∞) does not come here. */
function logarithmOutside(x: number): number {
  if (x === 0) return -Infinity;
  return x === Infinity ? Infinity : NaN;
}

/** Natural logarithm; −Infinity at ±0, NaN below. fdlibm e_log.c. */
export function fixedLog(x: number): number {
  if (!(x > 0 && x < Infinity)) return logarithmOutside(x);
  const word = highWord(x);
  const k = exponentOf(x, word);
  const f = significandOf(x, word, k) - 1;
  if (f === 0) return k * 0.6931471803691238 + k * 1.9082149292705877e-10;
  const halfSquare = 0.5 * f * f;
  return k * 0.6931471803691238 - (halfSquare - (tailOfLog1Plus(f) + k * 1.9082149292705877e-10) - f);
}

/** Binary logarithm, exact for powers of two; −Infinity at ±0, NaN below. FreeBSD e_log2.c. */
export function fixedLog2(x: number): number {
  if (!(x > 0 && x < Infinity)) return logarithmOutside(x);
  const word = highWord(x);
  const k = exponentOf(x, word);
  const f = significandOf(x, word, k) - 1;
  if (f === 0) return k;
  const halfSquare = 0.5 * f * f;
  const high = clearLowWord(f - halfSquare);
  const low = f - high - halfSquare + tailOfLog1Plus(f);
  const valueHigh = high * 1.4426950407214463;
  const valueLow = (low + high) * 1.6751713164886512e-10 + low * 1.4426950407214463;
  const sum = k + valueHigh;
  return valueLow + (k - sum + valueHigh) + sum;
}

/** Decimal logarithm; −Infinity at ±0, NaN below. FreeBSD e_log10.c. */
export function fixedLog10(x: number): number {
  if (!(x > 0 && x < Infinity)) return logarithmOutside(x);
  const word = highWord(x);
  const k = exponentOf(x, word);
  const f = significandOf(x, word, k) - 1;
  const exponentHigh = k * 0.30102999566361177;
  const exponentLow = k * 3.694239077158931e-13;
  if (f === 0) return exponentHigh + exponentLow;
  const halfSquare = 0.5 * f * f;
  const high = clearLowWord(f - halfSquare);
  const low = f - high - halfSquare + tailOfLog1Plus(f);
  const valueHigh = high * 0.4342944818781689;
  const valueLow = exponentLow + (low + high) * 2.5082946711645275e-11 + low * 0.4342944818781689;
  const sum = exponentHigh + valueHigh;
  return valueLow + (exponentHigh - sum + valueHigh) + sum;
}
