// Makes a failing case smaller, as long as the same oracle still finds fault with it: fewer tasks, machines, faults and
// cancellations (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002, ddmin over each list),
// then every trouble and every option taken out that is not needed, then shorter times. What is left is what matters.

import { microsPerSecond } from '../../core/base/time.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { checkCase, drawRestarts, type Finding } from './check-case.ts';
import { drawFaultMachines } from './fault-plan.ts';
import type { SwarmCase } from './swarm.ts';

export interface ShrinkOptions {
  /** Cases run, at most. */
  readonly runsMax: number;
  /** What finds fault; {@link checkCase} if left out. */
  readonly check?: typeof checkCase | undefined;
  /** Called whenever the case has become smaller. */
  readonly progress?: ((tasks: number, runs: number) => void) | undefined;
}

export interface Shrunk {
  readonly case: SwarmCase;
  /** When the kernel is to be replaced by one restored from its snapshot; empty if that is not what fails. */
  readonly restartsMicros: readonly number[];
  readonly finding: Finding;
  readonly runs: number;
}

/** The smallest case found that fails as `drawn` does; undefined if `drawn` keeps every promise. */
export function shrinkCase(drawn: SwarmCase, options: ShrinkOptions): Shrunk | undefined {
  const first = (options.check ?? checkCase)(drawn);
  if (first.finding === undefined) return undefined;
  const restarts = first.finding.oracle === 'snapshots' ? drawRestarts(drawn.seed, first.simulatedMicros) : [];
  const shrinker = new Shrinker(drawn, restarts, first.finding, options);
  return shrinker.run();
}

class Shrinker {
  private best: SwarmCase;
  private restarts: readonly number[];
  private finding: Finding;
  private runs = 1;
  private readonly options: ShrinkOptions;

  constructor(drawn: SwarmCase, restarts: readonly number[], finding: Finding, options: ShrinkOptions) {
    this.best = drawn;
    this.restarts = restarts;
    this.finding = finding;
    this.options = options;
  }

  run(): Shrunk {
    // Which machines a share means depends on how many there are.
    this.try(withNamedMachines(this.best));
    for (let before = -1; before !== this.size && this.left > 0; ) {
      before = this.size;
      this.shrinkList(this.best.faults, (faults) => ({ ...this.best, faults }));
      this.shrinkList(this.best.cancellations, (cancellations) => ({ ...this.best, cancellations }));
      this.shrinkList(
        this.best.tasks.map((_, index) => index),
        (kept) => withTasks(this.best, kept),
      );
      this.shrinkList(this.best.machines, (machines) => ({ ...this.best, machines }));
      this.shrinkRestarts();
      for (const simpler of simplifications) this.tryNew(simpler(this.best));
      this.simplifyEachTask();
      this.simplifyEachFault();
    }
    return { case: this.best, restartsMicros: this.restarts, finding: this.finding, runs: this.runs };
  }

  private get left(): number {
    return this.options.runsMax - this.runs;
  }

  /** Any change of it is progress: what is tried is never larger. */
  private get size(): number {
    return JSON.stringify(this.best).length + JSON.stringify(this.restarts).length;
  }

  private try(candidate: SwarmCase, restartsMicros = this.restarts): boolean {
    if (this.left <= 0 || !canRun(candidate)) return false;
    this.runs++;
    const { finding } = (this.options.check ?? checkCase)(candidate, { restartsMicros });
    if (finding === undefined || !sameFault(finding, this.finding)) return false;
    this.best = candidate;
    this.restarts = restartsMicros;
    this.finding = finding;
    this.options.progress?.(candidate.tasks.length, this.runs);
    return true;
  }

  private tryNew(candidate: SwarmCase): boolean {
    return JSON.stringify(candidate) !== JSON.stringify(this.best) && this.try(candidate);
  }

