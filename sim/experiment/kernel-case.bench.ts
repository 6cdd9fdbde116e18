// One case of the kernel's benchmark, in a process of its own, so that none inherits another's heap or compiled code. The world
// is the one that `sira run` runs: agents, submitter and kernel over the simulated network, limits, assertions, decision
// records and heartbeats on. Run: node kernel-case.bench.js '{"kind":"pace",…}'; the answer is one line of JSON.

import { join } from 'node:path';
import { microsPerDay, microsPerHour, microsPerSecond } from '../../core/base/time.ts';
import type { KernelCounts } from '../../core/kernel/kernel.ts';
import { createOracles } from '../oracle/create-oracles.ts';
import { openMachines } from '../workload/open-machines.ts';
import { openWorkload } from '../workload/open-workload.ts';
import type { WorkloadSpec } from '../workload/spec.ts';
import type { MachineSpec } from '../workload/workload.ts';
import type { World } from '../world/world.ts';
import { buildWorld, openInputs, profileOf, type SeededInputs } from './build-world.ts';
import { Collector } from './collector.ts';
import { loadScenario } from './load-scenario.ts';
import { measurePlacementCost, type PlacementCost } from './placement-cost.bench.ts';
import { projectRoot } from './project-root.ts';
import { runOne } from './run-one.ts';
import type { Scenario } from './scenario.ts';
import { type Beside, measureBesideFloor, startWatch, type Timing } from './stopwatch.bench.ts';

export type KernelCase =
  /** The whole of Alibaba's cluster in steady state. `watched`: with the collector and the oracles of `sira run`. */
  | { readonly kind: 'pace'; readonly policy: string; readonly watched: boolean }
  /** Table 1's FGD, one seed of default, `times` times in one process. */
  | { readonly kind: 'table'; readonly times: number }
  /** So many generated tasks from first to last, as `sira run` does it. */
  | { readonly kind: 'stream'; readonly tasks: number }
  /** The same without a collector, whose live memory is measured on the way. */
  | { readonly kind: 'memory'; readonly tasks: number }
  /** A cluster of so many machines. */
  | { readonly kind: 'nodes'; readonly nodes: number; readonly bruteForcePlacements: number }
  /** The scenario `gpu-cluster.yaml` as it stands. */
  | { readonly kind: 'scenario'; readonly policy: string };

/** Operations are kernel events: inputs, fired timers and effects. */
export interface Pace extends Beside {
  readonly machines: number;
  readonly events: number;
  readonly placements: number;
}

export interface TableRun {
  readonly openSeconds: Timing;
  readonly runSeconds: Timing;
  readonly events: number;
  readonly placements: number;
  readonly gpuAllocationPercent: number;
}

export interface StreamRun {
  readonly machines: number;
  readonly tasks: number;
  readonly events: number;
  readonly placements: number;
  readonly timing: Timing;
  /** Largest resident memory of the process, bytes. */
  readonly residentBytesMax: number;
}

export interface MemoryMark {
  readonly tasksEnded: number;
  readonly tasksLive: number;
  /** Live heap after a full collection, and array buffers, bytes. */
  readonly heapBytes: number;
}

export interface NodesRun extends Pace, PlacementCost {}

export interface KernelCaseResults {
  readonly pace: Pace;
  readonly table: readonly TableRun[];
  readonly stream: StreamRun;
  readonly memory: readonly MemoryMark[];
  readonly nodes: NodesRun;
  readonly scenario: Pace;
}

const seed = 1;
const slices = 12;

function run(request: KernelCase): KernelCaseResults[keyof KernelCaseResults] {
  switch (request.kind) {
    case 'pace':
      return pace(request.policy, request.watched);
    case 'table':
      return Array.from({ length: request.times }, table);
    case 'stream':
      return stream(request.tasks);
    case 'memory':
      return memory(request.tasks);
    case 'nodes':
      return nodes(request.nodes, request.bruteForcePlacements);
    case 'scenario':
      return wholeScenario(request.policy);
  }
}

