import { describe, expect, it } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { arrivalInputs, driftReference } from './drift-reference.ts';
import { distributionOf } from './input-distribution.ts';
import { defaultRolloutPlan } from './rollout-plan.ts';

const { drift } = defaultRolloutPlan;
const random = new RandomStream(1, 'drift reference test');
const arrivals = (count: number, shift = 0): number[][] =>
  Array.from({ length: count }, () => arrivalInputs.map(() => shift + random.nextFloat()));
const ends = (count: number, slowdown: () => number) =>
  Array.from({ length: count }, () => ({ slowdown: slowdown(), serviceLog: random.nextFloat() }));
const trained = (rows: readonly (readonly number[])[]) =>
  new Map([['estimateLog', distributionOf(rows.map((row) => row[0]!))]]);

describe('what a policy is held to', () => {
  it('is its training where that is what it was tried on, and else the trial', () => {
    const trial = { arrivals: arrivals(500), ends: [] };
    const sources = (training: Parameters<typeof driftReference>[1]): string[] =>
      driftReference(trial, training, drift).arrivals.map(({ source }) => source);
    expect(sources(trained(arrivals(2000)))).toEqual(['training', 'trial', 'trial']);
    expect(sources(trained(arrivals(2000, 0.5)))).toEqual(['trial', 'trial', 'trial']);
    expect(sources(new Map())).toEqual(['trial', 'trial', 'trial']);
  });

  it('is the training alone without a trial, and nothing is promised then', () => {
    const reference = driftReference({ arrivals: [], ends: [] }, trained(arrivals(2000)), drift);
    expect(reference.arrivals.map(({ input, source }) => [input, source])).toEqual([['estimateLog', 'training']]);
    expect(reference).toMatchObject({ service: undefined, slowdown: undefined });
  });

  it('bounds a slowdown by what was promised, and by the worst that the trial has shown', () => {
    let count = 0;
    const calm = driftReference({ arrivals: [], ends: ends(400, () => 2) }, new Map(), drift);
    expect(calm.slowdown).toEqual({ promised: 2, bound: 3, rareShare: 0.2 });
    const restless = driftReference({ arrivals: [], ends: ends(400, () => (count++ < 100 ? 8 : 2)) }, new Map(), drift);
    expect(restless.slowdown).toMatchObject({ promised: 3.5, bound: 8 });
  });

  it('is surer the longer the trial was', () => {
    const shares = [150, 1000, 2000].map(
      (count) => driftReference({ arrivals: arrivals(count), ends: [] }, new Map(), drift).arrivals[0]?.rareShare,
    );
    expect(shares).toEqual([0.2, 1 / 11, 0.05]);
  });
});
