import { expect, test } from 'vitest';
import type { InputBody } from '../kernel/inputs.ts';
import { cpuRequest, helloFrom, KernelDriver, plainProfile, submissionOf } from '../kernel/kernel-driver.ts';
import type { RolloutCommand } from '../policy/rollout.ts';
import { defaultRolloutPlan } from '../policy/rollout-plan.ts';
import type { Profile } from '../scheduler/framework.ts';
import { TelemetryRecorder } from './recorder.ts';
import type { TableName } from './tables.ts';

type Rows = Record<string, Record<string, number | string | undefined>[]>;

/** A kernel whose every input goes to a recorder. */
class Recorded {
  readonly driver: KernelDriver;
  readonly rows: Rows = {};
  private readonly recorder: TelemetryRecorder;
  private sequence = 0;

  constructor(settings: Parameters<typeof makeDriver>[0] = {}) {
    this.driver = makeDriver(settings);
    this.recorder = new TelemetryRecorder({
      run: 'test',
      sink: {
        add: (table: TableName, row: object) => {
          this.rows[table] ??= [];
          this.rows[table].push({ ...row });
        },
      },
      kernel: () => this.driver.kernel,
      sampleMicros: 1_000_000,
    });
  }

  give(body: InputBody, atMicros: number) {
    const effects = this.driver.give(body, atMicros);
    this.recorder.record(++this.sequence, atMicros, body, effects);
    return effects;
  }

  end(atMicros: number) {
    return this.give({ kind: 'instantEnded' }, atMicros);
  }

  of(table: TableName) {
    return this.rows[table] ?? [];
  }

  get events() {
    return this.of('task_events').map(({ event, submission }) => `${event} ${submission}`);
  }
}

function makeDriver(settings: ConstructorParameters<typeof KernelDriver>[1]) {
  return new KernelDriver({}, settings);
}

const second = 1_000_000;
const partsOf = (row: Record<string, number | string | undefined>): number =>
  ['queue', 'retry', 'dispatch', 'lost', 'service', 'transfer']
    .map((part) => row[`${part}_seconds`] as number)
    .reduce((sum, value) => sum + value, 0);

test('the life of a task, by hand: where its time went adds up', () => {
  const kernel = new Recorded();
  kernel.give(helloFrom('one'), 0);
  kernel.give(
    submissionOf(1, { taskClass: 'matrix', tenant: 'a', request: { ...cpuRequest, cpuMilli: 3000 } }),
    second,
  );
  kernel.end(second);
  // Needs more than is left.
  kernel.give(submissionOf(2, { request: { ...cpuRequest, cpuMilli: 2000 } }), 2 * second);
  kernel.end(2 * second);
  kernel.give({ kind: 'dispatchAccepted', agent: 0, incarnation: 1, task: 1, attempt: 1 }, 3 * second);
  // Begun 2 s after it was placed; 10 s at the agent, of which it waited 1 s and worked 6 s.
  const end = { kind: 'taskFinished', agent: 0, incarnation: 1, task: 1, attempt: 1, outcome: 'completed' } as const;
  kernel.give({ ...end, serviceMicros: 6 * second, queueMicros: second, joules: 42 }, 13 * second);
  kernel.end(13 * second);
  // Said again: it is one end.
  kernel.give({ ...end, serviceMicros: 6 * second, queueMicros: second, joules: 42 }, 14 * second);
  kernel.give({ ...end, task: 2, attempt: 2, serviceMicros: second }, 15 * second);

  expect(kernel.events).toEqual([
    ...['submitted 1', 'placed 1', 'submitted 2', 'started 1', 'finished 1', 'ended 1'],
    ...['placed 2', 'finished 2', 'ended 2'],
  ]);
  const [first, other] = kernel.of('tasks');
  expect(first).toMatchObject({
    ...{ time: 13 * second, run: 'test', submitter: 1, submission: 1, task: 1, outcome: 'completed', agent: 'one' },
    ...{ tenant: 'a', task_class: 'matrix', cpu_milli: 3000, attempts: 1, joules: 42, wait_reason: '' },
    ...{ queue_seconds: 0, retry_seconds: 0, dispatch_seconds: 3, lost_seconds: 0 },
    ...{ service_seconds: 6, transfer_seconds: 3, total_seconds: 12 },
  });
  expect(other).toMatchObject({ wait_reason: 'CPU', queue_seconds: 11, service_seconds: 1, transfer_seconds: 1 });
  for (const row of kernel.of('tasks')) expect(partsOf(row)).toBeCloseTo(row.total_seconds as number, 9);
  expect(kernel.of('energy')).toMatchObject([{ agent: 'one', source: 'task', attempt: 1, task: 1, joules: 42 }]);
  expect(
    kernel.of('decisions').map(({ outcome, propensity, agent, reasons }) => [outcome, propensity, agent, reasons]),
  ).toEqual([
    ['placed', 1, 'one', ''],
    ['waits', 1, '', 'CPU:1'],
    ['placed', 1, 'one', ''],
  ]);
});