/** Half a day to fill the cluster, then a quarter of a day in slices. */
function pace(policy: string, watched: boolean): Pace {
  const standing = scenarioNamed('gpu-cluster');
  const scenario = { ...standing, cluster: { ...standing.cluster, sample: 1 } };
  const inputs = openInputs(scenario, seed);
  const observers = watched ? watchers(scenario, inputs, policy) : [];
  const world = buildWorld(scenario, inputs, policy, seed, observers);
  world.runUntil(0.5 * microsPerDay);
  return paceOf(world, 0.25 * microsPerDay);
}

function table(): TableRun {
  const readOpen = startWatch();
  const scenario = scenarioNamed('openb-packing');
  const first = scenario.seeds[0] as number;
  const inputs = openInputs(scenario, first);
  const openSeconds = readOpen();
  const readRun = startWatch();
  const world = buildWorld(scenario, inputs, 'fgd', first, []);
  world.runUntil(scenario.measureMicros);
  const runSeconds = readRun();
  const { kernel } = world.host;
  const { cluster } = kernel.control.scheduler;
  return {
    openSeconds,
    runSeconds,
    events: eventsOf(kernel.counts),
    placements: kernel.counts.placements,
    gpuAllocationPercent: 100 * (1 - cluster.gpuFreeTotalMilli / cluster.gpuCapacityTotalMilli),
  };
}

function stream(tasks: number): StreamRun {
  const { scenario, inputs } = generated(tasks);
  const oracles = createOracles({
    ...scenario,
    machines: inputs.machines,
    profile: profileOf(scenario, inputs, 'fgd'),
  });
  const read = startWatch();
  const { world } = runOne(scenario, inputs, 'fgd', seed, {
    gantt: false,
    observers: oracles.observers,
    finishOracles: oracles.finish,
  });
  const timing = read();
  const { counts } = world.host.kernel;
  return {
    tasks,
    machines: inputs.machines.length,
    events: eventsOf(counts),
    placements: counts.placements,
    timing,
    residentBytesMax: process.resourceUsage().maxRSS * 1024,
  };
}

/** Needs `--expose-gc`. */
function memory(tasks: number): MemoryMark[] {
  const { scenario, inputs } = generated(tasks);
  const world = buildWorld(scenario, inputs, 'fgd', seed, []);
  const marks: MemoryMark[] = [];
  const step = tasks / 10;
  for (let until = microsPerHour / 6; !world.done; until += microsPerHour / 6) {
    world.runUntilDone(until);
    if (world.endedCount < (marks.length + 1) * step || world.done) continue;
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    marks.push({
      tasksEnded: world.endedCount,
      tasksLive: world.arrivedCount - world.endedCount,
      heapBytes: heapUsed + arrayBuffers,
    });
  }
  return marks;
}

/** Run times are capped at an hour here, so that a large cluster is soon in steady state. */
function nodes(count: number, bruteForcePlacements: number): NodesRun {
  const scenario = scenarioNamed('gpu-cluster');
  const { machines: listed } = openMachines({ ...scenario.cluster, sample: 1 } as Scenario['cluster'], seed);
  const machines = machinesLike(listed, count);
  const spec: WorkloadSpec = {
    ...scenario.workload,
    durations: { ...scenario.workload.durations, capMicros: microsPerHour },
  };
  const workload = openWorkload(spec, machines, seed);
  const inputs: SeededInputs = { machines, workload, typicalTasks: workload.typicalTasks(0.95), notes: [] };
  const world = buildWorld(scenario, inputs, 'fgd', seed, []);
  world.runUntil(1.5 * microsPerHour);
  const before = world.host.kernel.counts.placements;
  // As much again as gives about 24,000 placements, whatever the size.
  world.runUntil(1.6 * microsPerHour);
  const anHour = (world.host.kernel.counts.placements - before) * 10;
  return {
    ...paceOf(world, (24_000 / anHour) * microsPerHour),
    ...measurePlacementCost(inputs, 'fgd', bruteForcePlacements),
  };
}

function wholeScenario(policy: string): Pace {
  const scenario = scenarioNamed('gpu-cluster');
  const inputs = openInputs(scenario, seed);
  const world = buildWorld(scenario, inputs, policy, seed, []);
  return paceOf(world, scenario.warmUpMicros + scenario.measureMicros);
}

