// One case of the swarm under everything that can find fault with it: the oracles while it runs, what must be left at its end
// (nothing), and a second kernel that takes the same inputs and is replaced by one restored from its own snapshot at drawn times,
// whose digest must be equal; now and then a second run of the whole world does the same. What is found is a value, so that runners can count, shrink and compare it.

import { SiraError } from '../../core/base/errors.ts';
import { RandomStream } from '../../core/base/random.ts';
import { microsPerMinute } from '../../core/base/time.ts';
import { kernelSettingTable } from '../../core/config/kernel-setting-table.ts';
import { judgeEmptiness } from '../oracle/memory-oracle.ts';
import { RecoveryOracle } from '../oracle/recovery-oracle.ts';
import { createSwarmOracles } from '../oracle/swarm-oracles.ts';
import { OracleViolation } from '../oracle/violation.ts';
import type { WorldObserver } from '../world/observer.ts';
import { horizonMicros, memoryBounds } from './case-phases.ts';
import { type KernelRecord, KernelRecorder, restartedDigest } from './restarted-kernel.ts';
import { drawSwarmCase, runSwarmCase, type SwarmCase, type SwarmResult } from './swarm.ts';
import { withKnownClocks } from './swarm-clocks.ts';
import { withCorners } from './swarm-corners.ts';
import { withMoreFaults } from './swarm-faults.ts';
import { withJournal } from './swarm-journal.ts';
import { withPolicies } from './swarm-policies.ts';
import { drawSchedulingCase } from './swarm-scheduling.ts';
import { withFaultPoints, withPowerFailures, withTightJournal, withTightSpots } from './swarm-tight.ts';

/** How long the last acknowledgements may take, lost once or twice. */
const settlingMicros = 10 * microsPerMinute;

/** Of so many seeds one runs the whole world again, with its kernel replaced on the way. */
const wholeEvery = 16;

/** A broken promise. */
export interface Finding {
  /** An oracle's name; or `nothing left`, `snapshots`, `assertion`, or the code of an operating error. */
  readonly oracle: string;
  readonly what: string;
  /** The recent events that led there, oldest first. */
  readonly chain: readonly string[];
}

export interface CheckedCase {
  /** Of the run without restarts; empty if that failed. */
  readonly digest: string;
  readonly simulatedMicros: number;
  readonly eventCount: number;
  /** Times that each fault point fired, by name; empty if the run did not come to its end. */
  readonly faultPoints: ReadonlyMap<string, number>;
  readonly finding: Finding | undefined;
}

export interface CheckOptions {
  /** Watch the first run. */
  readonly observers?: readonly WorldObserver[] | undefined;
  /** When the kernel is replaced, rising; drawn from the case's seed if left out. Empty: never. */
  readonly restartsMicros?: readonly number[] | undefined;
}

/** The case that the runners give a seed: every other one with the scheduler's further options, one in five with a journal, all
 *  with tight spots. A journal's disk is too slow for crowds. */
export function drawCase(seed: number): SwarmCase {
  const drawn = withCorners(withPolicies(seed % 2 === 0 ? drawSchedulingCase(seed) : drawSwarmCase(seed)));
  const tight =
    seed % 5 === 0
      ? withPowerFailures(withTightJournal(withJournal(withTightSpots(drawn, false))))
      : withTightSpots(drawn);
  return withFaultPoints(withKnownClocks(withMoreFaults(tight)));
}

export function checkCase(drawn: SwarmCase, options: CheckOptions = {}): CheckedCase {
  let whole: SwarmResult;
  // With a journal the recovery oracle compares states, at each crash.
  const recorder = drawn.journal === undefined ? new KernelRecorder() : undefined;
  let record: KernelRecord | undefined;
  try {
    whole = runSwarmCase(drawn, { observers: [...oraclesOf(drawn), ...(options.observers ?? [])], recorder });
    record = recorder?.ends(whole.world.host.kernel);
  } catch (error) {
    const finding = isNamedRot(drawn, error) ? undefined : findingOf(error);
    return { digest: '', simulatedMicros: 0, eventCount: 0, faultPoints: new Map(), finding };
  }
  const { nowMicros, eventCount } = whole.world.simulation;
  const restartsMicros = options.restartsMicros ?? (record === undefined ? [] : drawRestarts(drawn.seed, nowMicros));
  // The world as a whole goes again where somebody named the times, and now and then.
  const goesAgain = options.restartsMicros !== undefined || drawn.seed % wholeEvery === 1;
  const finding =
    leftOver(drawn, whole) ??
    keptFor(drawn, whole) ??
    (record === undefined ? undefined : restarted(drawn, record, restartsMicros)) ??
    (goesAgain ? otherwise(drawn, whole, restartsMicros) : undefined);
  return { digest: whole.digest, simulatedMicros: nowMicros, eventCount, faultPoints: firedIn(whole), finding };
}

/** Those of the process and the clients, and those of the last kernel: what its predecessors reached died with them. */
function firedIn({ world }: SwarmResult): Map<string, number> {
  const fired = new Map<string, number>(world.faultPoints.fired);
  for (const [name, times] of world.host.kernel.faultPoints.fired) fired.set(name, (fired.get(name) ?? 0) + times);
  return fired;
}