test('what an agent takes with it when it dies is lost time, and the task waits again', () => {
  const kernel = new Recorded({ 'registry.leaseMicros': 4 * second, 'registry.heartbeatIntervalMicros': second });
  kernel.give(helloFrom('one'), 0);
  kernel.give(submissionOf(1), 0);
  kernel.end(0);
  kernel.give({ kind: 'dispatchAccepted', agent: 0, incarnation: 1, task: 1, attempt: 1 }, second);
  kernel.give({ kind: 'timeReached' }, 10 * second);
  kernel.end(10 * second);
  kernel.give(helloFrom('two'), 12 * second);
  kernel.end(12 * second);
  kernel.give(
    {
      kind: 'taskFinished',
      agent: 1,
      incarnation: 1,
      task: 1,
      attempt: 2,
      outcome: 'completed',
      serviceMicros: second,
    },
    15 * second,
  );
  expect(kernel.events).toEqual([
    'submitted 1',
    'placed 1',
    'started 1',
    'lost 1',
    'placed 1',
    'finished 1',
    'ended 1',
  ]);
  const [row] = kernel.of('tasks');
  expect(row).toMatchObject({ attempts: 2, agent: 'two', queue_seconds: 0, total_seconds: 15 });
  expect(row).toMatchObject({ lost_seconds: 10, retry_seconds: 2, service_seconds: 1, transfer_seconds: 2 });
  expect(partsOf(row as never)).toBeCloseTo(15, 9);
});

test('a task that is cancelled while it waits ends so, a submission told twice is one task, a refused one is no task', () => {
  const kernel = new Recorded({ 'scheduler.queueLengthMax': 1 });
  kernel.give(submissionOf(1), 0);
  kernel.give(submissionOf(1), second);
  kernel.give(submissionOf(2), second);
  kernel.end(second);
  kernel.give({ kind: 'taskCancelled', submitter: 1, submission: 1 }, 5 * second);
  kernel.end(7 * second);
  expect(kernel.events).toEqual(['submitted 1', 'refused 2', 'ended 1']);
  expect(kernel.of('tasks')).toMatchObject([{ outcome: 'cancelled', queue_seconds: 5, total_seconds: 5, attempts: 0 }]);
});

test('loads are told when they change, settings with who and why', () => {
  const kernel = new Recorded();
  kernel.give(helloFrom('one'), 0);
  for (let time = 1; time <= 5; time++) kernel.end(time * second);
  kernel.give(submissionOf(1), 6 * second);
  kernel.end(6 * second);
  kernel.end(7 * second);
  kernel.end(8 * second);
  expect(kernel.of('agent_load').map(({ time, running, cpu_used_milli: used }) => [time, running, used])).toEqual([
    [0, 0, 0],
    [7 * second, 1, 1000],
  ]);
  const say = { who: 'me', why: 'a test' };
  kernel.give({ kind: 'settingChanged', name: 'scheduler.attemptsMax', value: 3, ...say }, 9 * second);
  kernel.give({ kind: 'settingChanged', name: 'scheduler.attemptsMax', value: -3, ...say }, 9 * second);
  expect(kernel.of('setting_changes')).toMatchObject([
    { setting: 'scheduler.attemptsMax', value: '3', ...say },
    { setting: 'scheduler.attemptsMax', refusal: expect.stringMatching(/./), ...say },
  ]);
});

