// How fast the engine is: the hold model (take the earliest event, schedule one after a gap) through `Simulation` as runs use
// it, limits and checks on, beside std::priority_queue and SimPy in the same run. Figures are ratios of interleaved
// repetitions, because machines differ and are noisy. A peer that cannot be had is named as skipped.
// Run: npx tsx sim/engine/engine.bench.ts [--json FILE]

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Table from 'cli-table3';
import { median } from 'simple-statistics';
import { RandomStream } from '../../core/base/random.ts';
import { projectRoot } from '../experiment/project-root.ts';
import { sampleExponential, samplePareto } from './distributions.ts';
import { eventPriority } from './priority.ts';
import { defaultSimulationLimits, Simulation } from './simulation.ts';

/** One measured case. Speeds are medians over the repetitions, in millions of events a second. */
export interface BenchRow {
  readonly name: string;
  readonly pattern: string;
  readonly pending: number;
  readonly megaEventsPerSecond: number;
  readonly peers: readonly BenchPeer[];
}

export interface BenchPeer {
  readonly name: string;
  readonly megaEventsPerSecond: number;
  /** Median over the repetitions of the engine's speed over the peer's, measured one right after the other. */
  readonly ratio: number;
  /** Least ratio promised, if one is. */
  readonly goal?: number;
}

export interface EngineBench {
  /** Processor, runtime, and how busy the machine was: with more load than cores all figures suffer. */
  readonly machine: string;
  readonly rows: readonly BenchRow[];
  /** Peers that could not be had, each with the reason. */
  readonly skipped: readonly string[];
}

/** The peers' sources, which the build does not copy. */
const peerFolder = join(projectRoot(), 'sim', 'engine', 'bench-peers');
const gapCount = 16_384;
const repetitions = 7;
const events = 1_000_000;
/** Run before the clock starts, after twice the pending events. */
const warmUpEvents = 200_000;
const simpyEvents = 150_000;
const simpyRepetitions = 7;
const meanGapMicros = 1_000_000;

const patterns: Record<string, (random: RandomStream) => number> = {
  exponential: (random) => Math.round(sampleExponential(random, meanGapMicros)),
  // Infinite variance: a few events lie thousands of mean gaps ahead.
  pareto: (random) => Math.round(samplePareto(random, meanGapMicros / 11, 1.1)),
  // All events fall on a grid of instants, a hundred to a mean gap.
  bursty: (random) => Math.ceil(sampleExponential(random, 100)) * (meanGapMicros / 100),
  // Half of all events happen at the instant that schedules them.
  'zero delay': (random) => (random.nextBelow(2) === 0 ? 0 : Math.round(sampleExponential(random, meanGapMicros))),
};

interface Case {
  readonly pattern: string;
  readonly pending: number;
  readonly gaps: Float64Array;
}

/** Seconds for `events` events of the hold model. */
function runEngine({ pending, gaps }: Case): number {
  const simulation = new Simulation(defaultSimulationLimits);
  let gap = 0;
  let left = 0;
  const hold = simulation.defineHandler('hold', (target, payload) => {
    simulation.schedule(
      simulation.nowMicros + gaps[gap++ & (gapCount - 1)]!,
      eventPriority.message,
      hold,
      target,
      payload,
    );
    if (--left === 0) simulation.stop();
  });
  for (let index = 0; index < pending; index++) {
    simulation.schedule(gaps[gap++ & (gapCount - 1)]!, eventPriority.message, hold, index, undefined);
  }
  const run = (count: number): void => {
    left = count;
    simulation.runUntil(Number.MAX_SAFE_INTEGER);
  };
  run(2 * pending + warmUpEvents);
  const start = process.hrtime.bigint();
  run(events);
  return Number(process.hrtime.bigint() - start) / 1e9;
}

interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly events: number;
  readonly repetitions: number;
  readonly patterns: readonly string[];
  /** Least ratio promised, by number of pending events, for exponential gaps. */
  readonly goals: Readonly<Record<number, number>>;
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] as string;
}

/** std::priority_queue, if g++ is there. */
function buildCppPeer(folder: string): Peer {
  const binary = join(folder, 'hold');
  const source = join(peerFolder, 'hold.cpp');
  execFileSync('g++', ['-O2', '-o', binary, source], { stdio: 'pipe' });
  return {
    name: 'std::priority_queue',
    command: [binary],
    events,
    repetitions,
    patterns: Object.keys(patterns),
    goals: { 100000: 1.2 },
  };
}

