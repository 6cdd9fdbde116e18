import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fixedCos,
  fixedExp,
  fixedExpMinus1,
  fixedLog,
  fixedLog2,
  fixedLog10,
  fixedPow,
  fixedSin,
  fixedTanh,
} from './fixed-math.ts';

/** Both NaN, the same infinity, or apart by at most `relative` of the expected value (and at most the least subnormal). */
function agree(actual: number, expected: number, relative = 1e-15): boolean {
  if (Object.is(actual, expected)) return true;
  return Math.abs(actual - expected) <= Math.max(relative * Math.abs(expected), 5e-324);
}

function expectAgree(actual: number, expected: number, relative?: number): void {
  if (!agree(actual, expected, relative)) expect(actual).toBe(expected);
}

/** [function, arguments, the exact value rounded to a double], computed with 300 bits by mpmath 1.3. */
const exactValues: [string, number[], number][] = [
  ['exp', [1], Math.E],
  ['exp', [-0.3], 0.7408182206817179],
  ['exp', [0.35], 1.4190675485932571],
  ['exp', [700.5], 1.6721859620674984e304],
  ['exp', [-708.25], 2.5759248692837695e-308],
  ['exp', [1e-5], 1.00001000005],
  ['exp', [5.5], 244.69193226422038],
  ['expm1', [1e-10], 1.00000000005e-10],
  ['expm1', [-0.2], -0.18126924692201815],
  ['expm1', [0.9], 1.4596031111569496],
  ['expm1', [-3.3], -0.96311683259876],
  ['expm1', [20.25], 622964441.1984454],
  ['expm1', [500.1], 1.55120930000829e217],
  ['log', [2], Math.LN2],
  ['log', [0.7], -0.35667494393873245],
  ['log', [1.0000001], 9.999999505838704e-8],
  ['log', [1e-310], -713.8013788281542],
  ['log', [1e300], 690.7755278982137],
  ['log', [123.456], 4.815884817283264],
  ['log2', [3], 1.584962500721156],
  ['log2', [0.9999], -0.00014427671804501932],
  ['log2', [1e-5], -16.609640474436812],
  ['log2', [7e200], 667.1929738995301],
  ['log10', [2], 0.3010299956639812],
  ['log10', [1.001], 0.0004340774793185929],
  ['log10', [5e-320], -319.301034830612],
  ['log10', [9.5e99], 99.97772360528884],
  ['tanh', [0.01], 0.00999966667999946],
  ['tanh', [0.5], 0.46211715726000974],
  ['tanh', [-0.9], -0.7162978701990245],
  ['tanh', [1.5], 0.9051482536448664],
  ['tanh', [9], 0.999999969540041],
  ['sin', [0.5], 0.479425538604203],
  ['sin', [3], 0.1411200080598672],
  ['sin', [Math.PI], 1.2246467991473532e-16],
  ['sin', [1000000.0], -0.34999350217129294],
  ['sin', [1e22], -0.8522008497671888],
  ['sin', [-2.5e300], -0.7335319052298896],
  ['sin', [100.1], -0.4177476827983737],
  ['cos', [0.5], 0.8775825618903728],
  ['cos', [Math.PI / 2], 6.123233995736766e-17],
  ['cos', [11], 0.004425697988050785],
  ['cos', [823550.5], 0.6708682387464717],
  ['cos', [1e22], 0.523214785395139],
  ['cos', [1.7976931348623157e308], -0.9999876894265599],
  ['pow', [10, -5.5], 3.162277660168379e-6],
  ['pow', [1.0000001, 10000000.0], 2.7182816941320818],
  ['pow', [2.5, 100.25], 7.82502744381024e39],
  ['pow', [0.1, 308.5], 3.162277660168434e-309],
  ['pow', [1.7, -1000], 3.5569570547765855e-231],
  ['pow', [3e-310, 0.75], 7.208434242404246e-233],
  ['pow', [0.9999999999, 5000000000.0], 0.6065306346051847],
];

const anyDouble = fc.double({ noDefaultInfinity: false, noNaN: false });
const positive = fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true });
const runs = { numRuns: 3000 };