/** Rot is not always survived, but it is always found where it matters: the kernel does not come back, and says what is damaged. */
function isNamedRot({ faults }: SwarmCase, error: unknown): boolean {
  return (
    error instanceof SiraError && error.code === 'SIRA_LOG_CORRUPT' && faults.some(({ kind }) => kind === 'diskRot')
  );
}

function oraclesOf(drawn: SwarmCase): readonly WorldObserver[] {
  const retryMicros = drawn.settings?.['dispatch.retryMicros'] ?? kernelSettingTable['dispatch.retryMicros'].default;
  const oracles = createSwarmOracles({ ...drawn, retryMicros });
  return drawn.journal === undefined ? oracles : [...oracles, new RecoveryOracle(drawn.profile)];
}

/** One to eight times within a run of the given length, rising. */
export function drawRestarts(seed: number, lengthMicros: number): number[] {
  const random = new RandomStream(seed, 'swarm.restarts');
  const times = Array.from({ length: 1 + random.nextBelow(8) }, () => Math.floor(random.nextFloat() * lengthMicros));
  return times.sort((left, right) => left - right);
}

/** At the end every task has its outcome, and the kernel has forgotten all of them and holds nothing for them. */
function leftOver(drawn: SwarmCase, { outcomes, world }: SwarmResult): Finding | undefined {
  const { control } = world.host.kernel;
  const { scheduler } = control;
  const { cluster } = scheduler;
  const left = [
    outcomes.size === drawn.tasks.length ? '' : `${outcomes.size} of ${drawn.tasks.length} tasks have an outcome`,
    control.taskCountNow === 0 ? '' : `the kernel still knows ${control.taskCountNow} tasks`,
    scheduler.attempts.size === 0 ? '' : `${scheduler.attempts.size} attempts hold resources`,
    scheduler.queueLength === 0 ? '' : `${scheduler.queueLength} tasks wait`,
    cluster.cpuFreeTotalMilli === cluster.cpuCapacityTotalMilli
      ? ''
      : `${cluster.cpuFreeTotalMilli} of ${cluster.cpuCapacityTotalMilli} CPU milli are free`,
    cluster.gpuFreeTotalMilli === cluster.gpuCapacityTotalMilli
      ? ''
      : `${cluster.gpuFreeTotalMilli} of ${cluster.gpuCapacityTotalMilli} GPU milli are free`,
  ].filter((line) => line !== '');
  return left.length === 0 ? undefined : { oracle: 'nothing left', what: `at the end ${left.join(', ')}`, chain: [] };
}

/** When the last words have been said, too: nothing is kept in memory that is of no use any more. */
function keptFor(drawn: SwarmCase, { world }: SwarmResult): Finding | undefined {
  const { simulation } = world;
  try {
    world.runUntil(Math.max(simulation.nowMicros, horizonMicros(drawn)) + settlingMicros);
    judgeEmptiness(world, memoryBounds(drawn));
  } catch (error) {
    return isNamedRot(drawn, error) ? undefined : findingOf(error);
  }
  return undefined;
}

/** Whether a kernel that is replaced on the way says anything else of the same inputs, or ends in another state. */
function restarted(drawn: SwarmCase, record: KernelRecord, restartsMicros: readonly number[]): Finding | undefined {
  if (restartsMicros.length === 0) return undefined;
  let digest: string;
  try {
    digest = restartedDigest(record, drawn.profile, restartsMicros);
  } catch (error) {
    return afterRestarts(restartsMicros, findingOf(error));
  }
  return digest === record.digest ? undefined : otherDigest(restartsMicros, record.digest, digest);
}

/** Whether the run goes otherwise if the kernel is replaced on the way. */
function otherwise(drawn: SwarmCase, whole: SwarmResult, restartsMicros: readonly number[]): Finding | undefined {
  if (restartsMicros.length === 0) return undefined;
  let restored: SwarmResult;
  try {
    restored = runSwarmCase(drawn, { restartsMicros });
  } catch (error) {
    return afterRestarts(restartsMicros, findingOf(error));
  }
  return restored.digest === whole.digest ? undefined : otherDigest(restartsMicros, whole.digest, restored.digest);
}

function afterRestarts(restartsMicros: readonly number[], { what, oracle, chain }: Finding): Finding {
  const when = `after restarts from snapshots at ${restartsMicros.join(', ')} µs`;
  return { oracle: 'snapshots', what: `${when}: ${oracle}: ${what}`, chain };
}

function otherDigest(restartsMicros: readonly number[], whole: string, restored: string): Finding {
  const what = `restarts from snapshots at ${restartsMicros.join(', ')} µs change the digest from ${whole} to ${restored}`;
  return { oracle: 'snapshots', what, chain: [] };
}

function findingOf(error: unknown): Finding {
  if (error instanceof OracleViolation) {
    return { oracle: error.oracle, what: `${error.what}, at ${error.nowMicros} µs`, chain: error.chain };
  }
  if (error instanceof SiraError) return { oracle: error.code, what: error.message, chain: [] };
  if (!(error instanceof Error)) throw error;
  return { oracle: 'assertion', what: `${error.name}: ${error.message}`, chain: [] };
}