/** SimPy, if Python has it or pip can fetch it. The environment is kept in the temporary folder for the next time. */
function buildSimpyPeer(): Peer {
  const folder = join(tmpdir(), 'sira-bench-simpy');
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe', timeout: 120_000 });
  try {
    execFileSync(python, ['-c', 'import simpy'], { stdio: 'pipe' });
  } catch {
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'simpy'], { stdio: 'pipe', timeout: 120_000 });
  }
  const script = join(peerFolder, 'hold.py');
  return {
    name: 'SimPy',
    command: [python, script],
    events: simpyEvents,
    repetitions: simpyRepetitions,
    patterns: ['exponential'],
    goals: { 100000: 40 },
  };
}

function runPeer(peer: Peer, { pending, gaps }: Case): number {
  const [program, ...given] = peer.command as [string, ...string[]];
  const output = execFileSync(program, [...given, String(pending), String(peer.events)], {
    input: Buffer.from(gaps.buffer),
  });
  return Number.parseFloat(output.toString());
}

function measure(measured: Case, peers: readonly Peer[]): BenchRow {
  const own: number[] = [];
  const theirs = peers.map((): { speeds: number[]; ratios: number[] } => ({ speeds: [], ratios: [] }));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const speed = events / runEngine(measured) / 1e6;
    own.push(speed);
    peers.forEach((peer, index) => {
      if (repetition >= peer.repetitions) return;
      const peerSpeed = peer.events / runPeer(peer, measured) / 1e6;
      theirs[index]!.speeds.push(peerSpeed);
      theirs[index]!.ratios.push(speed / peerSpeed);
    });
  }
  return {
    name: `${measured.pattern}, ${measured.pending.toLocaleString('en')} pending`,
    pattern: measured.pattern,
    pending: measured.pending,
    megaEventsPerSecond: median(own),
    peers: peers.map((peer, index) => {
      const goal = measured.pattern === 'exponential' ? peer.goals[measured.pending] : undefined;
      return {
        name: peer.name,
        megaEventsPerSecond: median(theirs[index]!.speeds),
        ratio: median(theirs[index]!.ratios),
        ...(goal === undefined ? {} : { goal }),
      };
    }),
  };
}

/** Measures all cases; about a minute. `progress` is told the name of each case before it runs. */
export async function benchEngine(progress: (name: string) => void = () => {}): Promise<EngineBench> {
  const folder = mkdtempSync(join(tmpdir(), 'sira-bench-'));
  const peers: Peer[] = [];
  const skipped: string[] = [];
  const builders: [string, () => Peer][] = [
    ['std::priority_queue', () => buildCppPeer(folder)],
    ['SimPy', buildSimpyPeer],
  ];
  for (const [name, build] of builders) {
    try {
      peers.push(build());
    } catch (error) {
      skipped.push(`${name}: ${reasonOf(error)}`);
    }
  }
  try {
    const cases = Object.entries(patterns).flatMap(([pattern, draw]) => {
      const random = new RandomStream(1, pattern);
      const gaps = Float64Array.from({ length: gapCount }, () => draw(random));
      return [1_000, 100_000].map((pending): Case => ({ pattern, pending, gaps }));
    });
    // The compiler sees every pattern before any is measured, as in a long run.
    for (const warmUp of cases) runEngine(warmUp);
    const rows = cases.map((measured) => {
      progress(`${measured.pattern}, ${measured.pending} pending`);
      return measure(
        measured,
        peers.filter((peer) => peer.patterns.includes(measured.pattern)),
      );
    });
    return {
      machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}, load average ${loadavg()[0]!.toFixed(1)}`,
      rows,
      skipped,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The result as a table for the terminal. */
export function formatEngineBench(bench: EngineBench): string {
  const table = new Table({
    head: ['hold model', 'Sira M events/s', 'peer', 'peer M events/s', 'ratio', 'goal'],
    style: { head: [], border: [] },
  });
  for (const row of bench.rows) {
    const speed = row.megaEventsPerSecond.toFixed(1);
    if (row.peers.length === 0) table.push([row.name, speed, '', '', '', '']);
    row.peers.forEach((peer, index) => {
      const goal = peer.goal === undefined ? '' : `${peer.goal} ${peer.ratio >= peer.goal ? 'met' : 'MISSED'}`;
      table.push([
        index === 0 ? row.name : '',
        index === 0 ? speed : '',
        peer.name,
        peer.megaEventsPerSecond.toFixed(2),
        peer.ratio.toFixed(2),
        goal,
      ]);
    });
  }
  return [
    `engine, on ${bench.machine}; medians of ${repetitions} interleaved repetitions`,
    table.toString(),
    ...bench.skipped.map((reason) => `skipped ${reason}`),
  ].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const bench = await benchEngine((name) => process.stderr.write(`measuring ${name}\n`));
  console.log(formatEngineBench(bench));
  const json = process.argv.indexOf('--json');
  if (json >= 0)
    writeFileSync(process.argv[json + 1] ?? 'engine-bench.json', `${JSON.stringify(bench, undefined, 2)}\n`);
}
