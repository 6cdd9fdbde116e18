// The availability study: its faults are drawn as the model says, and playing windows alone gives what playing everything gives.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test, vi } from 'vitest';
import { RandomStream } from '../../../core/base/random.ts';
import { microsPerDay, microsPerHour, microsPerMinute, microsPerSecond } from '../../../core/base/time.ts';
import { drawFaults } from './draw-faults.ts';
import { faultClasses, sampleBetween, sampleRepair } from './fault-model.ts';
import { defaultStudy, feedMachines, type StudySettings } from './fleet.ts';
import { jobsOf, type LifePlan, type PlannedLife, planLife, wholeLife } from './life.ts';
import { LifeJobRunner } from './life-job.ts';
import { type PlayedWindow, playWindow } from './play-window.ts';
import { nobody, type Recovery } from './request-ledger.ts';
import { requestsFrom } from './requests.ts';
import { digestOf, runLives } from './run-lives.ts';
import { type Stretch, servedShare, sumOf, yearsOf } from './tally.ts';
import { drawControls, planWindows } from './windows.ts';

/** Every delay is the same, so that two worlds differ by what happens in them alone. */
const steady: StudySettings = {
  ...defaultStudy,
  network: { ...defaultStudy.network, latency: { distribution: 'constant', meanMicros: 250, sigma: 0 } },
  disk: {
    ...defaultStudy.disk,
    readLatency: { distribution: 'constant', meanMicros: 100, sigma: 0 },
    writeLatency: { distribution: 'constant', meanMicros: 20, sigma: 0 },
    syncLatency: { distribution: 'constant', meanMicros: 500, sigma: 0 },
  },
};

function planOf(changes: Partial<LifePlan>): LifePlan {
  return { study: steady, seed: 1, spanMicros: microsPerDay, acceleration: 1, controls: 0, ...changes };
}

/** On a machine that others use too. */
vi.setConfig({ testTimeout: 180_000 });

describe('the fault model', () => {
  it('draws the times between failures with the means that it states', () => {
    for (const { name, between } of faultClasses) {
      const random = new RandomStream(7, name);
      let sum = 0;
      for (let draw = 0; draw < 20_000; draw++) sum += sampleBetween(random, between);
      expect(sum / 20_000 / between.meanMicros, name).toBeGreaterThan(0.95);
      expect(sum / 20_000 / between.meanMicros, name).toBeLessThan(1.05);
    }
  });

  it('repairs in shares that add up to one, and within its bounds', () => {
    for (const { name, repair } of faultClasses) {
      expect(
        repair.reduce((sum, part) => sum + part.share, 0),
        name,
      ).toBeCloseTo(1, 12);
      const random = new RandomStream(7, name);
      for (let draw = 0; draw < 1000; draw++) {
        const micros = sampleRepair(random, repair);
        expect(micros).toBeGreaterThan(0);
        expect(micros).toBeLessThanOrEqual(7 * microsPerDay);
      }
    }
  });

  it('strikes racks and feeds as one, the kernel with its feed, and nothing twice at once', () => {
    const { fleet } = defaultStudy;
    const faults = drawFaults({ seed: 3, fleet, spanMicros: 3650 * microsPerDay, acceleration: 1 });
    const feeds = faults.filter(({ cause, effect }) => cause === 'power feed fails' && effect === 'down');
    expect(feeds.length).toBeGreaterThan(3);
    for (const { machines } of feeds) expect(machines).toHaveLength(12);
    const first = feeds.filter(({ machines }) => machines[0] === feedMachines(fleet, 0)[0]);
    const takeovers = faults.filter(({ cause, effect }) => cause === 'power feed fails' && effect === 'kernelDown');
    expect(takeovers.map(({ atMicros }) => atMicros)).toEqual(first.map(({ atMicros }) => atMicros));
    // 24 machines, 4.2 restarts a year each, ten years.
    const restarts = faults.filter(({ cause }) => cause === 'machine restarts');
    expect(restarts.length).toBeGreaterThan(850);
    expect(restarts.length).toBeLessThan(1200);
    const busyUntil = new Map<number, number>();
    for (const { machines, atMicros, forMicros } of restarts) {
      expect(atMicros).toBeGreaterThanOrEqual(busyUntil.get(machines[0] as number) ?? 0);
      busyUntil.set(machines[0] as number, atMicros + forMicros);
    }
  });
});

