// x to the power of y with fixed bits; sources and promise in fixed-math.ts. Special values follow Math.pow.

import { clearLowWord, fromWords, highWord, scaleByPowerOfTwo, withHighWord } from './float-bits.ts';

const log2Of1Point5High = 0.5849624872207642;
const log2Of1Point5Low = 1.350039202129749e-8;

/**
 * x to the power of y. As in Math.pow: anything to the power of ±0 is 1, ±1 to an infinite power is NaN, a negative x to a
 * power that is no integer is NaN. fdlibm e_pow.c.
 */
export function fixedPow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  const magnitude = Math.abs(x);
  if (y === Infinity || y === -Infinity) {
    if (magnitude === 1) return NaN;
    return magnitude > 1 === y > 0 ? Infinity : 0;
  }
  const isOdd = Math.abs(y) < 9007199254740992 && Math.abs(y % 2) === 1;
  const isNegative = x < 0 || (x === 0 && 1 / x < 0);
  if (magnitude === 0 || magnitude === Infinity) {
    const result = (magnitude === 0) === y < 0 ? Infinity : 0;
    return isNegative && isOdd ? -result : result;
  }
  if (isNegative && Math.floor(y) !== y) return NaN;
  const sign = isNegative && isOdd ? -1 : 1;
  if (y === 1) return x;
  if (y === 2) return x * x;
  if (y === -1) return 1 / x;
  if (y === 0.5) return Math.sqrt(x);
  if (magnitude === 1) return sign;
  return sign * positivePower(magnitude, y);
}

/** `base`^`exponent` for a positive finite base other than 1 and a finite exponent other than 0. */
function positivePower(base: number, exponent: number): number {
  // log2(base) as logHigh + logLow, with 20 to 30 bits more than a double holds.
  let logHigh: number;
  let logLow: number;
  const high = highWord(base);
  if (Math.abs(exponent) > 2147483648) {
    // So large a power over- or underflows unless the base is within 2^−20 of 1.
    if (high < 0x3fefffff) return exponent < 0 ? Infinity : 0;
    if (high > 0x3ff00000) return exponent > 0 ? Infinity : 0;
    const t = base - 1;
    const w = t * t * (0.5 - t * (0.3333333333333333 - t * 0.25));
    const u = 1.4426950216293335 * t;
    const v = t * 1.9259629911266175e-8 - w * Math.LOG2E;
    logHigh = clearLowWord(u + v);
    logLow = v - (logHigh - u);
  } else {
    const isSubnormal = high < 0x00100000;
    const normal = isSubnormal ? base * 9007199254740992 : base;
    const normalHigh = highWord(normal);
    let k = (normalHigh >> 20) - 1023 - (isSubnormal ? 53 : 0);
    const fraction = normalHigh & 0xfffff;
    let significandHigh = fraction | 0x3ff00000;
    // The significand is taken near 1 (below √(3/2), or halved above √3) or near 3/2.
    let nearThreeHalves = 0;
    if (fraction > 0x3988e) {
      if (fraction < 0xbb67a) nearThreeHalves = 1;
      else {
        k += 1;
        significandHigh -= 0x00100000;
      }
    }
    const significand = withHighWord(normal, significandHigh);
    const point = nearThreeHalves === 1 ? 1.5 : 1;
    const u = significand - point;
    const v = 1 / (significand + point);
    const s = u * v;
    const sHigh = clearLowWord(s);
    // tHigh ≈ significand + point with few bits; tLow is the rest, exactly.
    const tHigh = fromWords(((significandHigh >> 1) | 0x20000000) + 0x00080000 + (nearThreeHalves << 18), 0);
    const tLow = significand - (tHigh - point);
    const sLow = v * (u - sHigh * tHigh - sHigh * tLow);
    const s2 = s * s;
    const r =
      s2 *
        s2 *
        (0.5999999999999946 +
          s2 *
            (0.4285714285785502 +
              s2 *
                (0.33333332981837743 +
                  s2 * (0.272728123808534 + s2 * (0.23066074577556175 + s2 * 0.20697501780033842))))) +
      sLow * (sHigh + s);
    const sHighSquare = sHigh * sHigh;
    const sumHigh = clearLowWord(3 + sHighSquare + r);
    const sumLow = r - (sumHigh - 3 - sHighSquare);
    const productHigh = sHigh * sumHigh;
    const productLow = sLow * sumHigh + sumLow * s;
    const pHigh = clearLowWord(productHigh + productLow);
    const pLow = productLow - (pHigh - productHigh);
    // Times 2 / (3 ln 2).
    const zHigh = 0.9617967009544373 * pHigh;
    const zLow =
      -7.028461650952758e-9 * pHigh + pLow * 0.9617966939259756 + (nearThreeHalves === 1 ? log2Of1Point5Low : 0);
    const pointHigh = nearThreeHalves === 1 ? log2Of1Point5High : 0;
    logHigh = clearLowWord(zHigh + zLow + pointHigh + k);
    logLow = zLow - (logHigh - k - pointHigh - zHigh);
  }
  return powerOfTwoOf(exponent, logHigh, logLow);
}

/** 2^(exponent · (logHigh + logLow)). */
function powerOfTwoOf(exponent: number, logHigh: number, logLow: number): number {
  const exponentHigh = clearLowWord(exponent);
  const productLow = (exponent - exponentHigh) * logHigh + exponent * logLow;
  let productHigh = exponentHigh * logHigh;
  const product = productLow + productHigh;
  if (product > 1024 || (product === 1024 && productLow + 8.008566259537294e-17 > product - productHigh))
    return Infinity;
  if (product < -1075 || (product === -1075 && productLow <= product - productHigh)) return 0;
  const n = Math.floor(product + 0.5);
  productHigh -= n;
  const t = clearLowWord(productLow + productHigh);
  const u = t * 0.6931471824645996;
  const v = (productLow - (t - productHigh)) * Math.LN2 + t * -1.904654299957768e-9;
  const z = u + v;
  const w = v - (z - u);
  const z2 = z * z;
  const c =
    z -
    z2 *
      (0.16666666666666602 +
        z2 *
          (-0.0027777777777015593 +
            z2 * (6.613756321437934e-5 + z2 * (-1.6533902205465252e-6 + z2 * 4.1381367970572385e-8))));
  const r = (z * c) / (c - 2) - (w + z * w);
  return scaleByPowerOfTwo(1 - (r - z), n);
}