  /** Takes out ever smaller pieces of `list`. `withList` builds the case that has only what is kept. */
  private shrinkList<Item>(list: readonly Item[], withList: (kept: readonly Item[]) => SwarmCase): void {
    let kept = list;
    for (let length = kept.length; length >= 1; length = Math.floor(length / 2)) {
      for (let start = kept.length - length; start > -length && this.left > 0; start -= length) {
        const from = Math.max(0, start);
        const fewer = [...kept.slice(0, from), ...kept.slice(start + length)];
        if (fewer.length === kept.length || !this.try(withList(fewer))) continue;
        kept = fewer;
        // `withTasks` counts in the case that is now the best.
        if (typeof kept[0] === 'number') kept = fewer.map((_, index) => index as Item);
      }
    }
  }

  private shrinkRestarts(): void {
    for (let index = this.restarts.length - 1; index >= 0 && this.restarts.length > 1; index--)
      this.try(
        this.best,
        this.restarts.filter((_, position) => position !== index),
      );
  }

  private simplifyEachTask(): void {
    for (let index = 0; index < this.best.tasks.length && this.left > 0; index++) {
      for (const simpler of taskSimplifications) {
        const tasks = [...this.best.tasks];
        tasks[index] = simpler(tasks[index] as WorkloadTask);
        this.tryNew({ ...this.best, tasks });
      }
    }
  }

  private simplifyEachFault(): void {
    for (let index = 0; index < this.best.faults.length && this.left > 0; index++) {
      for (const simpler of faultSimplifications) {
        const faults = [...this.best.faults];
        faults[index] = simpler(faults[index] as FaultSpec);
        this.tryNew({ ...this.best, faults });
      }
    }
  }
}

/** Every task fits on machines that are there when all faults have ended: what a sound kernel would bring to its end. */
function canRun({ machines, tasks, faults, seed }: SwarmCase): boolean {
  const struck = drawFaultMachines(faults, machines, seed);
  const gone = new Set(struck.filter((_, index) => faults[index]?.forMicros === Number.POSITIVE_INFINITY).flat());
  const left = machines.filter((_, index) => !gone.has(index));
  return tasks.every(({ request }) => left.filter((machine) => fits(request, machine)).length >= request.machineCount);
}

function fits(request: WorkloadTask['request'], machine: SwarmCase['machines'][number]): boolean {
  const { cpuMilli, memoryMib, gpuCount, gpuModels } = request;
  if (machine.cpuMilli < cpuMilli || machine.memoryMib < memoryMib || machine.gpuCount < gpuCount) return false;
  return gpuCount === 0 || gpuModels.length === 0 || gpuModels.includes(machine.gpuModel);
}

function sameFault(one: Finding, other: Finding): boolean {
  return one.oracle === other.oracle && (one.oracle !== 'assertion' || one.what === other.what);
}

/** The case with some of its tasks; cancellations of the others are gone, and the rest name the new numbers. */
function withTasks(drawn: SwarmCase, kept: readonly number[]): SwarmCase {
  const submissionOf = new Map(kept.map((index, position) => [index + 1, position + 1]));
  return {
    ...drawn,
    tasks: kept.map((index) => drawn.tasks[index] as WorkloadTask),
    cancellations: drawn.cancellations.flatMap(({ atMicros, submission: former }) => {
      const submission = submissionOf.get(former);
      return submission === undefined ? [] : [{ atMicros, submission }];
    }),
  };
}

function withNamedMachines(drawn: SwarmCase): SwarmCase {
  const struck = drawFaultMachines(drawn.faults, drawn.machines, drawn.seed);
  const named = (index: number): string[] =>
    (struck[index] as readonly number[]).map((machine) => drawn.machines[machine]?.name as string);
  return { ...drawn, faults: drawn.faults.map((fault, index) => ({ ...fault, machines: named(index) })) };
}

const calmNetwork = { loss: 0, duplication: 0, reordering: 0, bandwidthBytesPerSecond: 0 } as const;

