import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSmallFloat, encodeSmallFloat, type SmallFloat, smallFloatFormats } from './small-float.ts';

const types: [SmallFloat, number][] = [
  ['float16', 65536],
  ['bfloat16', 65536],
  ['float8_e4m3', 256],
  ['float8_e5m2', 256],
];

/** Every finite magnitude of a type in ascending order: its bit patterns are in that order by construction. */
function magnitudes(type: SmallFloat): number[] {
  const { largestBits } = smallFloatFormats[type];
  return Array.from({ length: largestBits + 1 }, (_, bits) => decodeSmallFloat(type, bits));
}

describe('small floats', () => {
  it.each(types)('%s: every bit pattern survives decoding and encoding', (type, count) => {
    let wrong = 0;
    for (let bits = 0; bits < count; bits++) {
      const value = decodeSmallFloat(type, bits);
      const back = encodeSmallFloat(type, value);
      const expected = Number.isNaN(value) ? smallFloatFormats[type].nanBits : bits;
      if (back !== expected) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  it.each(types)('%s: every midpoint goes to the even neighbour, and what is beside it to the nearer one', (type) => {
    const values = magnitudes(type);
    let wrong = 0;
    for (let bits = 0; bits + 1 < values.length; bits++) {
      const lower = values[bits]!;
      const upper = values[bits + 1]!;
      const middle = (lower + upper) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const nextUp = middle * (1 + 2 ** -52);
      const nextDown = middle * (1 - 2 ** -53);
      if (encodeSmallFloat(type, middle) !== even) wrong += 1;
      if (encodeSmallFloat(type, nextUp) !== bits + 1) wrong += 1;
      if (encodeSmallFloat(type, nextDown) !== bits) wrong += 1;
      if (encodeSmallFloat(type, -middle) !== (even | smallFloatFormats[type].signBit)) wrong += 1;
      if (!(lower < upper)) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  it('has the published limits', () => {
    expect(decodeSmallFloat('float16', 0x7bff)).toBe(65504);
    expect(decodeSmallFloat('float16', 0x0001)).toBe(2 ** -24);
    expect(decodeSmallFloat('float16', 0x3555)).toBe(0.333251953125);
    expect(decodeSmallFloat('bfloat16', 0x7f7f)).toBe(3.3895313892515355e38);
    expect(decodeSmallFloat('bfloat16', 0x4049)).toBe(3.140625);
    // Table 1 of Micikevicius et al.
    expect(decodeSmallFloat('float8_e4m3', 0x7e)).toBe(448);
    expect(decodeSmallFloat('float8_e4m3', 0x08)).toBe(2 ** -6);
    expect(decodeSmallFloat('float8_e4m3', 0x07)).toBe(0.875 * 2 ** -6);
    expect(decodeSmallFloat('float8_e4m3', 0x01)).toBe(2 ** -9);
    expect(decodeSmallFloat('float8_e4m3', 0x7f)).toBeNaN();
    expect(decodeSmallFloat('float8_e5m2', 0x7b)).toBe(57344);
    expect(decodeSmallFloat('float8_e5m2', 0x04)).toBe(2 ** -14);
    expect(decodeSmallFloat('float8_e5m2', 0x01)).toBe(2 ** -16);
    expect(decodeSmallFloat('float8_e5m2', 0x7c)).toBe(Infinity);
    for (const bits of [0x7d, 0x7e, 0x7f, 0xfd]) expect(decodeSmallFloat('float8_e5m2', bits)).toBeNaN();
  });

  it('overflows as its format says, and keeps the sign of zero', () => {
    expect(encodeSmallFloat('float16', 65519.999)).toBe(0x7bff);
    expect(encodeSmallFloat('float16', 65520)).toBe(0x7c00);
    expect(encodeSmallFloat('float16', -1e300)).toBe(0xfc00);
    expect(encodeSmallFloat('bfloat16', Number.MAX_VALUE)).toBe(0x7f80);
    expect(encodeSmallFloat('float8_e4m3', 464)).toBe(0x7e);
    expect(encodeSmallFloat('float8_e4m3', 464.1)).toBe(0x7f);
    expect(encodeSmallFloat('float8_e4m3', -Infinity)).toBe(0xff);
    expect(encodeSmallFloat('float8_e5m2', 61439)).toBe(0x7b);
    expect(encodeSmallFloat('float8_e5m2', 61440)).toBe(0x7c);
    for (const [type] of types) {
      expect(encodeSmallFloat(type, 0)).toBe(0);
      expect(encodeSmallFloat(type, -0)).toBe(smallFloatFormats[type].signBit);
      expect(Object.is(decodeSmallFloat(type, smallFloatFormats[type].signBit), -0)).toBe(true);
      expect(encodeSmallFloat(type, 5e-324)).toBe(0);
      expect(encodeSmallFloat(type, -1e-60)).toBe(smallFloatFormats[type].signBit);
    }
  });

  it('bfloat16 of a float32 is its upper half, rounded to even', () => {
    const scratch = new DataView(new ArrayBuffer(4));
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        scratch.setFloat32(0, value);
        const bits = scratch.getUint32(0);
        const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
        expect(encodeSmallFloat('bfloat16', value)).toBe(rounded);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not round twice: a double just above a midpoint goes up although its float32 is the midpoint', () => {
    const middle = 1 + 2 ** -11;
    expect(encodeSmallFloat('float16', middle)).toBe(0x3c00);
    expect(Math.fround(middle + 2 ** -40)).toBe(middle);
    expect(encodeSmallFloat('float16', middle + 2 ** -40)).toBe(0x3c01);
  });
});
