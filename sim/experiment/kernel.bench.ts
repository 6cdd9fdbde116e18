// How fast the whole kernel is, in the world that `sira run` runs: events and placements a second, table 1, a million streamed
// tasks and what they leave in memory, and what a placement costs as the cluster grows. Each case runs in a process of its own.
// Machines are shared and noisy: times are processor time of the thread that runs the kernel, speeds are those of the 10th
// percentile of many slices, which is nearest to an undisturbed machine; medians, the wall clock and a floor measured in the
// same moments stand beside them.
// Run: node dist/sim/experiment/kernel.bench.js

import { execFile } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import { median } from 'simple-statistics';
import type {
  KernelCase,
  KernelCaseResults,
  MemoryMark,
  NodesRun,
  Pace,
  StreamRun,
  TableRun,
} from './kernel-case.bench.ts';
import type { Timing } from './stopwatch.bench.ts';

export type { MemoryMark, NodesRun, StreamRun } from './kernel-case.bench.ts';

export interface KernelBench {
  /** Processor, memory, runtime, and how busy the machine was. */
  readonly machine: string;
  readonly goals: readonly Goal[];
  /** Alibaba's whole cluster in steady state, by what was measured; medians over repetitions. */
  readonly paces: readonly NamedPace[];
  readonly table: TableBench;
  /** By number of tasks, ascending. */
  readonly streams: readonly StreamRun[];
  readonly memory: readonly MemoryMark[];
  /** By number of machines, ascending. */
  readonly nodes: readonly NodesRun[];
  readonly eventsPerPlacement: readonly { readonly policy: string; readonly events: number }[];
}

