// The gates that read journals, on what live kernels wrote: real agents, real sockets, real files, tasks by the thousand. Agents sleep
// instead of working, so that a busy machine changes little.

import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import type { Submitter, TaskEnd, WorkFunction } from '../../core/live/client.ts';
import { LiveFixture, until } from '../../core/live/live-fixture.contract.ts';
import { offPolicyOf } from './off-policy-witness.ts';
import { type ReplayGateReport, replayGate } from './replay-gate.ts';

let live: LiveFixture | undefined;
afterEach(() => live?.end());

const said = { who: 'test', why: 'test' };
const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** What takes `millis` on a machine of slowness 1. */
function works(slowness: number): WorkFunction {
  return async (_, { parameters }) => {
    await sleep(slowness * Number(parameters.millis));
    return {};
  };
}

interface Job {
  readonly millis: number;
  readonly priority?: number;
}

const taskOf = ({ millis, priority = 0 }: Job) => ({
  ...{ function: 'work', parameters: { millis }, estimateMicros: 1000 * millis, priority },
});

/** Hands in the jobs, `gapMillis` apart on average, and waits until all have ended. */
async function playOpen(submitter: Submitter, jobs: readonly Job[], gapMillis: number): Promise<void> {
  const random = new RandomStream(1, 'arrivals');
  const ends: Promise<TaskEnd>[] = [];
  let dueMillis = performance.now();
  for (const job of jobs) {
    dueMillis -= gapMillis * Math.log(1 - random.nextFloat());
    if (dueMillis > performance.now()) await sleep(dueMillis - performance.now());
    ends.push(submitter.submit(taskOf(job)).then(({ ended }) => ended));
  }
  await Promise.all(ends);
}

/** Ten users, each of whom waits for a job's end before the next: however busy this machine is, nobody floods anybody. Returns how many
 *  jobs completed at the first attempt. */
async function playClosed(submitter: Submitter, count: number): Promise<number> {
  let next = 0;
  let completed = 0;
  const user = async (): Promise<void> => {
    while (next < count) {
      const { ended } = await submitter.submit(taskOf({ millis: 4 + (next++ % 5) }));
      const { outcome, attempts } = await ended;
      if (outcome === 'completed' && attempts === 1) completed++;
    }
  };
  await Promise.all(Array.from({ length: 10 }, user));
  return completed;
}

interface Machine {
  readonly slowness: number;
  readonly slots: number;
}

async function start(policy: object, settings: object, machines: readonly Machine[]) {
  live = await LiveFixture.start({ policy, settings: { ...settings, 'registry.leaseMicros': '60s' } });
  const agents = machines.map(({ slowness, slots }, index) => ({
    name: `agent-${index}`,
    functions: { work: works(slowness) },
    resources: { cpuMilli: 100 * slots, memoryMib: 64 },
  }));
  for (const agent of agents) {
    live.agents(agent);
    const { registry } = live.running.live.kernel.control;
    await until(() => registry.names.includes(agent.name));
  }
  return {
    fixture: live,
    submitter: await live.submitter(),
    source: { folder: join(live.folder, 'data'), codeHash: undefined },
  };
}

test('the off-policy witness hears from a live journal that a policy prefers slow agents, once that was tried often enough', async () => {
  const explore = { 'scheduler.exploreShare': 0.1, 'scheduler.exploreTop': 2 };
  // The fast one comes first, the slow one has more room; and there is room for all, however busy this machine is.
  const machines = [
    { slowness: 1, slots: 500 },
    { slowness: 30, slots: 5000 },
  ];
  const policy = { order: 'fcfs', place: 'first-fit', unplaced: 'skip' };
  const { fixture, submitter, source } = await start(policy, explore, machines);
  const propose = async (name: string, place: string): Promise<number> => {
    const plan = { shadowDecisions: 1_000_000, canary: { slowdownFloorMicros: 1000 } };
    const proposal = { name, policy: { place }, plan, ...said };
    const { rollout } = (await fixture.ask('/v1/policies/rollouts', 'POST', proposal)) as { rollout: number };
    for (const witness of ['simulation', 'replay'])
      await fixture.ask(`/v1/policies/rollouts/${rollout}/witness`, 'POST', {
        ...{ witness, verdict: 'pass', evidence: 'by hand', ...said },
      });
    return rollout;
  };
  await playClosed(submitter, 50);
  const spreads = await propose('spreads', 'worst-fit');
  const first = await playClosed(submitter, 300);
  const few = offPolicyOf(source, spreads);
  // What came before the shadow, and what was placed more than once, is none of its decisions.
  expect(few.estimate).toMatchObject({ decisions: first, verdict: 'cannotTell' });
  expect(few.estimate.effectiveSample).toBeLessThan(100);

  const rest = await playClosed(submitter, 3500);
  const many = offPolicyOf(source, spreads);
  expect(many.estimate.decisions).toBe(first + rest);
  // A twentieth is drawn to where the other would place all.
  expect(many.estimate.effectiveSample).toBeGreaterThan(130);
  expect(many.estimate.effectiveSample).toBeLessThan(250);
  expect(many.verdict, many.evidence).toBe('fail');
  expect(many.evidence).toContain(`over ${first + rest} decisions`);

  // The next candidate's shadow is another's, also over a restart of the kernel; it would decide as the policy that serves.
  await fixture.ask(`/v1/policies/rollouts/${spreads}/reject`, 'POST', said);
  const same = await propose('same', 'first-fit');
  const before = await playClosed(submitter, 200);
  await fixture.restart();
  // What a standstill interrupts, waits for a person.
  await fixture.ask(`/v1/policies/rollouts/${same}/resume`, 'POST', said);
  const after = await playClosed(submitter, 200);
  expect(offPolicyOf(source, spreads).estimate).toEqual(many.estimate);
  const { verdict, estimate } = offPolicyOf(source, same);
  expect(verdict).toBe('cannotTell');
  expect(estimate.decisions).toBe(before + after);
  expect(estimate.agreeing / estimate.decisions).toBeGreaterThan(0.9);
}, 300_000);

test('the replay gate tells on a live journal which order is worse and which is not, if the simulator explains the record', async () => {
  const twin = { slowness: 1, slots: 4 };
  const { submitter, source } = await start({ order: 'fcfs', place: 'best-fit' }, {}, [twin, twin]);
  const random = new RandomStream(1, 'jobs');
  const jobs = Array.from({ length: 600 }, (): Job => {
    const isShort = random.nextFloat() < 0.7;
    return { millis: isShort ? 10 + random.nextBelow(10) : 80 + random.nextBelow(80), priority: isShort ? 0 : 1 };
  });
  await playOpen(submitter, jobs, 5.5);
  const verdictOf = (order: string, verdict: string): ReplayGateReport => {
    const report = replayGate([source], { order });
    expect(report.tasks).toBe(600);
    // A machine that stands still for want of processors does what no simulator foresees.
    expect(report.verdict, report.reason).toBe(report.errorMax > 0.2 ? 'cannotTell' : verdict);
    return report;
  };
  expect(verdictOf('fcfs', 'pass').change).toMatchObject({ mean: 0, low: 0, high: 0 });
  // Long ones have priority: the short ones would wait behind them.
  expect(verdictOf('priority', 'fail').change?.low).toBeGreaterThan(0);
  expect(verdictOf('sjf', 'pass').change?.high).toBeLessThan(0);
  expect(replayGate([source, source], { order: 'sjf' }).tasks).toBe(1200);
}, 300_000);
