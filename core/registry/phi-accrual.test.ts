import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PhiAccrual, phiOfDeviations } from './phi-accrual.ts';

const settings = {
  heartbeatIntervalMicros: 1_000_000,
  acceptablePauseMicros: 0,
  standardDeviationMicrosMin: 50_000,
  smoothing: 0.05,
  threshold: 8,
};

function detector(changes: Partial<typeof settings> = {}): PhiAccrual {
  const phi = new PhiAccrual({ ...settings, ...changes });
  phi.grow(4);
  return phi;
}

describe('phi', () => {
  test('is −log₁₀ of the probability that the heartbeat is still to come', () => {
    expect(phiOfDeviations(0)).toBeCloseTo(Math.log10(2), 14);
    // The normal tail from tables; the approximation errs by less than 1.5 · 10⁻⁴ anywhere.
    const tails = [0.5, 0.1586553, 0.0227501, 0.0013499, 0.0000317];
    tails.forEach((tail, deviations) => {
      expect(Math.abs(10 ** -phiOfDeviations(deviations) - tail)).toBeLessThan(1.5e-4);
      expect(Math.abs(10 ** -phiOfDeviations(-deviations) - (1 - tail))).toBeLessThan(1.5e-4);
    });
  });

  test('stays finite far out, where the probability itself underflows', () => {
    expect(phiOfDeviations(1000)).toBeCloseTo((1000 * (1.5976 + 0.070566 * 1e6)) / Math.LN10, 3);
    expect(phiOfDeviations(-1000)).toBe(0);
  });

  test('is 0.3 of a fresh row once the configured interval has passed, and grows from there', () => {
    const phi = detector();
    phi.start(2, 5_000_000);
    expect(phi.phi(2, 6_000_000)).toBeCloseTo(Math.log10(2), 14);
    // A quarter of the interval is one standard deviation.
    expect(phi.phi(2, 6_500_000)).toBeCloseTo(phiOfDeviations(2), 14);
  });

  test('tolerates the acceptable pause on top of the mean', () => {
    const phi = detector({ acceptablePauseMicros: 3_000_000 });
    phi.start(0, 0);
    expect(phi.phi(0, 4_000_000)).toBeCloseTo(Math.log10(2), 14);
  });
});

describe('the estimate', () => {
  test('one step by hand: weights 0.95 and 0.05', () => {
    const phi = detector();
    phi.start(0, 0);
    phi.heartbeat(0, 1_200_000);
    expect(phi.meanMicros[0]).toBeCloseTo(1_010_000, 6);
    expect(phi.variance[0]).toBeCloseTo(0.95 * (250_000 ** 2 + 200_000 * 10_000), 0);
  });

  test('approaches mean and variance of the intervals', () => {
    const phi = detector({ smoothing: 0.01 });
    phi.start(0, 0);
    let now = 0;
    for (let beat = 0; beat < 5_000; beat++) {
      now += beat % 2 === 0 ? 1_700_000 : 2_300_000;
      phi.heartbeat(0, now);
    }
    expect(phi.meanMicros[0]).toBeCloseTo(2_000_000, -4);
    expect(Math.sqrt(phi.variance[0] as number)).toBeCloseTo(300_000, -4);
  });

  test('learns nothing from duplicates, nor from a silence that is only touched', () => {
    const phi = detector();
    phi.start(0, 0);
    phi.heartbeat(0, 10);
    phi.touch(0, 9_000_000);
    expect([phi.meanMicros[0], phi.variance[0], phi.lastMicros[0]]).toEqual([1_000_000, 250_000 ** 2, 9_000_000]);
  });

  test('perfectly regular heartbeats leave the least standard deviation', () => {
    const phi = detector();
    phi.start(0, 0);
    for (let beat = 1; beat <= 500; beat++) phi.heartbeat(0, beat * 1_000_000);
    expect(phi.phi(0, 501_000_000 + 100_000)).toBeCloseTo(phiOfDeviations(2), 6);
  });
});

test('phi reaches the threshold at overdueMicros, and not before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3_000_000 }), { maxLength: 40 }),
      fc.double({ min: 0.1, max: 60, noNaN: true }),
      fc.integer({ min: 0, max: 2_000_000 }),
      (intervals, threshold, acceptablePauseMicros) => {
        const phi = detector({ threshold, acceptablePauseMicros });
        let now = 1_000;
        phi.start(0, now);
        for (const interval of intervals) {
          now += interval;
          phi.heartbeat(0, now);
        }
        const overdue = phi.overdueMicros(0);
        expect(Number.isSafeInteger(overdue)).toBe(true);
        // One microsecond of slack for the rounding of the last bit.
        expect(phi.phi(0, overdue + 1)).toBeGreaterThanOrEqual(threshold);
        expect(phi.phi(0, overdue - 2)).toBeLessThan(threshold);
      },
    ),
  );
});