describe('windows', () => {
  const spanMicros = 365 * microsPerDay;
  const faults = drawFaults({ seed: 5, fleet: defaultStudy.fleet, spanMicros, acceleration: 1 });
  const windows = planWindows(faults, spanMicros);

  it('hold every change, with half a minute before it, and do not overlap', () => {
    for (const { atMicros, forMicros } of faults) {
      for (const change of [atMicros, atMicros + forMicros].filter((micros) => micros < spanMicros)) {
        const holder = windows.find(({ fromMicros, untilMicros }) => fromMicros <= change && change < untilMicros);
        expect(holder, `a window holds ${change}`).toBeDefined();
        expect(change - holder!.fromMicros).toBeGreaterThanOrEqual(Math.min(change, 30 * microsPerSecond));
      }
    }
    windows.forEach((window, index) => {
      expect(window.fromMicros).toBeLessThan(window.untilMicros);
      expect(window.beginMicros).toBeGreaterThan(windows[index - 1]?.untilMicros ?? -1);
    });
  });

  it('leave controls to the calm', () => {
    const controls = drawControls(windows, spanMicros, 5, 50, 5 * microsPerMinute);
    expect(controls).toHaveLength(50);
    for (const control of controls) {
      for (const { atMicros, forMicros } of faults) {
        for (const change of [atMicros, atMicros + forMicros])
          expect(change <= control.beginMicros || change >= control.untilMicros).toBe(true);
      }
    }
  });

  it('meet the same requests wherever they begin', () => {
    const { requests } = defaultStudy;
    const take = (fromMicros: number, untilMicros: number): string[] => {
      const lines: string[] = [];
      for (const { arrivalMicros, durationMicros } of requestsFrom(requests, 9, fromMicros, () => false)) {
        const atMicros = fromMicros + arrivalMicros;
        if (atMicros >= untilMicros) return lines;
        lines.push(`${atMicros} ${durationMicros}`);
      }
      return lines;
    };
    const until = 30 * microsPerMinute;
    const all = take(0, until);
    expect(all.length).toBeGreaterThan(3300);
    expect(all.length).toBeLessThan(3900);
    const from = 754 * microsPerSecond;
    expect(take(from, until)).toEqual(all.filter((line) => Number(line.split(' ')[0]) >= from));
  });
});

test('windows alone give what the whole span gives, request by request', () => {
  // Seven weeks' worth of faults in four hours.
  const life = planLife(planOf({ spanMicros: 4 * microsPerHour, acceleration: 300, seed: 2 }));
  expect(new Set(life.faults.map(({ effect }) => effect)).size).toBeGreaterThanOrEqual(6);
  const whole = new Map<number, number>();
  const { played } = playWindow(life, [wholeLife(life)], (asked, took) => whole.set(asked, took));
  const alone = new Map<number, number>();
  const parts: PlayedWindow[] = [];
  for (let at = 0; at < life.windows.length; ) {
    const part = playWindow(life, life.windows.slice(at), (asked, took) => alone.set(asked, took));
    parts.push(part.played);
    at += part.count;
  }
  // The windows leave much out, and that was answered as fast as the longest service lasts.
  expect(alone.size).toBeLessThan(0.75 * whole.size);
  for (const [asked, took] of whole) if (!alone.has(asked)) expect(took).toBeLessThan(16 * microsPerSecond);
  let otherwise = 0;
  for (const [asked, took] of alone) if (Math.abs(took - (whole.get(asked) as number)) > 50_000) otherwise++;
  expect(otherwise).toBeLessThanOrEqual(2);
  expect(Math.max(...alone.values())).toBeGreaterThan(30 * microsPerSecond);
  const sum = sumOf(yearsOf(life, parts)).played;
  expect([sum.late, sum.lost]).toEqual([played.counts.late, played.lost]);
  const sorted = (recoveries: readonly Recovery[]): number[] =>
    recoveries.map(({ micros }) => micros).sort((left, right) => left - right);
  const all = sorted(played.counts.recoveries);
  expect(all.length).toBeGreaterThan(20);
  const some = sorted(sum.recoveries);
  expect(some).toHaveLength(all.length);
  some.forEach((micros, index) => {
    expect(Math.abs(micros - (all[index] as number))).toBeLessThan(50_000);
  });
});

