import { describe, expect, it } from 'vitest';
import { type GuardEvidence, judge, type ScenarioEvidence } from './judge.ts';

const noise = [0.02, -0.03, 0.01, 0.04, -0.02, -0.01, 0.03, -0.04];

function scenario(name: string, change: number, guards: readonly GuardEvidence[] = []): ScenarioEvidence {
  const incumbent = noise.map((value, seed) => 2 + seed / 10 + value);
  const candidate = incumbent.map(
    (value, seed) => value * (1 + change + (noise[(seed + 3) % noise.length] as number) / 4),
  );
  return { scenario: name, objective: { metric: 'slowdownMean', incumbent, candidate }, guards };
}

const suite = (...changes: number[]): ScenarioEvidence[] =>
  changes.map((change, index) => scenario(`s${index}`, change));

const starving = (candidate: readonly number[]): GuardEvidence => ({
  ...{ metric: 'starvedTasks', riseMax: 1, incumbent: candidate.map(() => 0), candidate },
});

describe('the judge', () => {
  it('passes what is better, fails what is worse, and cannot tell of what is the same', () => {
    expect(judge(suite(-0.1, -0.1, -0.05, -0.2))).toMatchObject({ verdict: 'pass' });
    expect(judge(suite(0.1, 0.1, 0.05, 0.2))).toMatchObject({ verdict: 'fail' });
    expect(judge(suite(0, 0, 0, 0))).toMatchObject({ verdict: 'cannotTell' });
  });

  it('fails what is better on average and worse somewhere beyond doubt', () => {
    const { verdict, reasons } = judge(suite(-0.3, -0.3, -0.3, 0.1));
    expect(verdict).toBe('fail');
    expect(reasons[0]).toContain('s3');
  });

  it('lets a guard veto, and is in doubt where a guard is broken by chance perhaps', () => {
    const better = suite(-0.2, -0.2, -0.2);
    const with_ = (guard: GuardEvidence): ScenarioEvidence[] => [...better, scenario('guarded', -0.2, [guard])];
    expect(judge(with_(starving([8, 9, 8, 9, 8, 9, 8, 9])))).toMatchObject({ verdict: 'fail' });
    expect(judge(with_(starving([0, 0, 0, 0, 0, 0, 0, 40])))).toMatchObject({ verdict: 'cannotTell' });
    expect(judge(with_(starving([0, 1, 0, 0, 1, 0, 0, 0])))).toMatchObject({ verdict: 'pass' });
  });

  it('corrects for the number of scenarios', () => {
    // A p of about 0.03 in one of twenty scenarios is what chance does.
    const single = judge([scenario('one', 0.008)]);
    expect(single.scenarios[0]?.pHolm).toBeLessThan(0.05);
    const many = judge([...suite(...Array.from({ length: 19 }, () => 0)), scenario('one', 0.008)]);
    expect(many.scenarios.at(-1)?.pHolm).toBeGreaterThan(single.scenarios[0]?.pHolm as number);
  });

  it('says nothing of one seed', () => {
    const one = suite(-0.5).map((each) => ({
      ...each,
      objective: { ...each.objective, incumbent: [2], candidate: [1] },
    }));
    expect(judge(one).verdict).toBe('cannotTell');
    expect(judge([]).verdict).toBe('cannotTell');
  });
});
