// Analyses of rows that are made up, by real simulations: what helps is found, nothing is advised where nothing helps, too few rows
// or a fleet that the simulator does not explain tell nothing, and advice that would chase itself is refused.

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { createKernelSettings } from '../../core/config/kernel-setting-table.ts';
import { defaultProfile } from '../../core/live/start-settings.ts';
import { batchOf, type TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { TelemetryRow } from '../../core/telemetry/tables.ts';
import type { AdviceAnswer, AdviceRules, AnalyseJob, JudgedCandidate } from './advice-job.ts';
import { doJob } from './analyse.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import type { Configuration } from './configuration.ts';
import { type RecordedWindow, readWindow } from './recorded-window.ts';
import { simulate } from './simulate-configuration.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-analyse-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

const second = 1_000_000;
const rules: AdviceRules = {
  ...{ objective: 'completionMeanSeconds', tasksMin: 100, tasksMax: 5000, seeds: 6, worthShare: 0.1, harmShare: 0.05 },
  errorMax: 0.3,
};

interface Task {
  readonly arrivalSeconds: number;
  readonly serviceSeconds: number;
  readonly estimateSeconds?: number;
  readonly taskClass?: string;
}

/** What machines of one lane each would have done with them, the first by `key` first: rows as a kernel writes them. */
function rowsOf(
  tasks: readonly Task[],
  lanes: number,
  key: (task: Task) => number = ({ arrivalSeconds }) => arrivalSeconds,
): TelemetryBatch[] {
  const free = new Array<number>(lanes).fill(0);
  const left = [...tasks];
  const rows = tasks.map((_, index): TelemetryRow<'tasks'> => {
    const lane = free.indexOf(Math.min(...free));
    const now = Math.max(free[lane] as number, Math.min(...left.map(({ arrivalSeconds }) => arrivalSeconds)));
    const waiting = left.filter(({ arrivalSeconds }) => arrivalSeconds <= now);
    const task = waiting.reduce((best, one) => (key(one) < key(best) ? one : best));
    left.splice(left.indexOf(task), 1);
    const begin = now;
    free[lane] = begin + task.serviceSeconds;
    const queue = begin - task.arrivalSeconds;
    return {
      time: Math.round((begin + task.serviceSeconds) * second),
      ...{ run: 'live', submitter: 1, submission: index, task: index, outcome: 'completed', agent: `m${lane}` },
      ...{ tenant: 'a', task_class: task.taskClass ?? 'x', priority: 0, cpu_milli: 1000, memory_mib: 100 },
      ...{ gpu_count: 0, gpu_milli: 0, machine_count: 1, attempts: 1 },
      submitted_micros: Math.round(task.arrivalSeconds * second),
      estimate_seconds: task.estimateSeconds ?? task.serviceSeconds,
      ...{ queue_seconds: queue, retry_seconds: 0, dispatch_seconds: 0, lost_seconds: 0, transfer_seconds: 0 },
      ...{ service_seconds: task.serviceSeconds, total_seconds: queue + task.serviceSeconds },
      wait_reason: queue > 0 ? 'CPU' : '',
    };
  });
  rows.sort((left, right) => (left.time as number) - (right.time as number));
  const loads = Array.from({ length: lanes }, (_, lane): TelemetryRow<'agent_load'> => {
    const busy = tasks.reduce((sum, { serviceSeconds }) => sum + serviceSeconds, 0) / lanes;
    const used = Math.min(1, busy / ((rows.at(-1)?.time ?? second) / second));
    return {
      ...{ time: 0, run: 'live', agent: `m${lane}`, state: 'ready', running: 1, cpu_capacity_milli: 1000 },
      ...{ cpu_used_milli: Math.round(1000 * used), memory_capacity_mib: 1000, memory_used_mib: 100 },
      ...{ gpu_capacity_milli: 0, gpu_used_milli: 0 },
    };
  });
  return [batchOf('tasks', rows), batchOf('agent_load', loads)];
}

/** Poisson arrivals; a tenth of the tasks is long. */
function mixed(count: number, gapSeconds: number): Task[] {
  const random = new RandomStream(7, 'test');
  let arrivalSeconds = 0;
  return Array.from({ length: count }, () => {
    arrivalSeconds += -gapSeconds * Math.log(1 - random.nextFloat());
    const serviceSeconds = random.nextFloat() < 0.1 ? 10 : 0.5;
    return { arrivalSeconds, serviceSeconds };
  });
}

function present(machines: number, policy: Partial<Configuration['policy']> = {}): Configuration {
  const { typicalTasks: _, ...usual } = defaultProfile;
  return {
    policy: { ...usual, ...policy },
    settings: createKernelSettings().values() as Readonly<Record<string, number>>,
    machines: Array.from({ length: machines }, (_, index) => ({
      ...{ name: `m${index}`, cpuMilli: 1000, memoryMib: 1000, gpuCount: 0, gpuModel: '' },
    })),
    ...{ power: undefined, sleepAfterMicros: undefined, isRetrained: false },
  };
}

async function analyse(
  batches: readonly TelemetryBatch[],
  configuration: Configuration,
  candidates?: readonly Candidate[],
  changes: Partial<AdviceRules> = {},
) {
  const answers: AdviceAnswer[] = [];
  const job: AnalyseJob = {
    ...({ kind: 'analyse', batches, run: 'live', present: configuration, widenings: {} } as const),
    ...{ rules: { ...rules, ...changes }, folder: join(folder, `${folders++}`), candidates },
  };
  await doJob(job, (answer) => answers.push(answer));
  const found = answers.find((one) => one.kind === 'found')?.candidates ?? [];
  const judged: JudgedCandidate[] = [];
  for (const answer of answers) if (answer.kind === 'judged') judged[answer.index] = answer.judged;
  const last = answers.at(-1);
  expect(last, JSON.stringify(last)).toMatchObject({ kind: 'done' });
  return { found, judged, done: last as Extract<AdviceAnswer, { readonly kind: 'done' }> };
}

const addOne: Candidate = { kind: 'machines', title: 'Add a machine', finding: '', change: { machines: { add: 1 } } };

describe('an analysis', () => {
  const busy = rowsOf(mixed(600, 0.85), 2);

  test('finds that short tasks first help, by how much, and anyone can run it again', {
    timeout: 120_000,
  }, async () => {
    const shortFirst: Candidate = { ...addOne, kind: 'policy', change: { policy: { order: 'sjf' } } };
    const { judged, done } = await analyse(busy, present(2), [shortFirst, addOne]);
    expect(done.answer).toBe('advice');
    const sjf = judged[0] as JudgedCandidate;
    expect(sjf.isGood).toBe(true);
    const [objective] = sjf.effects;
    expect(objective).toMatchObject({ metric: 'completionMeanSeconds', role: 'objective' });
    expect(objective?.change.high).toBeLessThan(-0.1);
    expect(objective?.change.low).toBeLessThan(objective?.change.mean as number);
    // A single window is less sure than the mean of many.
    expect(objective?.expected.low).toBeLessThan(objective?.change.low as number);
    expect(sjf.evidence?.commands).toHaveLength(2);
    expect(Math.abs(sjf.evidence?.fidelity as number)).toBeLessThan(0.05);
    const digest = createHash('sha256');
    for (const command of sjf.evidence?.commands ?? [])
      for (const each of (await simulate(command.replace('npx sira run ', ''))).digests) digest.update(`${each}\n`);
    expect(digest.digest('hex')).toBe(sjf.evidence?.digest);
    // Nothing has written over the evidence of another.
    for (const { file, sha256 } of judged.flatMap(({ evidence }) => evidence?.files ?? []))
      expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(sha256);
    expect(judged[1]?.evidence?.commands[1]).not.toBe(sjf.evidence?.commands[1]);
  });

  test('advises nothing where nothing waits', { timeout: 60_000 }, async () => {
    const calm = Array.from({ length: 150 }, (_, index) => ({ arrivalSeconds: 2 * index, serviceSeconds: 1 }));
    const { found, done } = await analyse(rowsOf(calm, 1), present(1));
    expect(found).toEqual([]);
    expect(done).toMatchObject({
      answer: 'doNothing',
      reasons: [expect.any(String), expect.stringMatching(/worth a try/)],
    });
    expect(done.evidence?.commands).toHaveLength(1);
  });

  test('advises nothing of what does not help: spreading over equal machines', { timeout: 60_000 }, async () => {
    const spread: Candidate = { ...addOne, kind: 'policy', change: { policy: { place: 'spread' } } };
    const { judged, done } = await analyse(busy, present(2), [spread]);
    expect(judged[0]).toMatchObject({ isGood: false, reasons: [expect.stringMatching(/does not exclude/)] });
    expect(done.answer).toBe('doNothing');
  });

  test('cannot tell of too few rows, of none, or of a fleet that the simulator does not explain', async () => {
    const few = await analyse(rowsOf(mixed(50, 1), 2), present(2));
    expect(few.done).toMatchObject({ answer: 'cannotTell', sentence: expect.stringMatching(/^50 tasks completed/) });
    const none = await analyse([batchOf('tasks', [])], present(2));
    expect(none.done).toMatchObject({ answer: 'cannotTell', sentence: expect.stringMatching(/^0 tasks completed/) });
    // They waited for two machines; with eight they would not.
    const other = await analyse(busy, present(8));
    expect(other.done).toMatchObject({ answer: 'cannotTell', sentence: expect.stringMatching(/does not explain/) });
    const gone = await analyse(busy, present(0));
    expect(gone.done).toMatchObject({ answer: 'cannotTell', sentence: 'no agent is alive' });
  });

  test('refuses advice that the next round would take back', { timeout: 120_000 }, async () => {
    const settles = await analyse(busy, present(2), [addOne]);
    expect(settles.judged[0]).toMatchObject({ isGood: true });
    // A machine is worth a tenth of the wait, and saving one may cost ten times as much: each undoes the other.
    const chases = await analyse(busy, present(2), [addOne], { harmShare: 10 });
    expect(chases.judged[0]?.isGood).toBe(false);
    expect(chases.judged[0]?.reasons[0]).toMatch(/it would be undone in the next round/);
    // It is the chase alone that speaks against it.
    expect(chases.judged[0]?.effects[0]?.change.high).toBeLessThan(-0.1);
    expect(chases.done.answer).toBe('doNothing');
  });

  test('says that estimates have drifted, and what correcting them is worth', { timeout: 120_000 }, async () => {
    const drifted = mixed(400, 0.85).map((task) => {
      const isLong = task.serviceSeconds > 1;
      // By what is estimated the long ones are the short ones.
      return { ...task, estimateSeconds: isLong ? 0.1 : 1, taskClass: isLong ? 'long' : 'short' };
    });
    const rows = rowsOf(drifted, 2, ({ estimateSeconds = 0 }) => estimateSeconds);
    const { found, judged } = await analyse(rows, present(2, { order: 'sjf' }));
    const index = found.findIndex(({ kind }) => kind === 'retrain');
    expect(found[index]?.finding).toMatch(/"short" takes 0.50 and "long" takes 1.0e\+2/);
    expect(judged[index]).toMatchObject({ isGood: true });
  });

  test('lets machines sleep where they can, and nothing waits for it', { timeout: 60_000 }, async () => {
    const calm = Array.from({ length: 150 }, (_, index) => ({ arrivalSeconds: 300 * index, serviceSeconds: 20 }));
    const power = { idleWatts: 100, processorWatts: 100, acceleratorWatts: 0, sleepWatts: 5, wakeSeconds: 0.1 };
    const { found, judged } = await analyse(rowsOf(calm, 1), { ...present(1), power });
    expect(found.map(({ kind }) => kind)).toEqual(['power']);
    expect(judged[0]).toMatchObject({ isGood: true });
    expect(judged[0]?.effects[0]).toMatchObject({ metric: 'energyKilowattHours' });
    expect(judged[0]?.effects[0]?.change.high).toBeLessThan(-0.3);
    // A machine that wakes for as long as a task takes would harm too much.
    const slow = await analyse(rowsOf(calm, 1), { ...present(1), power: { ...power, wakeSeconds: 20 } });
    expect(slow.judged[0]?.isGood).toBe(false);
    expect(slow.judged[0]?.reasons.join()).toMatch(/mean completion would rise by .* more than 5.0%/);
  });

  test('refuses what no longer fits', { timeout: 60_000 }, async () => {
    const smaller: Candidate = {
      ...{ kind: 'machines', title: '', finding: '' },
      change: { machines: { resize: { agents: ['m0', 'm1'], factor: 0.5 } } },
    };
    const { judged } = await analyse(busy, present(2), [smaller]);
    expect(judged[0]?.reasons).toEqual(['600 of 600 tasks would fit no machine any more']);
  });
});

test('candidates follow from what limits', () => {
  const { bottlenecks, estimateRatios } = readWindow(rowsOf(mixed(600, 0.85), 2), 5000) as RecordedWindow;
  const none = { hasPriorities: false, hasTenants: false, hasWideTasks: false, hasLargeTasks: false };
  const findings = { bottlenecks, estimateRatios, ...none };
  const titles = (configuration: Configuration, changes: object = {}): string[] =>
    candidatesOf(configuration, { ...findings, ...changes }).map(({ title }) => title);
  const usual = ['Short tasks first', 'Spread tasks', 'Add a machine like m0'];
  expect(titles(present(2))).toEqual([...usual, 'Give m0 twice the cores and memory']);
  // Who gave priorities meant them.
  expect(titles(present(2), { hasPriorities: true })).not.toContain('Short tasks first');
  expect(titles(present(2), { hasTenants: true })).toContain('Shares of the tenants, evenly');
  expect(titles(present(2), { hasWideTasks: true })).toContain('Backfill behind a blocked task');
  expect(titles(present(2), { hasLargeTasks: true })).toContain('Let at most ten tasks pass one that waits');
  expect(titles(present(2, { unplaced: 'backoff' }))[0]).toBe('Try waiting tasks again 10 times as soon');
  expect(titles(present(2, { unplaced: 'block' }))[0]).toBe('Let tasks that fit pass one that does not');
});

test('a window is what its rows say', () => {
  const tasks = [0, 1, 2, 3].map((arrivalSeconds) => ({ arrivalSeconds, serviceSeconds: 2 }));
  const window = readWindow(rowsOf(tasks, 1), 100);
  expect(window?.tasks.map(({ arrivalMicros }) => arrivalMicros)).toEqual([0, second, 2 * second, 3 * second]);
  expect(window?.metrics).toMatchObject({ completionMeanSeconds: 3.5, waitMeanSeconds: 1.5 });
  expect(readWindow(rowsOf(tasks, 1), 2)?.tasks).toHaveLength(2);
  expect(readWindow(rowsOf(tasks, 1), 100, 2 * second)?.completed).toBe(2);
  expect(readWindow([batchOf('tasks', [])], 100)).toBe(undefined);
});