export interface Goal {
  readonly name: string;
  readonly wanted: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface NamedPace extends Pace {
  readonly name: string;
}

export interface TableBench {
  /** The first run of a process, the median of several, and the process from its start to the answer. */
  readonly cold: TableRun;
  readonly coldProcess: { readonly wallSeconds: number; readonly cpuSeconds: number };
  /** The best of the runs after it. */
  readonly warm: TableRun;
}

const repetitions = 3;
const tableRepetitions = 8;
const streamTasks = [10_000, 100_000, 1_000_000];
const nodeCounts = [100, 1_000, 10_000];
const scenarioPolicies = ['random', 'best-fit', 'fgd'];

/** Measures all cases; two to three minutes. `progress` is told what runs next, and the share done. */
export async function benchKernel(progress: (name: string, share: number) => void = () => {}): Promise<KernelBench> {
  const total = 3 * repetitions + 1 + streamTasks.length + 1 + nodeCounts.length + scenarioPolicies.length;
  let done = 0;
  const measure = async <Kind extends KernelCase['kind']>(
    name: string,
    request: Extract<KernelCase, { kind: Kind }>,
  ): Promise<Answer<Kind>> => {
    progress(name, done / total);
    const answer = await runCase(request);
    done++;
    return answer as Answer<Kind>;
  };

  const bare: Pace[] = [];
  const watched: Pace[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    const name = `steady state, ${repetition} of ${repetitions}`;
    bare.push((await measure<'pace'>(name, { kind: 'pace', policy: 'fgd', watched: false })).result);
    watched.push((await measure<'pace'>(`${name}, watched`, { kind: 'pace', policy: 'fgd', watched: true })).result);
  }
  const colds: Answer<'table'>[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    colds.push(await measure<'table'>('table 1, cold', { kind: 'table', times: 1 }));
  }
  const coldSeconds = colds.map(({ result }) => seconds((result[0] as TableRun).runSeconds));
  const cold = colds[coldSeconds.indexOf(middle(coldSeconds))] as Answer<'table'>;
  const warm = await measure<'table'>('table 1, warm', { kind: 'table', times: tableRepetitions });
  const streams: StreamRun[] = [];
  for (const tasks of streamTasks) {
    streams.push((await measure<'stream'>(`${tasks.toLocaleString('en')} tasks`, { kind: 'stream', tasks })).result);
  }
  const { result: memory } = await measure<'memory'>('memory over a million tasks', {
    kind: 'memory',
    tasks: streamTasks.at(-1) as number,
  });
  const nodes: NodesRun[] = [];
  for (const count of nodeCounts) {
    // Looking at every machine of a large cluster is slow: a few hundred placements tell its cost.
    const bruteForcePlacements = Math.max(200, Math.round(300_000 / count));
    const name = `${count.toLocaleString('en')} machines`;
    nodes.push((await measure<'nodes'>(name, { kind: 'nodes', nodes: count, bruteForcePlacements })).result);
  }
  const eventsPerPlacement: KernelBench['eventsPerPlacement'][number][] = [];
  for (const policy of scenarioPolicies) {
    const { result } = await measure<'scenario'>(`gpu-cluster.yaml, ${policy}`, { kind: 'scenario', policy });
    eventsPerPlacement.push({ policy, events: result.events / result.placements });
  }

  const measured = {
    machine: describeMachine(),
    paces: [named('kernel, agents and network', bare), named('with collector and oracles', watched)],
    table: {
      cold: cold.result[0] as TableRun,
      coldProcess: cold.process,
      warm: warm.result
        .slice(1)
        .reduce((best, run) => (run.runSeconds.threadSeconds < best.runSeconds.threadSeconds ? run : best)),
    },
    streams,
    memory,
    nodes,
    eventsPerPlacement,
  };
  return { ...measured, goals: goalsOf(measured) };
}

/** Issue 3's figures for the whole kernel. */
function goalsOf(bench: Omit<KernelBench, 'goals'>): Goal[] {
  const [pace] = bench.paces as readonly [NamedPace];
  const last = bench.streams.at(-1) as StreamRun;
  const marks = bench.memory;
  const first = marks[0] as MemoryMark;
  const end = marks.at(-1) as MemoryMark;
  const bytesPerTask = (end.heapBytes - first.heapBytes) / (end.tasksEnded - first.tasksEnded);
  const small = bench.nodes[0] as NodesRun;
  const large = bench.nodes.at(-1) as NodesRun;
  const growth = microsPerPlacement(large) / microsPerPlacement(small);
  const events = 1e9 / pace.undisturbedNanos;
  const placements = 1e6 / microsPerPlacement(pace);
  const worst = Math.max(...bench.eventsPerPlacement.map(({ events }) => events));
  const cold = seconds(bench.table.cold.runSeconds);
  const warm = seconds(bench.table.warm.runSeconds);
  const goal = (name: string, wanted: string, measured: string, met: boolean): Goal => ({
    name,
    wanted,
    measured,
    met,
  });
  return [
    goal('kernel events a second', 'at least 500,000', whole(events), events >= 500_000),
    goal('placements a second', 'at least 50,000', whole(placements), placements >= 50_000),
    goal('table 1, FGD, one seed, in a new process', 'under 0.5 s', `${cold.toFixed(3)} s`, cold < 0.5),
    goal('the same, warm', 'under 0.5 s', `${warm.toFixed(3)} s`, warm < 0.5),
    goal(
      'a million tasks, as `sira run` runs them',
      'under 30 s',
      `${seconds(last.timing).toFixed(1)} s`,
      seconds(last.timing) < 30,
    ),
    goal(
      'their resident memory',
      'under 500 MB',
      `${megabytes(last.residentBytesMax)} MB`,
      last.residentBytesMax < 500e6,
    ),
    goal('live memory that an ended task leaves', 'under 1 byte', `${bytesPerTask.toFixed(2)} bytes`, bytesPerTask < 1),
    goal(
      `cost of a placement, ${whole(large.machines)} machines over ${whole(small.machines)}`,
      `far below ${large.machines / small.machines} times`,
      `${growth.toFixed(1)} times`,
      growth < 5,
    ),
    goal('kernel events a placement, gpu-cluster.yaml', 'at most 15', worst.toFixed(2), worst <= 15),
  ];
}

interface Answer<Kind extends KernelCase['kind']> {
  readonly result: KernelCaseResults[Kind];
  readonly process: { readonly wallSeconds: number; readonly cpuSeconds: number };
}

async function runCase(request: KernelCase): Promise<unknown> {
  // Beside this file: source or build, whichever runs.
  const file = fileURLToPath(import.meta.url).replace(/kernel\.bench\.([jt]s)$/, 'kernel-case.bench.$1');
  const words = [...process.execArgv, '--expose-gc', file, JSON.stringify(request)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout);
}

/** The median repetition, with the undisturbed slices of all. */
function named(name: string, paces: readonly Pace[]): NamedPace {
  const costs = paces.map(({ nanos }) => nanos);
  return {
    ...(paces[costs.indexOf(middle(costs))] as Pace),
    name,
    undisturbedNanos: Math.min(...paces.map((pace) => pace.undisturbedNanos)),
    floors: median(paces.map(({ floors }) => floors)),
  };
}

/** The lower median: one of the values. */
function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[(values.length - 1) >> 1] as number;
}

function seconds(timing: Timing): number {
  return timing.threadSeconds;
}

/** Undisturbed. */
export function microsPerPlacement(pace: Pace): number {
  return (pace.undisturbedNanos * pace.events) / pace.placements / 1000;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

export function describeMachine(): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, ${memory} GiB, ${process.platform}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}`;
}

/** The goals as a table for the terminal. */
export function formatKernelBench(bench: KernelBench): string {
  const table = new Table({ head: ['whole kernel', 'goal', 'measured', ''], style: { head: [], border: [] } });
  for (const { name, wanted, measured, met } of bench.goals)
    table.push([name, wanted, measured, met ? 'met' : 'MISSED']);
  return `whole kernel, on ${bench.machine}; processor time of the kernel's thread\n${table.toString()}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(formatKernelBench(await benchKernel((name) => process.stderr.write(`measuring ${name}\n`))));
}