describe('fixed mathematics', () => {
  it.each([
    ['exp', fixedExp, Math.exp],
    ['expm1', fixedExpMinus1, Math.expm1],
    ['log', fixedLog, Math.log],
    ['log2', fixedLog2, Math.log2],
    ['log10', fixedLog10, Math.log10],
    ['tanh', fixedTanh, Math.tanh],
    ['sin', fixedSin, Math.sin],
    ['cos', fixedCos, Math.cos],
  ])('%s agrees with Math to a few units in the last place', (_name, fixed, builtin) => {
    for (const range of [
      anyDouble,
      fc.double({ min: -750, max: 750, noNaN: true }),
      fc.double({ min: 0.5, max: 2, noNaN: true }),
    ]) {
      fc.assert(
        fc.property(range, (x) => expectAgree(fixed(x), builtin(x))),
        runs,
      );
    }
    for (const x of [
      0,
      -0,
      1,
      -1,
      Infinity,
      -Infinity,
      NaN,
      5e-324,
      -5e-324,
      2.2250738585072014e-308,
      1e-300,
      -1e-17,
      1e-9,
    ]) {
      expectAgree(fixed(x), builtin(x));
    }
  });

  it('pow agrees with Math over the whole range and on every pair of special values', () => {
    const near1 = fc.double({ min: 0.999999, max: 1.000001, noNaN: true });
    const exponent = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(anyDouble, anyDouble, (x, y) => expectAgree(fixedPow(x, y), x ** y)),
      runs,
    );
    fc.assert(
      fc.property(positive, fc.double({ min: -3, max: 3, noNaN: true }), (x, y) => expectAgree(fixedPow(x, y), x ** y)),
      runs,
    );
    fc.assert(
      fc.property(near1, exponent, (x, y) => expectAgree(fixedPow(x, y), x ** y)),
      runs,
    );
    fc.assert(
      fc.property(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -200, max: 200 }), (x, y) =>
        expectAgree(fixedPow(x, y), x ** y),
      ),
      runs,
    );
    const special = [
      0,
      -0,
      1,
      -1,
      0.5,
      -0.5,
      2,
      -2,
      3,
      -3,
      Infinity,
      -Infinity,
      NaN,
      5e-324,
      -5e-324,
      1e308,
      1e-308,
      9007199254740991,
      -9007199254740994,
      1e20,
      1074,
      -1074,
      -1075,
      1024,
      1023.5,
    ];
    for (const x of special) for (const y of special) expectAgree(fixedPow(x, y), x ** y);
  });

  it('is exact where the answer is a number with few bits', () => {
    for (let k = -1074; k <= 1023; k++) {
      const power = fixedPow(2, k);
      expect(power).toBe(2 ** k);
      expect(fixedLog2(power)).toBe(k);
    }
    for (let base = 1; base <= 40; base++) {
      for (let k = 0, exact = 1; exact <= Number.MAX_SAFE_INTEGER; k++, exact *= base) {
        expect(fixedPow(base, k)).toBe(exact);
        if (base === 1 && k > 3) break;
      }
    }
    for (let k = -5; k <= 22; k++) expect(fixedLog10(Number(`1e${k}`))).toBe(k);
  });

  it.each(exactValues)('%s of %j is within a unit in the last place of the exact value', (name, input, exact) => {
    const functions: Record<string, (x: number, y: number) => number> = {
      exp: fixedExp,
      expm1: fixedExpMinus1,
      log: fixedLog,
      log2: fixedLog2,
      log10: fixedLog10,
      tanh: fixedTanh,
      sin: fixedSin,
      cos: fixedCos,
      pow: fixedPow,
    };
    const actual = functions[name]!(input[0]!, input[1] ?? 0);
    expect(agree(actual, exact, name === 'tanh' ? 4.5e-16 : 2.3e-16), `${actual} for ${exact}`).toBe(true);
  });

  it('reduces large angles by the digits of π that Machin’s formula gives', () => {
    // sin and cos of n·π/2 rounded: the rest is what rounding left, known from integers of 1,300 bits.
    const bits = 1300n;
    const arctanInverse = (n: bigint): bigint => {
      let term = (1n << bits) / n;
      let sum = term;
      for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
        term /= n * n;
        sum += (sign * term) / k;
      }
      return sum;
    };
    const pi = 4n * (4n * arctanInverse(5n) - arctanInverse(239n));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 0, max: 900 }), (half, shift) => {
        const multiple = (BigInt(half) << BigInt(shift)) * (pi / 2n);
        const x = Number(multiple >> (bits - 60n)) / 2 ** 60;
        const exactX = (BigInt(x * 2 ** 60) << bits) >> 60n;
        const turn = pi / 2n;
        const n = (exactX + turn / 2n) / turn;
        const rest = Number((exactX - n * turn) >> (bits - 300n)) / 2 ** 300;
        const sine = Math.sin(rest);
        const cosine = Math.cos(rest);
        const expected = [sine, cosine, -sine, -cosine][Number(n & 3n)]!;
        expectAgree(fixedSin(x), expected);
        expectAgree(fixedCos(x), [cosine, -sine, -cosine, sine][Number(n & 3n)]!);
      }),
    );
  });
});
