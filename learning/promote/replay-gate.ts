// The replay gate: recent journals of live kernels, played by the simulator once under the policy that was live and once under the
// candidate, task by task. Where the simulator does not explain the record, it has no business judging, and cannot tell.

import type { WitnessVerdict } from '../../core/policy/rollout.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { fitCalibration } from '../../sim/replay/fit-calibration.ts';
import { type JournalSource, readJournal, snapshotSequences } from '../../sim/replay/read-journal.ts';
import { RecordedWorld } from '../../sim/replay/recorded-world.ts';
import type { TaskTimes } from '../../sim/replay/task-times.ts';
import { simulateRecord } from '../../sim/replay/what-if.ts';
import { type BootstrapInterval, bootstrapMean } from '../evaluate/bootstrap.ts';

export interface ReplayGateReport {
  readonly verdict: WitnessVerdict;
  readonly tasks: number;
  /** Of the logarithm of the ratio of slowdowns, candidate over incumbent. */
  readonly change: BootstrapInterval | undefined;
  /** Simulated over live of the unchanged policy, less 1: completion's p50 and p95, the worst of all journals. */
  readonly errorMax: number;
  readonly reason: string;
}

/** Beyond this the simulator does not explain a record. */
const errorBound = 0.2;
/** Tasks below which nothing is said. */
const tasksMin = 200;
/** Neighbours share a queue: a record is resampled in so many blocks. */
const blocks = 20;

/** Throws what reading journals throws. */
export function replayGate(sources: readonly JournalSource[], candidate: Partial<Profile>): ReplayGateReport {
  const ratios: number[] = [];
  let errorMax = 0;
  for (const source of sources) {
    const recorded = new RecordedWorld();
    readJournal(source, snapshotSequences(source)[0] as number, recorded);
    const profile = recorded.profile as Profile;
    // What kernel, messages and agents took beyond the work is in the record too: it befalls both.
    const { calibration } = fitCalibration(recorded);
    const incumbent = simulateRecord(recorded, profile, {}, calibration);
    const changed = simulateRecord(recorded, { ...profile, ...candidate, name: 'candidate' }, {}, calibration);
    const live = recorded.times.summary(1);
    const simulated = incumbent.summary(1);
    for (const part of ['completionP50Micros', 'completionP95Micros'] as const)
      if (live[part] > 0) errorMax = Math.max(errorMax, Math.abs(simulated[part] / live[part] - 1));
    ratios.push(...logRatios(incumbent, changed));
  }
  const change = bootstrapMean(ratios, { blockLength: Math.max(1, Math.floor(ratios.length / blocks)) });
  const facts = { tasks: ratios.length, change, errorMax };
  if (ratios.length < tasksMin)
    return { ...facts, verdict: 'cannotTell', reason: `${ratios.length} tasks are too few: ${tasksMin} are asked` };
  if (errorMax > errorBound) {
    const percent = Math.round(100 * errorMax);
    return { ...facts, verdict: 'cannotTell', reason: `the simulator is off by ${percent}% where it can be seen` };
  }
  if (change === undefined || (change.low <= 0 && change.high > Math.log1p(0.01)))
    return { ...facts, verdict: 'cannotTell', reason: 'the interval of the change contains both' };
  const percent = `${(100 * Math.expm1(change.mean)).toFixed(1)}%`;
  if (change.low > 0) return { ...facts, verdict: 'fail', reason: `slowdown ${percent} worse on the record` };
  return { ...facts, verdict: 'pass', reason: `slowdown changes by ${percent} on the record` };
}

/** Both plays have the same tasks in the same order. */
function logRatios(incumbent: TaskTimes, candidate: TaskTimes): number[] {
  const slowdown = ({ endedMicros, arrivedMicros, submitted }: TaskTimes['all'][number]): number | undefined =>
    endedMicros < 0 ? undefined : Math.max(1, endedMicros - arrivedMicros) / Math.max(1000, submitted.estimateMicros);
  return incumbent.all.flatMap((time, index) => {
    const other = candidate.all[index];
    const before = slowdown(time);
    const after = other === undefined ? undefined : slowdown(other);
    return before === undefined || after === undefined ? [] : [Math.log(after / before)];
  });
}
