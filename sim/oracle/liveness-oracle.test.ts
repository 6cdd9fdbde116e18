// Gangs and the horizon: what must start although it needs room side by side, and from when on it is judged. The rest is told in
// oracles.test.ts.

import { describe, expect, it } from 'vitest';
import { microsPerHour, microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import { LivenessOracle } from './liveness-oracle.ts';
import { type Fail, OracleViolation } from './violation.ts';

const machines: readonly MachineSpec[] = [
  { name: 'a', cpuMilli: 8000, memoryMib: 1000, gpuCount: 2, gpuModel: 'T4' },
  { name: 'b', cpuMilli: 8000, memoryMib: 1000, gpuCount: 0, gpuModel: '' },
];
const fail: Fail = (oracle, what, nowMicros, concerned) => {
  throw new OracleViolation(oracle, what, nowMicros, concerned, []);
};

function member(cpuMilli: number, size: number, gpuMilli = 0): WorkloadTask {
  const gpuCount = gpuMilli > 0 ? 1 : 0;
  return {
    name: 'member',
    arrivalMicros: 0,
    request: { cpuMilli, memoryMib: 1, gpuCount, gpuMilli, gpuModels: [], machineCount: 1 },
    durationMicros: microsPerSecond,
    estimateMicros: microsPerSecond,
    priority: 0,
    tenant: '',
    gang: { name: 'gang', size },
  };
}

/** The gang's members come at once, each followed by what else happens, and nothing ever runs: what the oracle says after two hours. */
function saysOf(
  members: readonly WorkloadTask[],
  unplaced: 'skip' | 'block' = 'skip',
  horizonMicros = 0,
  then: (oracle: LivenessOracle, submission: number) => void = () => {},
): string {
  const profile = { unplaced, overtakeMax: 0 } as const;
  const heartbeat = { intervalMicros: 10 * microsPerSecond, leaseMicros: 40 * microsPerSecond };
  const oracle = new LivenessOracle({ machines, profile, heartbeat, faults: [], horizonMicros }, fail);
  for (const [index, task] of members.entries()) {
    oracle.taskArrived(index + 1, task, 0);
    then(oracle, index + 1);
  }
  try {
    for (let now = 0; now <= 2 * microsPerHour; now += microsPerMinute) oracle.check(now);
  } catch (error) {
    return (error as OracleViolation).what;
  }
  return '';
}

describe('a gang', () => {
  it('that finds room side by side must start', () => {
    expect(saysOf([member(8000, 2), member(8000, 2)])).toContain('2 tasks are open and fit');
    expect(saysOf([member(4000, 3), member(4000, 3), member(8000, 3)])).toContain('submissions 1, 2, 3');
    expect(saysOf([member(1000, 2, 600), member(1000, 2, 600)])).toContain('2 tasks are open');
  });

  it('that never becomes whole, or for which there is no room, is exempt', () => {
    expect(saysOf([member(8000, 2)])).toBe('');
    expect(saysOf([member(8000, 3), member(8000, 3), member(1000, 3)])).toBe('');
    expect(saysOf([member(1000, 3, 600), member(1000, 3, 600), member(1000, 3, 600)])).toBe('');
  });

  it('misses whoever ended before it was whole', () => {
    const pair = [member(1000, 2), member(1000, 2)];
    const left = (oracle: LivenessOracle, submission: number): void => {
      if (submission === 1) oracle.submissionAnswered(1, false);
    };
    expect(saysOf(pair)).toContain('2 tasks are open');
    expect(saysOf(pair, 'skip', 0, left)).toBe('');
    expect(saysOf([...pair, member(1000, 2)], 'skip', 0, left)).toContain('submissions 2, 3');
  });

  it('that may not fit is an excuse for all where it blocks the others', () => {
    const { gang: _, ...single } = member(1000, 1);
    const large = [member(8000, 3), member(8000, 3), member(1000, 3)];
    expect(saysOf([...large, single])).toContain('submissions 4');
    expect(saysOf([...large, single], 'block')).toBe('');
    expect(saysOf([member(8000, 2), member(8000, 2), single], 'block')).toContain('3 tasks are open');
  });

  it('is judged from the horizon on', () => {
    expect(saysOf([member(8000, 2), member(8000, 2)], 'skip', 1.9 * microsPerHour)).toBe('');
  });
});
