// Swarm testing (Groce et al., "Swarm testing", ISSTA 2012): a seed draws a whole case: a small cluster, some hundred tasks,
// a network, faults, cancellations, and which kinds of trouble this case has at all; the run is watched by every oracle. A
// case is data: its seed reproduces it, and a part of it can be taken out to see whether the failure stays.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerHour, microsPerMilli, microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { Profile, TypicalTask } from '../../core/scheduler/framework.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { eventPriority } from '../engine/priority.ts';
import { defaultSimulationLimits } from '../engine/simulation.ts';
import type { FaultSpec, NetworkSpec } from '../experiment/scenario.ts';
import { createOracles } from '../oracle/create-oracles.ts';
import { judgeSizes } from '../oracle/memory-oracle.ts';
import { saysDifference } from '../oracle/say-difference.ts';
import { OracleViolation } from '../oracle/violation.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { JournalSpec } from '../world/journaled-kernel-host.ts';
import type { LatencySpec } from '../world/latency.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { PowerModel } from '../world/power/power-model.ts';
import { World, type WorldOptions } from '../world/world.ts';
import { horizonMicros, memoryBounds, scheduleHorizon, watchMemory } from './case-phases.ts';
import type { KernelRecorder } from './restarted-kernel.ts';

export interface SwarmCase {
  readonly seed: number;
  readonly machines: readonly MachineSpec[];
  readonly tasks: readonly WorkloadTask[];
  readonly profile: Profile;
  readonly network: NetworkSpec;
  readonly heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number };
  readonly faults: readonly FaultSpec[];
  readonly queueLengthMax: number;
  /** Kernel settings that differ from their defaults, by name. */
  readonly settings?: WorldOptions['settings'];
  /** The kernel's journal and its disk; without one, neither is part of the world. */
  readonly journal?: JournalSpec | undefined;
  /** What the machines draw, and whether they sleep; nobody measures energy without it. */
  readonly power?: PowerModel | undefined;
  /** Which fault points are armed, inside the kernel and around it, follows from it; none if left out. */
  readonly faultPointSeed?: number | undefined;
  /** What an operator changes, or tries to, while the kernel runs. */
  readonly settingChanges?: readonly SettingChange[] | undefined;
  readonly cancellations: readonly { readonly atMicros: number; readonly submission: number }[];
}

export interface SettingChange {
  readonly atMicros: number;
  readonly name: string;
  readonly value: number;
}

export interface SwarmOptions {
  /** The kernel is replaced by one restored from its own snapshot at these times, rising. */
  readonly restartsMicros?: readonly number[];
  readonly observers?: readonly WorldObserver[];
  /** Also watches, and is told when the kernel begins. Not with a journal. */
  readonly recorder?: KernelRecorder | undefined;
}

export interface SwarmResult {
  readonly world: World;
  readonly digest: string;
  /** How each task ended, by submission. */
  readonly outcomes: ReadonlyMap<number, string>;
}

const requests: readonly ResourceRequest[] = [
  { cpuMilli: 4000, memoryMib: 8192, gpuCount: 1, gpuMilli: 500, gpuModels: [], machineCount: 1 },
  { cpuMilli: 2000, memoryMib: 4096, gpuCount: 1, gpuMilli: 300, gpuModels: ['T4'], machineCount: 1 },
  { cpuMilli: 8000, memoryMib: 30_000, gpuCount: 2, gpuMilli: 1000, gpuModels: [], machineCount: 1 },
  { cpuMilli: 16_000, memoryMib: 60_000, gpuCount: 4, gpuMilli: 1000, gpuModels: ['V100'], machineCount: 1 },
  { cpuMilli: 12_000, memoryMib: 20_000, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 },
  { cpuMilli: 6000, memoryMib: 10_000, gpuCount: 1, gpuMilli: 1000, gpuModels: [], machineCount: 2 },
  { cpuMilli: 10_000, memoryMib: 16_000, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 3 },
];

const typicalTasks: readonly TypicalTask[] = requests.map(({ cpuMilli, gpuCount, gpuMilli, gpuModels }) => ({
  cpuMilli,
  gpuCount,
  gpuMilli,
  gpuModels,
  count: 1,
}));