const simplifications: readonly ((drawn: SwarmCase) => SwarmCase)[] = [
  (drawn) => ({ ...drawn, network: { ...drawn.network, ...calmNetwork } }),
  ...(['loss', 'duplication', 'reordering', 'bandwidthBytesPerSecond'] as const).map(
    (field) =>
      (drawn: SwarmCase): SwarmCase => ({ ...drawn, network: { ...drawn.network, [field]: 0 } }),
  ),
  (drawn) => ({ ...drawn, network: { ...drawn.network, latency: constantLatency(200) } }),
  (drawn) => ({
    ...drawn,
    network: { ...drawn.network, latency: constantLatency(drawn.network.latency.meanMicros) },
  }),
  (drawn) => withProfile(drawn, { preempt: 'never' }),
  (drawn) => withProfile(drawn, { order: 'fcfs' }),
  (drawn) => withProfile(drawn, { place: 'first-fit' }),
  (drawn) => withProfile(drawn, { overtakeMax: 0 }),
  (drawn) => withProfile(drawn, { backfill: 'none' }),
  (drawn) => withProfile(drawn, { unplaced: 'skip', backfill: 'none' }),
  (drawn) => (drawn.profile.place === 'fgd' ? drawn : withProfile(drawn, { typicalTasks: [] })),
  (drawn) => ({ ...drawn, settings: {} }),
  (drawn) => ({ ...drawn, queueLengthMax: 1_000_000 }),
  (drawn) => ({
    ...drawn,
    heartbeat: { intervalMicros: 10 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
  }),
  (drawn) => ({ ...drawn, tasks: drawn.tasks.map((task) => ({ ...task, arrivalMicros: 0 })) }),
  (drawn) => ({
    ...drawn,
    tasks: drawn.tasks.map((task) => ({ ...task, arrivalMicros: Math.floor(task.arrivalMicros / 2) })),
  }),
  (drawn) => ({ ...drawn, tasks: drawn.tasks.map((task, index) => ({ ...task, name: `task-${index + 1}` })) }),
];

const taskSimplifications: readonly ((task: WorkloadTask) => WorkloadTask)[] = [
  ({ gang: _, ...task }) => task,
  ({ checkpointMicros: _, ...task }) => task,
  (task) => ({ ...task, priority: 0, tenant: 'default' }),
  (task) => ({ ...task, request: { ...task.request, machineCount: 1 } }),
  (task) => ({ ...task, request: { ...task.request, gpuCount: 0, gpuMilli: 0, gpuModels: [] } }),
  (task) => ({ ...task, request: { ...task.request, gpuModels: [] } }),
  (task) => ({ ...task, request: { ...task.request, memoryMib: 1024 } }),
  (task) => ({ ...task, durationMicros: rounded(task.durationMicros) }),
  (task) => ({ ...task, estimateMicros: task.durationMicros }),
  (task) => ({ ...task, arrivalMicros: rounded(task.arrivalMicros) }),
];

const faultSimplifications: readonly ((fault: FaultSpec) => FaultSpec)[] = [
  (fault) => ({ ...fault, machines: 'share' in fault.machines ? fault.machines : fault.machines.slice(0, 1) }),
  (fault) => ({ ...fault, forMicros: rounded(fault.forMicros) }),
  (fault) => ({ ...fault, atMicros: rounded(fault.atMicros) }),
];

function constantLatency(meanMicros: number): SwarmCase['network']['latency'] {
  return { distribution: 'constant', meanMicros: Math.round(meanMicros), sigma: 0 };
}

function withProfile(drawn: SwarmCase, changes: Partial<SwarmCase['profile']>): SwarmCase {
  return { ...drawn, profile: { ...drawn.profile, ...changes } };
}

/** Whole seconds, at least one; what is shorter, or endless, stays. */
function rounded(micros: number): number {
  if (micros < microsPerSecond || micros === Number.POSITIVE_INFINITY) return micros;
  return Math.round(micros / microsPerSecond) * microsPerSecond;
}