test('who proposed, what a witness said, who rolled back: each is a row, and decisions name the policy that made them', () => {
  const kernel = new Recorded();
  const candidate: Profile = { ...plainProfile, name: 'short first', order: 'sjf' };
  const ask = (command: RolloutCommand<Profile>, atSeconds: number) =>
    kernel.give({ kind: 'policyCommanded', command, who: 'ann', why: 'a test' }, atSeconds * second);
  kernel.give(helloFrom('one'), 0);
  ask({ command: 'propose', name: candidate.name, policy: candidate, artifact: '', plan: defaultRolloutPlan }, 1);
  ask({ command: 'witness', rollout: 1, witness: 'simulation', verdict: 'pass', evidence: 'by hand' }, 2);
  ask({ command: 'approve', rollout: 9 }, 3);
  kernel.give(submissionOf(1), 4 * second);
  kernel.end(4 * second);
  ask({ command: 'reject', rollout: 1 }, 5);
  const steps = kernel.of('promotions');
  expect(steps).toMatchObject([
    { time: second, rollout: '1', candidate: 'short first', incumbent: 'plain', to_stage: 'simulation', who: 'ann' },
    { from_stage: 'simulation', to_stage: 'replay', rollout: '1' },
    { verdict: 'pass', reason: 'simulation: by hand', who: 'ann' },
    { verdict: 'refused', reason: expect.stringContaining('approve: ') },
    { to_stage: 'rejected', who: 'ann' },
  ]);
  expect(new Set(steps.map(({ sequence, part }) => `${sequence} ${part}`)).size).toBe(steps.length);
  expect(kernel.of('decisions')).toMatchObject([{ policy: 'plain', explored: 0 }]);
});

test('links are told from dispatches and their answers, and from those that were said again', () => {
  const kernel = new Recorded({ 'dispatch.retryMicros': second });
  kernel.give(helloFrom('one'), 0);
  for (let number = 1; number <= 3; number++) {
    const at = number * 10 * second;
    kernel.give(submissionOf(number), at);
    kernel.end(at);
    // The third is said twice before it is heard.
    if (number === 3) kernel.give({ kind: 'timeReached' }, at + second);
    const answerMicros = at + (number === 3 ? second : 0) + 2000;
    kernel.give({ kind: 'dispatchAccepted', agent: 0, incarnation: 1, task: number, attempt: number }, answerMicros);
  }
  kernel.end(40 * second);
  const rows = kernel.of('links');
  expect(rows.at(-1)).toMatchObject({ agent: 'one', echoes: 3, round_trip_seconds: 0.002, jitter_seconds: 0 });
  expect(rows[0]?.loss).toBe(0);
  expect(rows.at(-1)?.loss).toBeGreaterThan(0);
});

test('a task that is not tried, because another of its kind did not fit, waits for the same', () => {
  const kernel = new Recorded();
  kernel.give(helloFrom('one'), 0);
  for (const submission of [1, 2, 3])
    kernel.give(submissionOf(submission, { request: { ...cpuRequest, cpuMilli: 4000 } }), 0);
  for (let attempt = 1; attempt <= 3; attempt++) {
    kernel.end(attempt * second);
    kernel.give(
      {
        kind: 'taskFinished',
        agent: 0,
        incarnation: 1,
        task: attempt,
        attempt,
        outcome: 'completed',
        serviceMicros: 10,
      },
      attempt * second + 10,
    );
  }
  expect(kernel.of('tasks').map(({ submission, wait_reason: reason }) => [submission, reason])).toEqual([
    [1, ''],
    [2, 'CPU'],
    [3, 'CPU'],
  ]);
});
