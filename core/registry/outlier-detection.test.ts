import { describe, expect, test } from 'vitest';
import { OutlierDetection, type OutlierRules, type RunTime } from './outlier-detection.ts';

const rules: OutlierRules = {
  failuresMax: 3,
  slowFactor: 2,
  samplesMin: 3,
  agentsMin: 3,
  ejectionFirstMicros: 10,
  ejectionMaxMicros: 25,
};
const everybody = (): boolean => true;
const time = (ratio: number, taskClass = 0): RunTime => ({ taskClass, ratio });

/** Run times of completed tasks by agent. */
function judging(ratios: readonly (readonly number[])[]): OutlierDetection {
  const detection = new OutlierDetection();
  ratios.forEach((of, row) => {
    for (const micros of of) detection.completed(row, time(micros));
  });
  return detection;
}

describe('outlier detection', () => {
  test('the median of an agent against the median of the medians, the slowest first', () => {
    const detection = judging([
      [1, 1, 1],
      [1.5, 0.5, 1],
      [2.1, 9, 0.1],
      [1, 1, 50],
      [3, 3, 3],
    ]);
    // Medians 1, 1, 2.1, 1, 3; their median is 1.
    expect(detection.slow(rules, everybody)).toEqual([4, 2]);
    expect(detection.slow({ ...rules, slowFactor: 2.1 }, everybody)).toEqual([4]);
    expect(detection.slow({ ...rules, slowFactor: 0 }, everybody)).toEqual([]);
  });

  test('estimates that are wrong everywhere blame nobody', () => {
    expect(
      judging([
        [8, 9, 10],
        [9, 9, 9],
        [10, 10, 8],
      ]).slow(rules, everybody),
    ).toEqual([]);
  });

  test('too few results, or too few agents with enough of them, say nothing', () => {
    const detection = judging([
      [1, 1, 1],
      [1, 1, 1],
      [9, 9],
    ]);
    expect(detection.slow(rules, everybody)).toEqual([]);
    detection.completed(2, time(9));
    expect(detection.slow(rules, everybody)).toEqual([2]);
    expect(detection.slow(rules, (row) => row !== 0)).toEqual([]);
    expect(detection.slow({ ...rules, agentsMin: 4 }, everybody)).toEqual([]);
  });

  test('the latest results count, however good those before were', () => {
    const detection = judging([Array(40).fill(1), [1, 1, 1], [1, 1, 1]]);
    detection.completed(0, time(9));
    expect(detection.slow(rules, everybody)).toEqual([]);
    detection.completed(0, time(9));
    expect(detection.slow(rules, everybody)).toEqual([0]);
    expect(detection.save().agents[0]?.times.length).toBe(32);
  });

  test('work that runs still counts once it is overdue, and not before', () => {
    const detection = judging([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]);
    const running = (micros: readonly number[]) => new Map([[1, micros.map((each) => time(each))]]);
    expect(detection.slow(rules, everybody, running([1.9, 1.9]))).toEqual([]);
    expect(detection.slow(rules, everybody, running([2.1]))).toEqual([]);
    expect(detection.slow(rules, everybody, running([2.1, 2.1]))).toEqual([1]);
    const other = new Map([[1, [time(99, 7), time(99, 7)]]]);
    expect(detection.slow(rules, everybody, other), 'nobody has completed the like').toEqual([]);
  });

  test('estimates that are wrong of one class of tasks blame nobody who has more of them', () => {
    const detection = new OutlierDetection();
    for (let count = 0; count < 3; count++) {
      detection.completed(0, time(count === 0 ? 9 : 0.1, count === 0 ? 1 : 2));
      detection.completed(1, time(9, 1));
      detection.completed(2, time(0.1, 2));
    }
    expect(detection.slow(rules, everybody)).toEqual([]);
    for (let count = 0; count < 3; count++) detection.completed(2, time(0.3, 2));
    expect(detection.slow(rules, everybody)).toEqual([2]);
  });

  test('failures in a row; a success in between forgives them', () => {
    const detection = new OutlierDetection();
    expect([detection.failed(0, rules), detection.failed(0, rules)]).toEqual([false, false]);
    detection.completed(0, time(1));
    expect([0, 0, 0].map(() => detection.failed(0, rules))).toEqual([false, false, true]);
    expect(detection.failed(0, { ...rules, failuresMax: 0 })).toBe(false);
  });

  test('ejections grow by the first length, up to the longest, and shrink with each sound check', () => {
    const detection = new OutlierDetection();
    expect([1, 2, 3, 4].map(() => detection.eject(0, rules))).toEqual([10, 20, 25, 25]);
    detection.forgive(everybody);
    detection.completed(0, time(1));
    for (let checks = 0; checks < 3; checks++) detection.forgive(everybody);
    detection.forgive(() => false);
    expect(detection.eject(0, rules)).toBe(20);
  });

  test('who is ejected starts from nothing, also after a restart from a snapshot', () => {
    const detection = judging([
      [9, 9, 9],
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]);
    detection.eject(0, rules);
    const restored = new OutlierDetection();
    restored.restore(JSON.parse(JSON.stringify(detection.save())));
    expect(restored.slow(rules, everybody)).toEqual([]);
    expect(restored.eject(0, rules)).toBe(20);
    expect(restored.save().agents[1]).toEqual({
      row: 1,
      times: [time(1), time(1), time(1)],
      failures: 0,
      ejections: 0,
    });
  });
});
