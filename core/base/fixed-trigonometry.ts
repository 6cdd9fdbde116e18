// sin and cos with fixed bits; sources and promise in fixed-math.ts. Arguments of any size are reduced exactly: up to about
// 8·10⁵ by three-part subtraction of multiples of π/2 (Cody and Waite), above that in integers of 1,216 bits (the idea of
// Payne and Hanek, 1983).

import { highWord, lowWord } from './float-bits.ts';

/** Sine of x radians; NaN for ±Infinity. fdlibm s_sin.c, k_sin.c. */
export function fixedSin(x: number): number {
  return sineOfQuarterTurns(x, 0);
}

/** Cosine of x radians; NaN for ±Infinity. fdlibm s_cos.c, k_cos.c. */
export function fixedCos(x: number): number {
  return sineOfQuarterTurns(x, 1);
}

/** sin(x + quarterTurns · π/2). */
function sineOfQuarterTurns(x: number, quarterTurns: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < Infinity)) return NaN;
  if (magnitude <= 0.7853981633974483) return sineNear(x, 0, quarterTurns);
  if (magnitude > 823549) {
    const [turns, rest, restLow] = reduceLarge(x);
    return sineNear(rest, restLow, turns + quarterTurns);
  }
  // π/2 in three parts of 33 bits each: n · part is exact for |n| below 2^20.
  const n = Math.round(x * 0.6366197723675814);
  const first = x - n * 1.5707963267341256;
  const second = n * 6.077100506303966e-11;
  const partial = first - second;
  const tail = n * 2.0222662487959506e-21 - (first - partial - second);
  let rest = partial - tail;
  let restLow = partial - rest - tail;
  if (Math.abs(rest) < 1e-9) {
    // Near a multiple of π/2 the leading bits cancel: one part more.
    const third = n * 2.0222662487111665e-21;
    const partial2 = partial - third;
    const tail2 = n * 8.4784276603689e-32 - (partial - partial2 - third) - (first - partial - second);
    rest = partial2 - tail2;
    restLow = partial2 - rest - tail2;
  }
  return sineNear(rest, restLow, n + quarterTurns);
}

/** sin(rest + restLow + quarterTurns · π/2) for |rest| ≤ π/4. */
function sineNear(rest: number, restLow: number, quarterTurns: number): number {
  switch (quarterTurns & 3) {
    case 0:
      return sineKernel(rest, restLow);
    case 1:
      return cosineKernel(rest, restLow);
    case 2:
      return -sineKernel(rest, restLow);
    default:
      return -cosineKernel(rest, restLow);
  }
}

function sineKernel(x: number, low: number): number {
  if (Math.abs(x) < 7.450580596923828e-9) return x + low === 0 ? x : x + low;
  const z = x * x;
  const v = z * x;
  const r =
    0.00833333333332249 +
    z *
      (-0.0001984126982985795 + z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  return x - (z * (0.5 * low - v * r) - low - v * -0.16666666666666632);
}

function cosineKernel(x: number, low: number): number {
  const z = x * x;
  const r =
    z * (0.0416666666666666 + z * (-0.001388888888887411 + z * 2.480158728947673e-5)) +
    z * z * z * z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * r - x * low));
}

/** ⌊2/π · 2^1216⌋: the largest double needs 971 + 53 bits of it, and 192 are kept for the fraction. */
const twoOverPi =
  0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babn;
/** ⌊π/2 · 2^192⌋. */
const halfPi = 0x1921fb54442d18469898cc51701b839a252049c1114cf98e8n;
const fractionBits = 192n;
const twoToMinus96 = 1.262177448353619e-29;

/** [n, rest, restLow] with x = n · π/2 + rest + restLow modulo 2π, for finite |x| ≥ 2^19. */
function reduceLarge(x: number): [number, number, number] {
  const high = highWord(x);
  const exponent = ((high >> 20) & 0x7ff) - 1075;
  const significand = (BigInt((high & 0xfffff) | 0x100000) << 32n) | BigInt(lowWord(x) >>> 0);
  const turns = (significand * twoOverPi) >> (1216n - fractionBits - BigInt(exponent));
  let n = Number((turns >> fractionBits) & 3n);
  let fraction = turns & ((1n << fractionBits) - 1n);
  if (fraction >> (fractionBits - 1n) === 1n) {
    fraction -= 1n << fractionBits;
    n += 1;
  }
  const rest = (fraction * halfPi) >> fractionBits;
  const restHigh = Number(rest);
  const restLow = Number(rest - BigInt(restHigh));
  const sign = x < 0 ? -1 : 1;
  return [sign * n, sign * restHigh * twoToMinus96 * twoToMinus96, sign * restLow * twoToMinus96 * twoToMinus96];
}