describe('weeks of ten times as many faults', () => {
  const planned = (study: StudySettings, days: number): PlannedLife =>
    planLife(planOf({ study, spanMicros: days * microsPerDay, acceleration: 10, seed: 11, controls: 2 }));
  const play = (study: StudySettings, days: number): { readonly all: Stretch; readonly digest: string } => {
    const life = planned(study, days);
    const runner = new LifeJobRunner();
    const results = jobsOf(life).map((job) => runner.run(job));
    const windows = results.flatMap((result) => result.windows);
    return {
      all: sumOf(
        yearsOf(
          life,
          windows.filter((window) => !window.isControl),
        ),
      ),
      digest: digestOf(results),
    };
  };

  it('keep the goals and lose nothing', () => {
    const { all } = play(defaultStudy, 14);
    const { played } = all;
    expect(played.lost + played.failed + played.refused).toBe(0);
    expect(servedShare(all)).toBeGreaterThanOrEqual(0.999_99);
    expect(played.recoveries.length).toBeGreaterThan(10);
    expect(Math.max(...played.recoveries.map(({ micros }) => micros))).toBeLessThan(30 * microsPerSecond);
    expect(played.notServed[nobody]).toBeUndefined();
    expect(played.kernelOutages.length).toBeGreaterThan(0);
  });

  it('come out the same twice, and from a stopped run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sira-lives-'));
    try {
      const stateFile = join(folder, 'state.json');
      const jobs = jobsOf(planned(defaultStudy, 0.5));
      const results = await runLives(jobs, { workers: 0, stateFile, progress: () => {} });
      const told: number[] = [];
      const again = await runLives(jobs, { workers: 0, stateFile, progress: (done) => told.push(done) });
      expect(told).toEqual([jobs.length]);
      expect(digestOf(again)).toBe(digestOf(results));
      expect(play(defaultStudy, 0.5).digest).toBe(digestOf(results));
      expect(
        play({ ...defaultStudy, heartbeat: { ...defaultStudy.heartbeat, leaseMicros: 9e6 } }, 0.5).digest,
      ).not.toBe(digestOf(results));
      const others = jobsOf(planned(defaultStudy, 1));
      await expect(runLives(others, { workers: 0, stateFile, progress: () => {} })).rejects.toThrow('another study');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('miss the recovery goal with heartbeats and leases as long as scenarios have them', () => {
    const heartbeat = { intervalMicros: 10 * microsPerSecond, leaseMicros: 40 * microsPerSecond };
    const { played } = play({ ...defaultStudy, heartbeat }, 3).all;
    expect(Math.max(...played.recoveries.map(({ micros }) => micros))).toBeGreaterThan(30 * microsPerSecond);
    expect(played.lost).toBe(0);
  });

  it('show what a promise shorter than a recovery costs', () => {
    const requests = { ...defaultStudy.requests, promiseMicros: 16 * microsPerSecond };
    const { played } = play({ ...defaultStudy, requests }, 3).all;
    expect(played.late).toBeGreaterThan(0);
    const causes = Object.keys(played.notServed);
    expect(causes).toContain('machine restarts');
    expect(Object.values(played.notServed).reduce((sum, count) => sum + count, 0)).toBe(played.late);
  });
});
