// float16, bfloat16 and the two 8-bit floats, to and from double: every finite value of them is read exactly, and a double
// is rounded once, to nearest with ties to even, straight from its 53 bits (going through float32 would round twice).
// Formats: IEEE 754-2019 binary16; bfloat16; FP8 E4M3 and E5M2 of Micikevicius et al., "FP8 Formats for Deep Learning",
// 2022, and the OCP 8-bit floating point specification 1.0. E4M3 has no infinity: what is too large becomes NaN.

import { highWord, powerOfTwo } from '../base/float-bits.ts';

/** How the bits of a small float are laid out: sign, exponent, fraction from the highest bit down. */
export interface SmallFloatFormat {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /** Bits of the largest finite magnitude. */
  readonly largestBits: number;
  /** What a magnitude that rounds beyond the largest becomes, and what ±Infinity becomes. */
  readonly overflowBits: number;
  /** The NaN that conversion writes. */
  readonly nanBits: number;
  readonly signBit: number;
}

export const smallFloatFormats = {
  float16: {
    exponentBits: 5,
    fractionBits: 10,
    bias: 15,
    largestBits: 0x7bff,
    overflowBits: 0x7c00,
    nanBits: 0x7e00,
    signBit: 0x8000,
  },
  bfloat16: {
    exponentBits: 8,
    fractionBits: 7,
    bias: 127,
    largestBits: 0x7f7f,
    overflowBits: 0x7f80,
    nanBits: 0x7fc0,
    signBit: 0x8000,
  },
  float8_e4m3: {
    exponentBits: 4,
    fractionBits: 3,
    bias: 7,
    largestBits: 0x7e,
    overflowBits: 0x7f,
    nanBits: 0x7f,
    signBit: 0x80,
  },
  float8_e5m2: {
    exponentBits: 5,
    fractionBits: 2,
    bias: 15,
    largestBits: 0x7b,
    overflowBits: 0x7c,
    nanBits: 0x7e,
    signBit: 0x80,
  },
} as const satisfies Record<string, SmallFloatFormat>;

export type SmallFloat = keyof typeof smallFloatFormats;

/** The bits of `value` rounded to `type`, as an unsigned integer. NaN becomes one fixed NaN, whatever its payload. */
export function encodeSmallFloat(type: SmallFloat, value: number): number {
  const format: SmallFloatFormat = smallFloatFormats[type];
  if (Number.isNaN(value)) return format.nanBits;
  const sign = value < 0 || (value === 0 && 1 / value < 0) ? format.signBit : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return sign | format.overflowBits;
  const { fractionBits, bias } = format;
  const exponent = Math.max((highWord(magnitude) >> 20) - 1023, 1 - bias);
  if (exponent > bias + 1) return sign | format.overflowBits;
  // A whole number of units in the last place: scaling by a power of two is exact. It holds the leading bit of a normal
  // number, so that adding the exponent field carries as rounding up across a power of two needs it.
  const scaled = magnitude * powerOfTwo(fractionBits - exponent);
  const bits = roundHalfToEven(scaled) + ((exponent + bias - 1) << fractionBits);
  return sign | (bits > format.largestBits ? format.overflowBits : bits);
}

/** The exact value of `bits`, an unsigned integer of the type's size. */
export function decodeSmallFloat(type: SmallFloat, bits: number): number {
  const format: SmallFloatFormat = smallFloatFormats[type];
  const { fractionBits, bias } = format;
  const magnitudeBits = bits & (format.signBit - 1);
  const sign = (bits & format.signBit) !== 0 ? -1 : 1;
  if (magnitudeBits > format.largestBits) {
    return magnitudeBits === format.overflowBits && format.overflowBits !== format.nanBits ? sign * Infinity : NaN;
  }
  const field = magnitudeBits >> fractionBits;
  const fraction = magnitudeBits & ((1 << fractionBits) - 1);
  if (field === 0) return sign * fraction * powerOfTwo(1 - bias - fractionBits);
  return sign * (fraction + (1 << fractionBits)) * powerOfTwo(field - bias - fractionBits);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
