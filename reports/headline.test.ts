import { describe, expect, it } from 'vitest';
import { compareToBaseline } from '../sim/experiment/comparison.ts';
import type { ResultDocument } from '../sim/experiment/results.ts';
import { estimate } from '../sim/experiment/statistics.ts';
import { headlineOf } from './headline.ts';
import { rankLabel, rankPolicies } from './ranking.ts';
import { sampleDocument } from './report/sample-document.ts';

/** The sample with its objective replaced by the given values. */
function withObjective(
  values: Record<string, (number | null)[]>,
  better: 'higher' | 'lower' = 'higher',
): ResultDocument {
  const sample = sampleDocument();
  const names = Object.keys(values);
  const metric = { name: 'score', title: 'Score', unit: '%', better, description: '' } as const;
  const policies = names.map((name, index) => ({
    ...sample.policies[index],
    name,
    metrics: { score: estimate(values[name]) },
  }));
  const seeds = values[names[0]].map((_, index) => index + 1);
  return {
    ...sample,
    seeds,
    policies,
    metrics: [metric],
    objective: 'score',
    baseline: names[0],
    comparisons: compareToBaseline(policies, [metric], names[0], seeds),
  };
}

function read(document: ResultDocument) {
  const ranking = rankPolicies(document);
  const headline = headlineOf(document, ranking);
  return {
    ...headline,
    details: headline.details.map((detail) => detail.replaceAll('\u00a0', ' ')),
    order: ranking.policies.map((entry) => `${rankLabel(entry, ranking)} ${entry.policy.name}`),
  };
}

describe('headlineOf', () => {
  const base = [50, 51, 52, 53, 54];
  const plus = (by: number, jitter: number[] = [0, 0.1, -0.1, 0.1, -0.1]) =>
    base.map((value, seed) => value + by + jitter[seed]);

  it('names a winner with the paired difference from the runner-up and the baseline', () => {
    const answer = read(withObjective({ base, good: plus(10), middling: plus(5, [0, -0.1, 0.1, -0.1, 0.1]) }));
    expect(answer.kind).toBe('winner');
    expect(answer.title).toBe('good wins: score 62.0%');
    // Differences 5 + {0, 0.2, −0.2, 0.2, −0.2}: s = 0.2, half width 2.776445 · 0.2 / √5 = 0.2483.
    expect(answer.details[0]).toBe(
      'good is 5.00 points above the runner-up, middling (95% interval 4.75 to 5.25 points, p < 0.001 after Holm’s correction over its 2 rivals).',
    );
    expect(answer.details[1]).toMatch(/^Against the baseline, base, it is 10\.00 points above \(95% interval/);
    expect(answer.order).toEqual(['1 good', '2 middling', '3 base']);
  });

  it('says below where lower is better', () => {
    const answer = read(withObjective({ base, good: plus(-10) }, 'lower'));
    expect(answer.title).toBe('good wins: score 42.0%');
    expect(answer.details).toEqual([
      'good is 10.00 points below the runner-up, base (95% interval 9.88 to 10.12 points, p < 0.001).',
    ]);
  });

  it('does not separate what the seeds do not separate', () => {
    const answer = read(withObjective({ base, alike: plus(0.5, [2, -2, 1, -1, 0.5]), bad: plus(-20) }));
    expect(answer.kind).toBe('cannot tell');
    expect(answer.title).toBe('Cannot tell alike and base apart on score');
    expect(answer.details[1]).toBe('Shown not to be the best: bad.');
    expect(answer.details[2]).toContain('which could be chance');
    expect(answer.order).toEqual(['1= alike', '1= base', '3 bad']);
  });

  it('claims nothing from one seed', () => {
    const answer = read(withObjective({ base: [50], good: [90] }));
    expect(answer.kind).toBe('cannot tell');
    expect(answer.title).toContain('in the one seed');
    expect(answer.order).toEqual(['– good', '– base']);
  });

  it('has something to say for one policy, and where nothing was measured', () => {
    expect(read(withObjective({ base })).kind).toBe('no comparison');
    expect(read(withObjective({ base: [null, null], other: [null, null] })).title).toContain('nothing to rank');
    expect(read(withObjective({ base: [null, null], other: [1, 2] })).order).toEqual(['– other', '– base']);
  });

  it('calls equal runs equal', () => {
    const answer = read(withObjective({ base, twin: base }));
    expect(answer.kind).toBe('cannot tell');
    expect(answer.order).toEqual(['1= base', '1= twin']);
  });
});