/** The pace of a world over the next `micros`. */
function paceOf(world: World, micros: number): Pace {
  const { host, machines, simulation } = world;
  const from = simulation.nowMicros;
  const before = host.kernel.counts;
  const beside = measureBesideFloor(slices, (index) => {
    const events = eventsOf(host.kernel.counts);
    world.runUntil(from + Math.round((micros * (index + 1)) / slices));
    return eventsOf(host.kernel.counts) - events;
  });
  const after = host.kernel.counts;
  return {
    ...beside,
    machines: machines.length,
    events: eventsOf(after) - eventsOf(before),
    placements: after.placements - before.placements,
  };
}

function eventsOf(counts: KernelCounts): number {
  return counts.inputs + counts.timers + counts.effects;
}

function watchers(scenario: Scenario, inputs: SeededInputs, policy: string) {
  const oracles = createOracles({
    ...scenario,
    machines: inputs.machines,
    profile: profileOf(scenario, inputs, policy),
  });
  return [...oracles.observers, new Collector(inputs.machines, inputs.typicalTasks, 0, Number.POSITIVE_INFINITY)];
}

function scenarioNamed(name: string): Scenario {
  return loadScenario(join(projectRoot(), 'scenarios', `${name}.yaml`));
}

/** `count` machines with the mix of `listed`: evenly spread over the list, or the list again and again. */
function machinesLike(listed: readonly MachineSpec[], count: number): MachineSpec[] {
  const stride = Math.max(1, listed.length / count);
  return Array.from({ length: count }, (_, index) => ({
    ...(listed[Math.floor(index * stride) % listed.length] as MachineSpec),
    name: `machine-${index}`,
  }));
}

/** A generated workload of common requests on the whole of Alibaba's cluster, offered at 85% of its GPUs. */
function generated(tasks: number): { readonly scenario: Scenario; readonly inputs: SeededInputs } {
  const standing = scenarioNamed('gpu-cluster');
  const cluster = { ...standing.cluster, sample: 1 } as Scenario['cluster'];
  const { machines } = openMachines(cluster, seed);
  const meanMicros = 1800 * microsPerSecond;
  const mix = [
    { weight: 40, cpuMilli: 4000, memoryMib: 8192, gpuCount: 1, gpuMilli: 1000 },
    { weight: 25, cpuMilli: 2000, memoryMib: 4096, gpuCount: 1, gpuMilli: 460 },
    { weight: 20, cpuMilli: 8000, memoryMib: 16_384, gpuCount: 0, gpuMilli: 0 },
    { weight: 9, cpuMilli: 6000, memoryMib: 8192, gpuCount: 1, gpuMilli: 300 },
    { weight: 4, cpuMilli: 12_000, memoryMib: 65_536, gpuCount: 4, gpuMilli: 1000 },
    { weight: 2, cpuMilli: 48_000, memoryMib: 131_072, gpuCount: 8, gpuMilli: 1000 },
  ].map((part) => ({ ...part, gpuModels: [], machineCount: 1 }));
  const weights = mix.reduce((total, { weight }) => total + weight, 0);
  const gpuMilli = mix.reduce((total, part) => total + (part.weight / weights) * part.gpuCount * part.gpuMilli, 0);
  const capacity = machines.reduce((total, { gpuCount }) => total + gpuCount * 1000, 0);
  const workloadSpec: WorkloadSpec = {
    source: {
      format: 'synthetic',
      gapMicros: (gpuMilli * meanMicros) / (0.85 * capacity),
      pattern: 'poisson',
      service: { distribution: 'lognormal', meanMicros, shape: 1.5 },
      mix,
      count: tasks,
    },
    arrivals: { kind: 'trace' },
    durations: { capMicros: microsPerDay, minimumMicros: 1000, endless: false },
    estimates: { kind: 'lognormal', sigma: 0.5 },
  };
  const scenario: Scenario = { ...standing, cluster, workload: workloadSpec, warmUpMicros: 0, measureMicros: 0 };
  const workload = openWorkload(workloadSpec, machines, seed);
  return { scenario, inputs: { machines, workload, typicalTasks: workload.typicalTasks(0.95), notes: [] } };
}

const request = process.argv[2];
if (request !== undefined) {
  const result = run(JSON.parse(request) as KernelCase);
  const { user, system } = process.cpuUsage();
  // The process has come this far since its start, its own files read and compiled.
  const whole = { wallSeconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 };
  process.stdout.write(`${JSON.stringify({ result, process: whole })}\n`);
}
