import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ledgerOf, wideningOf } from './ledger.ts';
import { realizedOf } from './realized.ts';
import { readChange } from './recommend-command.ts';
import type { LedgerEntry, Recommendation } from './recommendation.ts';
import { type NewRecommendation, RecommendationBook, requireState } from './recommendation-book.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-book-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const expected = { mean: -0.2, low: -0.3, high: -0.1 };

function entry(realized: number, kind: LedgerEntry['kind'] = 'limits'): LedgerEntry {
  const covered = realized >= expected.low && realized <= expected.high;
  const verdict = covered ? 'inside' : realized > expected.high ? 'worse' : 'better';
  return {
    ...{ id: 1, kind, title: '', metric: 'completionMeanSeconds', atMicros: 0, expected, realized, covered, verdict },
    outcome: 'confirmed',
  };
}

test('the ledger says how much advice was worth, and widens the intervals of a kind that promised too much', () => {
  expect(ledgerOf([])).toEqual({ entries: [], summaries: [] });
  const good = [-0.2, -0.25, -0.15, -0.22, -0.18].map((realized) => entry(realized));
  const bad = [0, 0.1, -0.2, -0.2, 0].map((realized) => entry(realized, 'policy'));
  const { entries, summaries } = ledgerOf([...good, ...bad]);
  expect(entries[0]).toBe(bad[4]);
  expect(summaries.map(({ kind, count }) => [kind, count])).toEqual([
    ['all', 10],
    ['policy', 5],
    ['limits', 5],
  ]);
  const [all, policy, limits] = summaries;
  expect(all?.coverage).toBeCloseTo(0.7);
  expect(limits).toMatchObject({ coverage: 1, widening: 1 });
  expect(limits?.meanError).toBeCloseTo(0);
  expect(limits?.meanAbsoluteError).toBeCloseTo(0.028);
  expect(policy?.coverage).toBeCloseTo(0.4);
  expect(policy?.meanError).toBeCloseTo(0.14);
  // 0.1 lies three half-widths off, 0 lies two: what 95 of 100 would have kept is between.
  expect(policy?.widening).toBeCloseTo(2.8);
  expect(wideningOf(bad.slice(0, 4))).toBe(1);
  expect(wideningOf([9, 9, 9, 9, 9].map((realized) => entry(realized)))).toBe(5);
});

const fresh: NewRecommendation = {
  ...{ kind: 'limits', state: 'recommended', title: 'shorter', finding: '', means: 'settings', expiresMicros: 10 },
  change: { settings: { 'scheduler.attemptsMax': 3 } },
};
const said = { who: 'ann', why: 'because' };

test('the book is there again after a restart, and bounded', async () => {
  let now = 1;
  const book = new RecommendationBook(join(folder, 'book'), () => now);
  const first = book.add(fresh, said);
  now = 2;
  const changed = book.change(first.id, { state: 'dismissed' }, said);
  expect(changed).toMatchObject({ version: 2, createdMicros: 1, updatedMicros: 2 });
  book.note(entry(-0.2));
  await book.saved();
  const again = new RecommendationBook(join(folder, 'book'), () => now);
  expect(again.list()).toEqual([changed]);
  expect(again.entries()).toEqual([entry(-0.2)]);
  expect(() => again.get(7)).toThrow(expect.objectContaining({ code: 'SIRA_NOT_FOUND' }));
  expect(() => requireState(changed, 'be applied', 'recommended')).toThrow(/dismissed.*cannot be applied/);
  const standing = again.add(fresh, said);
  for (let index = 0; index < 250; index++) again.change(again.add(fresh, said).id, { state: 'expired' }, said);
  expect(again.list()).toHaveLength(200);
  // What is not over stays, however old.
  expect(again.get(standing.id).state).toBe('recommended');
  expect(again.list()[0]?.id).toBe(252);
  await again.saved();
  expect(readdirSync(join(folder, 'book'))).toEqual(['recommendations.json']);
});

test('a file that is not what was written is named', async () => {
  const damaged = join(folder, 'damaged');
  const book = new RecommendationBook(damaged, () => 1);
  book.add(fresh, said);
  await book.saved();
  const file = join(damaged, 'recommendations.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, 100));
  expect(() => new RecommendationBook(damaged, () => 1)).toThrow(expect.objectContaining({ code: 'SIRA_LOG_CORRUPT' }));
  writeFileSync(file, text.replace('recommendations 1', 'recommendations 9'));
  expect(() => new RecommendationBook(damaged, () => 1)).toThrow(expect.objectContaining({ code: 'SIRA_LOG_VERSION' }));
});

test('what was realized is held against what would have been without', () => {
  const one = {
    effects: [{ metric: 'completionMeanSeconds', title: 'mean completion', expected }],
    evidence: { measured: { completionMeanSeconds: 10 } },
    applied: { atMicros: 5 },
  } as unknown as Recommendation;
  const measured = (after: number, spread = 0) => ({
    ...{
      fromMicros: 5,
      untilMicros: 9,
      tasks: 100,
      after,
      afterLow: after - spread,
      afterHigh: after + spread,
      without: 20,
    },
  });
  const verdicts = [17, 15, 13, 20].map((after) => realizedOf(one, 'completionMeanSeconds', measured(after)).verdict);
  expect(verdicts).toEqual(['inside', 'inside', 'better', 'worse']);
  // A window with such ups and downs does not say that it is worse.
  expect(realizedOf(one, 'completionMeanSeconds', measured(20, 3))).toMatchObject({ verdict: 'inside', change: 0 });
  // Twice as many tasks came: that it takes longer than before is not the fault of the change.
  expect(realizedOf(one, 'completionMeanSeconds', measured(16))).toMatchObject({
    ...{ before: 10, after: 16, without: 20, verdict: 'inside' },
    reason: 'mean completion changed by −20.0%, within what was expected (−30.0% to −10.0%)',
  });
  expect(realizedOf(one, 'completionMeanSeconds', { reason: 'too few' })).toMatchObject({
    ...{ verdict: 'cannotTell', reason: 'too few' },
  });
});

test('changes as people type them', () => {
  expect(readChange(['order=sjf', 'scheduler.attemptsMax=3', 'add=2', 'sleep=60s'])).toEqual({
    ...{ policy: { order: 'sjf' }, settings: { 'scheduler.attemptsMax': 3 }, machines: { add: 2 } },
    sleep: { afterMicros: 60_000_000 },
  });
  expect(readChange(['remove=a,b', 'retrain=durations'])).toEqual({
    ...{ machines: { remove: ['a', 'b'] }, retrain: 'durations' },
  });
  for (const words of [[], ['faster'], ['sleep=soon'], ['scheduler.attemptsMax=many']])
    expect(() => readChange(words)).toThrow(expect.objectContaining({ code: 'SIRA_USAGE' }));
});
