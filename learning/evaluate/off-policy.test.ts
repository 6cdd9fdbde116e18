import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { bootstrapMean, pairedBootstrap } from './bootstrap.ts';
import { estimateOffPolicy, type LoggedDecision } from './off-policy.ts';

/** Three arms; the policy that serves takes arm 0 but for a share that it draws; the other would take `target`. */
function bandit(seed: number, count: number, share: number, target: number, modelError: number): LoggedDecision[] {
  const random = new RandomStream(seed, 'bandit');
  const means = [2, 1.5, 3];
  return Array.from({ length: count }, () => {
    const arm = random.nextFloat() < share ? random.nextBelow(3) : 0;
    const context = random.nextFloat();
    const outcome = (means[arm] as number) + 2 * context + random.nextFloat() - 0.5;
    const guess = (of: number): number => (means[of] as number) + 2 * context + modelError;
    return {
      propensity: (arm === 0 ? 1 - share : 0) + share / 3,
      target: arm === target ? 1 : 0,
      ...{ outcome, guessLogged: guess(arm), guessTarget: guess(target) },
    };
  });
}

describe('off-policy estimates', () => {
  it('cover the truth of a policy that never served, and name its side', () => {
    let covered = 0;
    const runs = 12;
    for (let seed = 0; seed < runs; seed++) {
      const { ips, snips, doublyRobust, verdict } = estimateOffPolicy(bandit(seed, 10_000, 0.1, 1, 0));
      const truth = -0.5 - 0.1 * ((2 + 1.5 + 3) / 3 - 2);
      if (doublyRobust !== undefined && doublyRobust.low <= truth && truth <= doublyRobust.high) covered++;
      expect(ips?.mean).toBeCloseTo(truth, 0);
      expect(snips?.mean).toBeCloseTo(truth, 0);
      expect((doublyRobust?.high ?? 0) - (doublyRobust?.low ?? 0)).toBeLessThan((ips?.high ?? 0) - (ips?.low ?? 0));
      expect(verdict).toBe('lower');
    }
    expect(covered / runs).toBeGreaterThan(0.8);
  });

  it('are right with a wrong model, if less sure', () => {
    const log = bandit(1, 20_000, 0.2, 2, 5);
    const { doublyRobust, verdict } = estimateOffPolicy(log);
    expect(verdict).toBe('higher');
    expect(doublyRobust?.mean).toBeCloseTo(1 - 0.2 * ((2 + 1.5 + 3) / 3 - 2), 0);
  });

  it('cannot tell without support', () => {
    expect(estimateOffPolicy(bandit(1, 2000, 0.01, 1, 0))).toMatchObject({
      verdict: 'cannotTell',
      reason: expect.stringContaining('effective sample'),
    });
    // Half of what the other would choose is never tried.
    const half = bandit(1, 20_000, 0.3, 1, 0).map((decision, index) =>
      index % 2 === 0 ? decision : { ...decision, target: 0 },
    );
    expect(estimateOffPolicy(half)).toMatchObject({
      verdict: 'cannotTell',
      reason: expect.stringContaining('never tried'),
    });
    expect(estimateOffPolicy([]).verdict).toBe('cannotTell');
    expect(estimateOffPolicy(bandit(1, 20_000, 0, 1, 0)).effectiveSample).toBe(0);
  });
});

describe('the bootstrap', () => {
  it('covers a mean about as often as it says', () => {
    let covered = 0;
    for (let seed = 0; seed < 150; seed++) {
      const random = new RandomStream(seed, 'draws');
      const values = Array.from({ length: 60 }, () => random.nextFloat() ** 2);
      const interval = bootstrapMean(values, { resamples: 300 });
      if (interval !== undefined && interval.low <= 1 / 3 && 1 / 3 <= interval.high) covered++;
    }
    expect(covered / 150).toBeGreaterThan(0.89);
    expect(covered / 150).toBeLessThan(0.99);
  });

  it('pairs, repeats, and says nothing of one value', () => {
    const treated = [3, 4, 5, 6, 7];
    const control = [2, 3, 4, 5, 6];
    expect(pairedBootstrap(treated, control)).toMatchObject({ mean: 1, low: 1, high: 1 });
    const random = new RandomStream(1, 'x');
    const values = Array.from({ length: 40 }, () => random.nextFloat() - 0.5);
    expect(bootstrapMean(values, { seed: 4 })).toEqual(bootstrapMean(values, { seed: 4 }));
    expect(bootstrapMean([1])).toBeUndefined();
    expect(bootstrapMean([1, 2, 3], { blockLength: 2 })).toBeUndefined();
  });
});
