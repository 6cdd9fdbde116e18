// exp, exp − 1 and tanh with fixed bits; sources and promise in fixed-math.ts.

import { scaleByPowerOfTwo } from './float-bits.ts';

const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;

/** e to the power of x; overflows to Infinity above 709.78, underflows gradually to 0 below −708.4. fdlibm e_exp.c. */
export function fixedExp(x: number): number {
  if (!(x <= 709.782712893384)) return x > 0 ? Infinity : x;
  if (x < -745.1332191019411) return 0;
  const magnitude = Math.abs(x);
  if (magnitude < 3.725290298461914e-9) return 1 + x;
  // x = k·ln 2 + r with |r| ≤ ln 2 / 2, r held as high − low.
  let k = 0;
  let high = x;
  let low = 0;
  if (magnitude > 0.34657359027997264) {
    k = Math.trunc(Math.LOG2E * x + (x < 0 ? -0.5 : 0.5));
    high = x - k * ln2High;
    low = k * ln2Low;
  }
  const r = high - low;
  const t = r * r;
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-0.0027777777777015593 +
            t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))));
  if (k === 0) return 1 - ((r * c) / (c - 2) - r);
  return scaleByPowerOfTwo(1 - (low - (r * c) / (2 - c) - high), k);
}

/** e to the power of x, minus 1, exact to the last place also for small x. fdlibm s_expm1.c. */
export function fixedExpMinus1(x: number): number {
  if (!(x <= 709.782712893384)) return x > 0 ? Infinity : x;
  if (x < -38.816242903) return -1;
  const magnitude = Math.abs(x);
  if (magnitude < 5.551115123125783e-17) return x;
  let k = 0;
  let r = x;
  let correction = 0;
  if (magnitude > 0.34657359027997264) {
    k = Math.trunc(Math.LOG2E * x + (x < 0 ? -0.5 : 0.5));
    const high = x - k * ln2High;
    const low = k * ln2Low;
    r = high - low;
    correction = high - r - low;
  }
  const half = 0.5 * r;
  const square = r * half;
  const r1 =
    1 +
    square *
      (-0.03333333333333313 +
        square *
          (0.0015873015872548146 +
            square * (-7.93650757867488e-5 + square * (4.008217827329362e-6 + square * -2.0109921818362437e-7))));
  const t = 3 - r1 * half;
  let e = square * ((r1 - t) / (6 - r * t));
  if (k === 0) return r - (r * e - square);
  e = r * (e - correction) - correction - square;
  if (k === -1) return 0.5 * (r - e) - 0.5;
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e);
  if (k <= -2 || k > 56) return scaleByPowerOfTwo(1 - (e - r), k) - 1;
  const tail = scaleByPowerOfTwo(1, -k);
  return scaleByPowerOfTwo(k < 20 ? 1 - tail - (e - r) : r - (e + tail) + 1, k);
}

/** Hyperbolic tangent. fdlibm s_tanh.c. */
export function fixedTanh(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < 22)) return magnitude >= 22 ? (x < 0 ? -1 : 1) : x;
  if (magnitude < 3.725290298461914e-9) return x;
  let result: number;
  if (magnitude >= 1) {
    result = 1 - 2 / (fixedExpMinus1(2 * magnitude) + 2);
  } else {
    const t = fixedExpMinus1(-2 * magnitude);
    result = -t / (t + 2);
  }
  return x < 0 ? -result : result;
}
