import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import type { Effect, TaskEnded } from '../kernel/effects.ts';
import type { Input } from '../kernel/inputs.ts';
import { arrayFrom, Submitter, type TaskEnd, tensorFrom } from './client.ts';
import { built, killed, LiveProcesses } from './live-processes.contract.ts';

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

const size = 8;

function matrix(seed: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, index) => ((seed + 1) * (index + 1)) % 97);
}

function product(left: Float64Array, right: Float64Array): Float64Array {
  return Float64Array.from({ length: size * size }, (_, index) => {
    let sum = 0;
    for (let step = 0; step < size; step++)
      sum += left[size * Math.floor(index / size) + step]! * right[size * step + (index % size)]!;
    return sum;
  });
}

function task(seed: number, delayMillis: number) {
  const shape = [size, size];
  return {
    function: 'matrix-multiply',
    parameters: { delayMillis },
    inputs: { left: tensorFrom(matrix(seed), shape), right: tensorFrom(matrix(seed + 1), shape) },
  };
}

function expectProduct(seed: number, end: TaskEnd): void {
  expect(end.outcome).toBe('completed');
  expect(arrayFrom(end.outputs.product!)).toEqual(product(matrix(seed), matrix(seed + 1)));
}

async function until(condition: () => boolean, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!condition()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the journal says of each submission: how often it was recorded as completed, and its ends by outcome. */
async function readRecord(data: string) {
  const completed = new Map<number, number>();
  const ends = new Map<string, TaskEnded>();
  let accepted = 0;
  let agentsLost = 0;
  const folders = { log: `${data}/log`, snapshots: `${data}/snapshots` };
  // By the code that wrote it: no other replays it to the same decisions.
  const { readJournal } = (await import(
    join(built, 'core', 'live', 'read-journal.js')
  )) as typeof import('./read-journal.ts');
  const each = ({ body }: Input, effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'submissionAccepted') accepted++;
      if (effect.kind === 'agentStateChanged' && effect.to === 'dead') agentsLost++;
      if (effect.kind !== 'deliver') continue;
      const end = effect.payload as TaskEnded;
      const known = ends.get(`${effect.subscriber} ${end.submission}`);
      if (known === undefined) completed.set(end.submission, (completed.get(end.submission) ?? 0) + 1);
      else expect(end).toEqual(known);
      ends.set(`${effect.subscriber} ${end.submission}`, end);
    }
    if (body.kind === 'taskFinished') expect(body.attempt).toBeGreaterThan(0);
  };
  const kernel = await readJournal(folders, each);
  return { completed, ends, accepted, agentsLost, kernel };
}

describe('the live kernel', () => {
  test('three agents, a kernel killed twice, an agent killed: every task ends once, with its result', async () => {
    const count = 300;
    let kernel = await processes.startKernel();
    const agents = ['a', 'b', 'c'].map((name) => processes.startAgent(name));
    const told: TaskEnd[] = [];
    const { address } = processes;
    const submitter = await Submitter.connect({ address, name: 'tester', ended: (end) => void told.push(end) });
    const seeds = new Map<number, number>();
    const submitting = (async () => {
      for (let seed = 0; seed < count; seed++) {
        const { submission } = await submitter.submit(task(seed, 20));
        seeds.set(submission, seed);
      }
    })();
    for (const [at, act] of [
      [60, () => killed(kernel, 'SIGKILL')],
      // One that has work: an idle one may not be missed before the end.
      [120, () => killed(agents['abc'.indexOf(told.at(-1)!.agent)]!, 'SIGKILL')],
      [180, () => killed(kernel, 'SIGKILL')],
    ] as const) {
      await until(() => told.length >= at);
      await act();
      if (at !== 120) kernel = await processes.startKernel();
    }
    await submitting;
    await until(() => told.length >= count);
    await submitter.close();
    expect(await killed(kernel, 'SIGTERM')).toBe(0);

    expect(new Set(told.map((end) => end.submission)).size).toBe(count);
    expect(told).toHaveLength(count);
    for (const end of told) expectProduct(seeds.get(end.submission)!, end);

    const record = await readRecord(processes.data);
    expect(record.ends.size).toBe(count);
    expect([...record.completed.values()].every((times) => times === 1)).toBe(true);
    expect(record.kernel.control.tasks.size).toBe(0);
    expect(record.agentsLost).toBeGreaterThanOrEqual(1);
  }, 120_000);

  test('a submitter that is killed gets its ends when it comes back under its name', async () => {
    const kernel = await processes.startKernel();
    processes.startAgent('a');
    const { address } = processes;
    const before = new Set<number>();
    const first = await Submitter.connect({
      address,
      name: 'forgetful',
      ended: ({ submission }) => void before.add(submission),
    });
    const submitted: number[] = [];
    for (let seed = 0; seed < 20; seed++) submitted.push((await first.submit(task(seed, 50))).submission);
    // Of what it has been told some is not acknowledged yet, and what it is told from now on will never be.
    first.abandon();
    const told = new Map<number, TaskEnd>();
    const second = await Submitter.connect({
      address,
      name: 'forgetful',
      ended: (end) => {
        expect(told.has(end.submission)).toBe(false);
        told.set(end.submission, end);
      },
    });
    await until(() => submitted.every((submission) => told.has(submission) || before.has(submission)));
    expect(told.size).toBeGreaterThan(0);
    for (const [submission, end] of told) expectProduct(submitted.indexOf(submission), end);
    const next = await second.submit(task(99, 0));
    expect(next.submission).toBe(21);
    expectProduct(99, await next.ended);
    await second.close();
    expect(await killed(kernel, 'SIGTERM')).toBe(0);
  });
});
