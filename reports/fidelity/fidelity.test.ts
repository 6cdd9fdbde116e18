// `sira fidelity` and `sira calibrate` from end to end, on a live run that is short: what they write, what they refuse, and that the
// work offered is the work asked for. How good the prediction is, a run of seconds does not tell.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCalibration } from '../../sim/replay/calibration-file.ts';
import { atShare } from '../../sim/world/calibration.ts';
import { liveRun, measureRound, offeredTasks } from './live-run.ts';

const built = process.env.SIRA_TEST_BUILT ?? join(import.meta.dirname, '..', '..', 'dist');
const folder = mkdtempSync(join(tmpdir(), 'sira-fidelity-test-'));
const tasks = 30;
let journal: string;

function sira(...words: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(built, 'sira.js'), ...words], { encoding: 'utf8' });
}

beforeAll(async () => {
  mkdirSync(join(folder, 'run'));
  journal = await liveRun({
    ...{ built, folder: join(folder, 'run'), seed: 3, tasks, agents: 2, load: 0.9, share: undefined },
    microsPerRound: measureRound(),
    told: () => {},
  });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sira calibrate', () => {
  it('writes what it measured as a file that is read again', () => {
    const file = join(folder, 'measured.yaml');
    const { status, stdout, stderr } = sira('calibrate', journal, '--output', file);
    expect(status, stderr).toBe(0);
    const calibration = readCalibration(file);
    const { 'short-work': short, 'warm-up': warm } = calibration.service;
    expect((short?.count ?? 0) + (calibration.service['long-work']?.count ?? 0)).toBeGreaterThan(15);
    // Work takes at least nearly what it takes alone; estimates were that.
    expect(atShare(short?.ratio ?? [], 0.5)).toBeGreaterThan(0.8);
    expect(warm).toBeUndefined();
    expect(calibration.trips[0]?.totalMicros[0]).toBeGreaterThan(0);
    expect(stdout).toContain('short-work: takes ');
  });

  it('says what is wrong', () => {
    expect(sira('calibrate', join(folder, 'nothing')).status).not.toBe(0);
    expect(sira('calibrate').status).toBe(2);
  });
});

describe('sira fidelity', () => {
  it('compares two journals, and keeps figure and calibration', () => {
    const output = join(folder, 'compared');
    const { status, stdout, stderr } = sira('fidelity', journal, journal, '--json', '--output', output);
    expect(status, stderr).toBe(0);
    const answer = JSON.parse(stdout);
    // The tasks that warmed the agents up are not among them.
    expect(answer.tasks).toBe(tasks);
    expect(answer.offeredLoad).toBeGreaterThan(0.4);
    for (const { kind, measures } of answer.kinds) {
      expect(['waiting', 'service', 'completion']).toContain(kind);
      expect(measures.p95.live).toBeGreaterThanOrEqual(measures.p50.live);
      expect(measures.p50.error).toBeCloseTo(measures.p50.simulated / measures.p50.live - 1, 6);
    }
    const service = answer.kinds.find(({ kind }: { kind: string }) => kind === 'service').measures;
    expect(Math.abs(service.mean.error)).toBeLessThan(0.5);
    expect(readFileSync(join(output, 'fidelity.svg'), 'utf8')).toContain('<svg');
    expect(existsSync(join(output, 'calibration.yaml'))).toBe(true);
  });

  it('says what is wrong', () => {
    for (const words of [[journal], ['--tasks', 'many'], ['--load', '0'], ['--share', '1.5']]) {
      const { status, stderr } = sira('fidelity', ...words);
      expect(status, words.join(' ')).toBe(2);
      expect(stderr).toContain('SIRA_USAGE');
    }
  });
});

describe('the work offered', () => {
  it('is the load asked for, to the task, the same for a seed and another for another', () => {
    for (const share of [undefined, 0.2]) {
      const asked = { seed: 1, tasks: 500, agents: 2, load: 0.82, share };
      const offered = offeredTasks(asked);
      const work = offered.reduce((sum, { millis }) => sum + millis, 0);
      const span = offered.at(-1)?.dueMillis ?? 0;
      expect(work / (span * 2 * (share ?? 1))).toBeCloseTo(0.82, 6);
      expect(offeredTasks(asked)).toEqual(offered);
      expect(offeredTasks({ ...asked, seed: 2 })).not.toEqual(offered);
    }
    const long = offeredTasks({ seed: 1, tasks: 5000, agents: 1, load: 0.5, share: undefined });
    const share = long.filter(({ name }) => name === 'long-work').length / long.length;
    expect(share).toBeGreaterThan(0.18);
    expect(share).toBeLessThan(0.22);
  });
});