const rules: readonly Pick<Profile, 'unplaced' | 'backfill' | 'overtakeMax'>[] = [
  { unplaced: 'skip', backfill: 'none', overtakeMax: 0 },
  { unplaced: 'skip', backfill: 'none', overtakeMax: 5 },
  { unplaced: 'block', backfill: 'none', overtakeMax: 0 },
  { unplaced: 'block', backfill: 'never', overtakeMax: 0 },
  { unplaced: 'block', backfill: 'avoidReserved', overtakeMax: 0 },
  { unplaced: 'backoff', backfill: 'none', overtakeMax: 0 },
  { unplaced: 'drop', backfill: 'none', overtakeMax: 0 },
];
const orders = ['fcfs', 'sjf', 'f1', 'wfp3', 'unicep'] as const;
const places = [
  'random',
  'first-fit',
  'best-fit',
  'worst-fit',
  'gpu-packing',
  'gpu-clustering',
  'spread',
  'fgd',
] as const;
const faultKinds = ['crash', 'hang', 'slow', 'partition', 'lossy'] as const;

/** Draws the case of a seed. */
export function drawSwarmCase(seed: number): SwarmCase {
  const random = new RandomStream(seed, 'swarm');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const machines = drawMachines();
  const taskCount = 40 + random.nextBelow(160);
  const spanning = chance(0.7);
  const meanGapMicros = pick([2, 5, 12]) * microsPerSecond;
  const tasks = drawTasks(
    random,
    taskCount,
    meanGapMicros,
    spanning ? requests : requests.filter((request) => request.machineCount === 1),
  );
  const spanMicros = (tasks.at(-1) as WorkloadTask).arrivalMicros + microsPerMinute;
  const heartbeat = pick([
    { intervalMicros: 10 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
    { intervalMicros: microsPerSecond, leaseMicros: 5 * microsPerSecond },
    { intervalMicros: 2 * microsPerSecond, leaseMicros: 30 * microsPerSecond },
  ]);
  const kinds = faultKinds.filter(() => chance(0.5));
  const faults: FaultSpec[] = [];
  const faultCount = kinds.length === 0 ? 0 : random.nextBelow(9);
  for (let index = 0; index < faultCount; index++) {
    const kind = pick(kinds);
    faults.push({
      kind,
      atMicros: random.nextBelow(spanMicros),
      forMicros:
        1 +
        random.nextBelow(
          pick([microsPerSecond, 10 * microsPerSecond, heartbeat.leaseMicros, 4 * heartbeat.leaseMicros]),
        ),
      machines: chance(0.5) ? { share: pick([0.1, 0.3, 0.6, 1]) } : [pick(machines).name],
      factor: kind === 'slow' ? 1 + random.nextBelow(8) : kind === 'lossy' ? 0.1 + 0.8 * random.nextFloat() : 1,
    });
  }
  // One machine may be gone for good: every request fits without it.
  if (chance(0.1)) {
    const forMicros = Number.POSITIVE_INFINITY;
    const kind = pick(['crash', 'hang', 'partition'] as const);
    faults.push({
      kind,
      atMicros: random.nextBelow(spanMicros),
      forMicros,
      machines: [pick(machines).name],
      factor: 1,
    });
  }
  return {
    seed,
    machines,
    tasks,
    profile: { name: `swarm-${seed}`, order: pick(orders), place: pick(places), ...pick(rules), typicalTasks },
    network: drawNetwork(random, heartbeat.leaseMicros),
    heartbeat,
    faults,
    queueLengthMax: chance(0.2) ? 5 + random.nextBelow(20) : 1_000_000,
    cancellations: chance(0.5) ? drawCancellations(random, taskCount, spanMicros) : [],
  };
}

/** Runs a case under all oracles until every task has ended. */
export function runSwarmCase(drawn: SwarmCase, options: SwarmOptions = {}): SwarmResult {
  const outcomes = new Map<number, string>();
  const recorder: WorldObserver = {
    submissionAnswered: (submission, accepted) => {
      if (!accepted) outcomes.set(submission, 'refused');
    },
    taskEnded: (end) => {
      outcomes.set(end.submission, end.outcome);
    },
  };
  const { seed, machines, profile, network, heartbeat, faults, settings, power } = drawn;
  const horizon = horizonMicros(drawn);
  const oracles = createOracles({
    seed,
    machines,
    profile,
    heartbeat,
    faults,
    settings,
    power,
    horizonMicros: horizon,
  });
  const world = new World({
    seed,
    machines,
    workload: { tasks: () => drawn.tasks[Symbol.iterator](), typicalTasks: () => typicalTasks, notes: [] },
    profile,
    network,
    heartbeat,
    limits: { ...defaultSimulationLimits, queueLengthMax: drawn.queueLengthMax },
    faults,
    settings: drawn.faultPointSeed === undefined ? settings : { ...settings, 'faults.seed': drawn.faultPointSeed },
    faultPointSeed: drawn.faultPointSeed,
    journal: drawn.journal,
    power,
    observers: [
      ...oracles.observers,
      recorder,
      ...(options.observers ?? []),
      ...(options.recorder === undefined ? [] : [options.recorder]),
    ],
  });
  options.recorder?.starts(world.host.kernel);
  scheduleHorizon(world, horizon);
  const bounds = memoryBounds(drawn);
  watchMemory(world, horizon / 15, () => judgeSizes(world, bounds));
  const cancel = world.simulation.defineHandler('task is cancelled', (submission) => world.cancel(submission));
  for (const { atMicros, submission } of drawn.cancellations) {
    world.simulation.schedule(atMicros, eventPriority.world, cancel, submission, undefined);
  }
  const changes = drawn.settingChanges ?? [];
  const change = world.simulation.defineHandler('setting is changed', (index) => {
    const { name, value } = changes[index] as SettingChange;
    world.changeSetting(name, value);
  });
  changes.forEach(({ atMicros }, index) => {
    world.simulation.schedule(atMicros, eventPriority.world, change, index, undefined);
  });
  for (const atMicros of options.restartsMicros ?? []) {
    world.runUntil(atMicros);
    const before = JSON.stringify(world.host.kernel.save());
    world.restartKernelFromSnapshot();
    const after = JSON.stringify(world.host.kernel.save());
    if (after === before) continue;
    const what = `a kernel restored from the snapshot ${saysDifference(before, after)}`;
    throw new OracleViolation('snapshots', what, atMicros, {}, []);
  }
  // The oracles give up before this.
  world.runUntilDone(10_000 * microsPerHour);
  oracles.finish(world.simulation.nowMicros, world);
  return { world, digest: world.host.kernel.digest, outcomes };
}

function drawMachines(): MachineSpec[] {
  const machines: MachineSpec[] = [];
  const add = (name: string, count: number, spec: Omit<MachineSpec, 'name'>): void => {
    for (let number = 0; number < count; number++) machines.push({ name: `${name}-${number}`, ...spec });
  };
  add('v100', 2, { cpuMilli: 64_000, memoryMib: 262_144, gpuCount: 8, gpuModel: 'V100' });
  add('t4', 2, { cpuMilli: 32_000, memoryMib: 131_072, gpuCount: 2, gpuModel: 'T4' });
  add('cpu', 2, { cpuMilli: 32_000, memoryMib: 65_536, gpuCount: 0, gpuModel: '' });
  return machines;
}

function drawTasks(
  random: RandomStream,
  count: number,
  meanGapMicros: number,
  mix: readonly ResourceRequest[],
): WorkloadTask[] {
  const tasks: WorkloadTask[] = [];
  let arrivalMicros = 0;
  for (let number = 1; number <= count; number++) {
    // Some come at one instant.
    if (random.nextFloat() < 0.8) arrivalMicros += random.nextBelow(2 * meanGapMicros);
    const durationMicros = 1 + random.nextBelow(random.nextFloat() < 0.2 ? microsPerMilli : 2 * microsPerMinute);
    tasks.push({
      name: `task-${number}`,
      arrivalMicros,
      request: mix[random.nextBelow(mix.length)] as ResourceRequest,
      durationMicros,
      estimateMicros: Math.max(1, Math.round(durationMicros * (0.25 + 2 * random.nextFloat()))),
      priority: 0,
      tenant: 'default',
    });
  }
  return tasks;
}

function drawNetwork(random: RandomStream, leaseMicros: number): NetworkSpec {
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  // A round trip must leave a good part of the lease, or no agent can hold one.
  const means = [0, 200, 50 * microsPerMilli, leaseMicros / 40, leaseMicros / 20, leaseMicros / 8];
  const meanMicros = means[random.nextBelow(means.length)] as number;
  const distribution = (['constant', 'exponential', 'lognormal'] as const)[
    random.nextBelow(3)
  ] as LatencySpec['distribution'];
  return {
    latency: { distribution, meanMicros, sigma: 0.2 + 1.5 * random.nextFloat() },
    bandwidthBytesPerSecond: chance(0.2) ? 20_000 : 0,
    // A short lease does not survive much loss, and tasks would fail for want of attempts.
    loss: chance(0.4) ? (leaseMicros < 10 * microsPerSecond ? 0.04 : 0.2) * random.nextFloat() : 0,
    duplication: chance(0.4) ? 0.4 * random.nextFloat() : 0,
    reordering: chance(0.4) ? 0.4 * random.nextFloat() : 0,
  };
}

function drawCancellations(random: RandomStream, taskCount: number, spanMicros: number): SwarmCase['cancellations'] {
  const cancellations: { atMicros: number; submission: number }[] = [];
  for (let count = 1 + random.nextBelow(20); count > 0; count--) {
    cancellations.push({ atMicros: random.nextBelow(spanMicros), submission: 1 + random.nextBelow(taskCount) });
  }
  return cancellations;
}
