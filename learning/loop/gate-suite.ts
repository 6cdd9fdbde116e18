// The suite of the simulation gate on a fitted world: the eight kinds of load that every candidate has to pass, with the service
// times, machines and failures that telemetry told of, written as scenarios and traces that anyone can run again
// (`sira policy gate POLICY --suite FOLDER`).

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../../core/base/random.ts';
import type { FittedWorld } from '../env/fitted-world.ts';
import { type DrawOptions, meanRate, meanServiceSeconds, takeWork, type WorkTask } from '../env/work-model.ts';

export interface SuiteOptions {
  readonly seed: number;
  /** Traces of each kind; a gate that cannot tell by the first few takes the others too. */
  readonly seedsMax: number;
  /** Tasks of one run. */
  readonly tasks: number;
}

interface Member {
  readonly name: string;
  readonly description: string;
  /** Of the machines' time, in the long run. */
  readonly load: number;
  readonly draw?: Omit<DrawOptions, 'seed' | 'rateFactor'>;
  /** Every so many tasks, one spans two machines. */
  readonly gangEvery?: number;
  readonly groups?: (world: FittedWorld) => readonly Group[];
  readonly fails?: boolean;
}

interface Group {
  readonly name: string;
  readonly count: number;
  readonly cpuCores: number;
  readonly memoryGib: number;
}

const members: readonly Member[] = [
  { name: 'steady', description: 'The fitted work at a steady rate.', load: 0.85, draw: { pattern: 'steady' } },
  { name: 'bursty', description: 'The fitted work as it came, calm and rush.', load: 0.82 },
  {
    name: 'diurnal',
    description: 'The fitted work at a rate that rises and falls.',
    load: 0.8,
    draw: { pattern: 'swing' },
  },
  {
    name: 'overload',
    description: 'More work than the machines can do while it arrives.',
    load: 1.05,
    draw: { pattern: 'steady' },
  },
  {
    name: 'failures',
    description: 'Machines go away for as long as they did, more often than they did.',
    load: 0.75,
    fails: true,
  },
  { name: 'heterogeneous', description: 'As many cores on machines of three sizes.', load: 0.75, groups: threeSizes },
  { name: 'gangs', description: 'Among the fitted tasks, some that span two machines.', load: 0.75, gangEvery: 25 },
  {
    name: 'skewed',
    description: 'Service times of the same means, and twice the spread.',
    load: 0.8,
    draw: { sigmaFactor: 2 },
  },
];

export const suiteNames: readonly string[] = members.map(({ name }) => name);

/** Writes scenarios and traces into `folder`: the same world and options give the same files. */
export function writeSuite(folder: string, world: FittedWorld, options: SuiteOptions): void {
  mkdirSync(join(folder, 'data'), { recursive: true });
  for (const [index, member] of members.entries()) {
    let seconds = 0;
    for (let seed = 1; seed <= options.seedsMax; seed++) {
      const tasks = drawMember(world, member, options, 1000 * (options.seed * members.length + index) + seed);
      seconds = Math.max(seconds, tasks.at(-1)?.arrivalSeconds ?? 0);
      writeFileSync(join(folder, 'data', `${member.name}-${seed}.csv`), csvOf(world, member, tasks));
    }
    const scenario = scenarioOf(world, member, options, seconds);
    // JSON is YAML.
    writeFileSync(join(folder, `${member.name}.yaml`), `${JSON.stringify(scenario, undefined, 2)}\n`);
  }
}

function drawMember(world: FittedWorld, { load, draw }: Member, { tasks }: SuiteOptions, seed: number): WorkTask[] {
  const offered = (meanRate(world.work.arrivals) * meanServiceSeconds(world.work)) / world.slots;
  return takeWork(world.work, { ...draw, seed, rateFactor: load / offered }, { count: tasks });
}

function csvOf({ request }: FittedWorld, { gangEvery = 0 }: Member, tasks: readonly WorkTask[]): string {
  const rows = tasks.map(({ taskClass, arrivalSeconds, serviceSeconds, estimateSeconds }, index) =>
    [
      ...[`task-${index + 1}`, arrivalSeconds.toFixed(6), serviceSeconds.toFixed(6), estimateSeconds.toFixed(6)],
      ...[request.cpuMilli, request.memoryMib, taskClass],
      gangEvery > 0 && (index + 1) % gangEvery === 0 ? 2 : 1,
    ].join(','),
  );
  return `name,arrival,service,estimate,cpuMilli,memoryMib,class,machines\n${rows.join('\n')}\n`;
}

function scenarioOf(world: FittedWorld, member: Member, options: SuiteOptions, seconds: number): object {
  const { name, description, groups = asFitted, fails = false } = member;
  return {
    name: `loop-${name}`,
    description,
    cluster: { format: 'groups', groups: groups(world) },
    workload: {
      format: 'csv',
      file: `data/${name}-{seed}.csv`,
      columns: {
        ...{ name: 'name', arrival: 'arrival', duration: 'service', estimate: 'estimate', cpuMilli: 'cpuMilli' },
        ...{ memoryMib: 'memoryMib', taskClass: 'class', machineCount: 'machines' },
      },
      arrivals: { kind: 'trace' },
      estimates: { kind: 'trace' },
    },
    policyDefaults: { unplaced: 'skip' },
    // The gate puts incumbent and candidate in their place.
    policies: ['fcfs', 'sjf'],
    objective: 'waitMeanSeconds',
    seeds: { first: 1, count: options.seedsMax },
    heartbeat: { interval: '500ms', lease: '4s' },
    ...(fails ? { faults: faultsOf(world, options.seed, seconds) } : {}),
  };
}

function asFitted({ machines }: FittedWorld): Group[] {
  const kinds = new Map<string, Group>();
  for (const { cpuMilli, memoryMib } of machines) {
    const key = `${cpuMilli} ${memoryMib}`;
    const known = kinds.get(key);
    const name = known?.name ?? (kinds.size === 0 ? 'agent' : `agent-${kinds.size + 1}`);
    const size = { cpuCores: cpuMilli / 1000, memoryGib: memoryMib / 1024 };
    kinds.set(key, { name, count: (known?.count ?? 0) + 1, ...size });
  }
  return [...kinds.values()];
}

/** The cores of the fitted machines, rounded up to a whole set, on machines of four, two and one slots. */
function threeSizes({ slots, request }: FittedWorld): Group[] {
  const sets = Math.max(1, Math.round(slots / 8));
  const group = (name: string, count: number, holds: number): Group => ({
    ...{ name, count, cpuCores: (holds * request.cpuMilli) / 1000 },
    memoryGib: Math.max(1, (holds * request.memoryMib) / 1024),
  });
  return [group('large', sets, 4), group('middle', sets, 2), group('small', 2 * sets, 1)];
}

/** Crashes for as long as an outage took, three in the run or as many as the rate says. */
function faultsOf({ outages, machines }: FittedWorld, seed: number, seconds: number): object[] {
  const expected = (outages.perAgentHour * machines.length * seconds) / 3600;
  const count = Math.max(3, Math.round(expected));
  const random = new RandomStream(seed, 'suite faults');
  const lengthSeconds = Math.max(1, outages.meanSeconds);
  return Array.from({ length: count }, (_, index) => ({
    kind: 'crash',
    at: `${(((index + random.nextFloat()) * seconds) / count).toFixed(1)}s`,
    for: `${lengthSeconds.toFixed(1)}s`,
    machines: { share: 1 / machines.length },
  }));
}
