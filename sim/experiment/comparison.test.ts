import { describe, expect, it } from 'vitest';
import { checkGuards, compareToBaseline } from './comparison.ts';
import type { MetricSpec } from './results.ts';
import { estimate } from './statistics.ts';

const utilization: MetricSpec = {
  name: 'gpuUtilizationPercent',
  title: 'GPU utilization',
  unit: '%',
  better: 'higher',
  description: '',
};
const wait: MetricSpec = { name: 'waitMeanSeconds', title: 'mean wait', unit: 's', better: 'lower', description: '' };
const tasks: MetricSpec = { name: 'tasks', title: 'tasks', unit: 'tasks', better: 'neither', description: '' };
const seeds = [1, 2, 3, 4];

function policy(name: string, values: Record<string, (number | null)[]>) {
  return {
    name,
    metrics: Object.fromEntries(Object.entries(values).map(([metric, perSeed]) => [metric, estimate(perSeed)])),
  };
}

const base = policy('random', {
  gpuUtilizationPercent: [80, 82, 84, 86],
  waitMeanSeconds: [100, 120, 140, 160],
  tasks: [5, 5, 5, 5],
});
// +10 with a jitter of ±0.1: clear. Waits −10, −10.2, −9.8, −10.
const good = policy('best-fit', {
  gpuUtilizationPercent: [90.1, 91.9, 94.1, 95.9],
  waitMeanSeconds: [90, 109.8, 130.2, 150],
  tasks: [9, 9, 9, 9],
});
// Differences 1, −1, 1, −1: mean zero.
const alike = policy('spread', {
  gpuUtilizationPercent: [81, 81, 85, 85],
  waitMeanSeconds: [101, 119, 141, 159],
  tasks: [5, 5, 5, 5],
});

describe('compareToBaseline', () => {
  it('pairs by seed and judges by the direction of the metric', () => {
    const comparisons = compareToBaseline([base, good, alike], [utilization, wait], 'random', seeds);
    expect(comparisons.map(({ policy, metric, verdict }) => [metric, policy, verdict])).toEqual([
      ['gpuUtilizationPercent', 'best-fit', 'better'],
      ['gpuUtilizationPercent', 'spread', 'cannot tell'],
      ['waitMeanSeconds', 'best-fit', 'better'],
      ['waitMeanSeconds', 'spread', 'cannot tell'],
    ]);
    // Differences 10.1, 9.9, 10.1, 9.9: mean 10, s = 0.11547, half width t(0.975; 3) · s/2 = 3.182446 · 0.057735 = 0.183739.
    expect(comparisons[0].difference.mean).toBeCloseTo(10, 10);
    expect(comparisons[0].difference.low).toBeCloseTo(10 - 0.183739, 5);
    expect(comparisons[0].difference.high).toBeCloseTo(10 + 0.183739, 5);
  });

  it('is worse where the metric should be lower and is higher', () => {
    expect(compareToBaseline([base, good], [wait], 'best-fit', seeds)[0].verdict).toBe('worse');
  });

  it('corrects over the policies of one metric', () => {
    const [one] = compareToBaseline([base, good], [utilization], 'random', seeds);
    const many = compareToBaseline(
      [base, good, { ...alike, name: 'a' }, { ...alike, name: 'b' }],
      [utilization],
      'random',
      seeds,
    );
    expect(one.pHolm).toBe(one.pValue);
    expect(many[0].pHolm).toBeCloseTo(3 * one.pValue!, 12);
  });

  it('loses a verdict to the correction', () => {
    // Differences 1, 2, 3, 4: p = 0.0305 alone, 0.061 among two.
    const slight = policy('slight', { gpuUtilizationPercent: [81, 84, 87, 90] });
    expect(compareToBaseline([base, slight], [utilization], 'random', seeds)[0].verdict).toBe('better');
    expect(compareToBaseline([base, slight, alike], [utilization], 'random', seeds)[0].verdict).toBe('cannot tell');
  });

  it('cannot tell from one seed, from undefined values, or without a direction', () => {
    const single = compareToBaseline(
      [policy('a', { waitMeanSeconds: [1] }), policy('b', { waitMeanSeconds: [9] })],
      [wait],
      'a',
      [7],
    );
    expect(single[0]).toMatchObject({ pValue: null, pHolm: null, verdict: 'cannot tell' });
    expect(single[0].difference.mean).toBe(8);
    const nulls = compareToBaseline(
      [base, policy('none', { waitMeanSeconds: [null, null, null, null] })],
      [wait],
      'random',
      seeds,
    );
    expect(nulls[0]).toMatchObject({ pValue: null, verdict: 'cannot tell' });
    expect(nulls[0].difference.mean).toBeNull();
    expect(compareToBaseline([base, good], [tasks], 'random', seeds)[0]).toMatchObject({
      pHolm: 0,
      verdict: 'cannot tell',
    });
  });

  it('leaves out a metric that a policy lacks', () => {
    expect(compareToBaseline([base, policy('bare', {})], [wait], 'random', seeds)).toEqual([]);
  });

  it('refuses an unknown baseline and a wrong number of values', () => {
    expect(() => compareToBaseline([base], [wait], 'nobody', seeds)).toThrow('baseline');
    expect(() => compareToBaseline([base, good], [wait], 'random', [1, 2])).toThrow('one value a seed');
  });
});

describe('checkGuards', () => {
  it('names the policies whose mean breaks a bound, inclusively', () => {
    const results = checkGuards(
      [
        { metric: 'waitMeanSeconds', atMost: 130 },
        { metric: 'gpuUtilizationPercent', atLeast: 83.5 },
        { metric: 'absent', atMost: 0 },
      ],
      [base, good],
    );
    expect(results[0]).toEqual({ metric: 'waitMeanSeconds', atMost: 130, atLeast: null, violations: [] });
    expect(results[1].violations).toEqual([{ policy: 'random', value: 83 }]);
    expect(results[2].violations).toEqual([]);
  });
});
