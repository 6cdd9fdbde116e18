// How far a swarm has come: which seeds are checked, what they reached and what they found. The state is written to a file on the
// way, so that a long run may be stopped and taken up again. It belongs to one plan of seeds and one build: the cases of another
// build are other cases.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SiraError } from '../../../core/base/errors.ts';
import { type Reach, ReachCounts } from '../reached.ts';
import type { SwarmFailure, SwarmJobResult } from './swarm-job.ts';

/** The seeds `from`, `from + 1` …, `seeds` of them; of those a shard takes every `shards`-th, beginning with its own number. */
export interface SwarmPlan {
  readonly from: number;
  readonly seeds: number;
  /** From 1. */
  readonly shard: number;
  readonly shards: number;
  /** What the seeds draw; cases of the kernel if left out. */
  readonly swarm?: 'topics';
}

interface SavedState {
  readonly version: 1;
  readonly plan: SwarmPlan;
  readonly build: string;
  /** Positions in the plan, as ranges [first, end), rising. */
  readonly done: readonly (readonly [number, number])[];
  readonly cases: number;
  readonly eventCount: number;
  readonly simulatedMicros: number;
  readonly seconds: number;
  readonly reached: readonly (readonly [string, Reach])[];
  readonly failures: readonly SwarmFailure[];
}

export class SwarmState {
  readonly plan: SwarmPlan;
  readonly counts: ReachCounts;
  readonly failures: SwarmFailure[] = [];
  cases = 0;
  eventCount = 0;
  simulatedMicros = 0;
  /** Time spent by runs before this one. */
  formerSeconds = 0;
  private done: [number, number][] = [];
  /** Of the code that runs, whatever is built meanwhile. */
  private readonly build = buildDigest();

  /** `names`: what should be reached, if not what is known of the kernel. */
  constructor(plan: SwarmPlan, names?: ReachCounts['names']) {
    this.plan = plan;
    this.counts = new ReachCounts(names);
  }

  /** Seeds of the plan that are this shard's. */
  get caseCount(): number {
    const { seeds, shard, shards } = this.plan;
    return Math.max(0, Math.ceil((seeds - (shard - 1)) / shards));
  }

  seedAt(position: number): number {
    const { from, shard, shards } = this.plan;
    return from + shard - 1 + position * shards;
  }

  /** Positions that are not done, cut into jobs of at most `length`. */
  *openJobs(length: number): Generator<readonly [first: number, end: number]> {
    let position = 0;
    for (const [first, end] of [...this.done, [this.caseCount, this.caseCount] as const]) {
      while (position < first) {
        const next = Math.min(position + length, first);
        yield [position, next];
        position = next;
      }
      position = Math.max(position, end);
    }
  }

  add(first: number, end: number, result: SwarmJobResult): void {
    this.done.push([first, end]);
    this.done.sort((left, right) => left[0] - right[0]);
    this.done = this.done.reduce<[number, number][]>((merged, range) => {
      const last = merged.at(-1);
      if (last !== undefined && last[1] === range[0]) last[1] = range[1];
      else merged.push([...range]);
      return merged;
    }, []);
    this.cases += result.cases;
    this.eventCount += result.eventCount;
    this.simulatedMicros += result.simulatedMicros;
    for (const [name, reach] of result.reached) this.counts.add(name, reach);
    this.failures.push(...result.failures);
  }

  /** Written beside the file and renamed, so that a stop in between leaves the former state. */
  save(file: string, seconds: number): void {
    const saved: SavedState = {
      version: 1,
      plan: this.plan,
      build: this.build,
      done: this.done,
      cases: this.cases,
      eventCount: this.eventCount,
      simulatedMicros: this.simulatedMicros,
      seconds: this.formerSeconds + seconds,
      reached: [...this.counts.byName],
      failures: this.failures,
    };
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${JSON.stringify(saved, undefined, 1)}\n`);
    renameSync(`${file}.new`, file);
  }

  /** The state in `file`, or a fresh one if there is no such file. Throws SIRA_USAGE if it belongs to another plan or build. */
  static open(file: string, plan: SwarmPlan, names?: ReachCounts['names']): SwarmState {
    const state = new SwarmState(plan, names);
    if (!existsSync(file)) return state;
    const saved = JSON.parse(readFileSync(file, 'utf8')) as SavedState;
    const remedy = 'Name another file, or remove this one to begin anew.';
    if (JSON.stringify(saved.plan) !== JSON.stringify(plan)) {
      throw new SiraError('SIRA_USAGE', `${file} is the state of another swarm: ${sayPlan(saved.plan)}`, {}, remedy);
    }
    if (saved.build !== state.build)
      throw new SiraError('SIRA_USAGE', `${file} is the state of a swarm over another build`, {}, remedy);
    state.done = saved.done.map(([first, end]) => [first, end]);
    state.cases = saved.cases;
    state.eventCount = saved.eventCount;
    state.simulatedMicros = saved.simulatedMicros;
    state.formerSeconds = saved.seconds;
    for (const [name, reach] of saved.reached) state.counts.add(name, reach);
    state.failures.push(...saved.failures);
    return state;
  }
}

export function sayPlan({ from, seeds, shard, shards }: SwarmPlan): string {
  return `seeds ${from} to ${from + seeds - 1}${shards > 1 ? `, shard ${shard} of ${shards}` : ''}`;
}

/** Of core/, what only the live kernel has: the simulated world is above all else of it (reports/architecture/layers.ts). */
const liveFolders = ['live', 'stores', 'proto', 'deploy'];

/** Digest over the code that decides what a seed does: everything in core/ and sim/ that runs in a simulated world, tests aside. */
export function buildDigest(top = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')): string {
  const hash = createHash('sha256');
  for (const part of ['core', 'sim']) {
    const names = readdirSync(join(top, part), { recursive: true, encoding: 'utf8' }).sort((left, right) =>
      left < right ? -1 : 1,
    );
    for (const name of names) {
      if (part === 'core' && liveFolders.includes(name.split(sep)[0] as string)) continue;
      if (/\.(js|ts)$/.test(name) && !/\.(test|contract|bench|d)\.[jt]s$/.test(name))
        hash.update(name).update(readFileSync(join(top, part, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
