// The agents scenario: requests and fleets from their seeds, times that can be checked by hand, and a kernel that keeps its promises.

import { expect, test } from 'vitest';
import type { Effect } from '../../../core/kernel/effects.ts';
import { createOracles } from '../../../sim/oracle/create-oracles.ts';
import { agentFleet, gigabitsBetween, workClasses } from './agent-fleet.ts';
import { AgentGroups } from './agent-groups.ts';
import { type AgentRequest, AgentRequests, spans } from './agent-requests.ts';
import { runAgents } from './agent-run.ts';
import { percentile } from './agent-runs.ts';

const requests = new AgentRequests();
const fleet = agentFleet(1);

test('training, validation and tests share no request, and a seed draws the same ones', () => {
  const minutes = Object.values(spans);
  for (const [index, [from]] of minutes.entries()) if (index > 0) expect(from).toBe(minutes[index - 1]![1]);
  const counts = (['training', 'validation', 'tests'] as const).map((span) => requests.draw(span, 1, 1).length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(8819);
  const drawn = requests.draw('training', 3, 2, 300);
  expect(requests.draw('training', 3, 2, 300)).toEqual(drawn);
  expect(requests.draw('training', 4, 2, 300)).not.toEqual(drawn);
  expect(drawn.at(-1)!.arrivalMicros).toBeLessThanOrEqual(151e6);
});

test('fleets of a seed have the same machines in another order for another', () => {
  const models = (seed: number) => agentFleet(seed).machines.map(({ gpuModel }) => gpuModel);
  expect(models(2)).toEqual(models(2));
  expect(models(2)).not.toEqual(models(3));
  expect(models(2).toSorted()).toEqual(models(3).toSorted());
});

test('a group computes as long as its slowest member, after the tensors have come over the slowest links', () => {
  const asked: AgentRequest = { arrivalMicros: 0, plainSeconds: 8, gigabits: 40, groupSize: 2, workClass: 1 };
  const groups = new AgentGroups(fleet, [asked]);
  const tasks = [...{ [Symbol.iterator]: () => groups.workload.tasks() }];
  expect(tasks.map(({ gang }) => gang?.size)).toEqual([2, 2]);
  for (const [agent, { name }] of fleet.machines.entries())
    groups.kernelEffect({ kind: 'agentRegistered', agent, name } as Effect);
  const slow = fleet.machines.findIndex(({ gpuModel }) => gpuModel === 'K80');
  const fast = fleet.machines.findIndex(
    ({ gpuModel }, machine) => gpuModel === 'V100' && fleet.rackOf[machine] !== fleet.rackOf[slow],
  );
  const dispatch = (submission: number, agent: number): void =>
    groups.kernelEffect({ kind: 'dispatch', submission, agent } as Effect);
  dispatch(1, fast);
  dispatch(2, slow);
  const compute = (machine: number): number => (4 * fleet.plainRate(1)) / fleet.rate(machine, 1);
  expect(gigabitsBetween(fleet, fast, slow)).toBe(10);
  // 40 gigabits over two members, one way each: 2 s.
  const end = (compute(slow) + 2) * 1e6;
  for (const [index, machine] of [fast, slow].entries()) {
    const run = tasks[index]!.run!(machine, 1);
    expect(run.durationMicros).toBeCloseTo(compute(machine) * 1e6, -1);
    expect(run.setUpMicros! + run.durationMicros).toBeCloseTo(end, -1);
  }
  // Both on one machine: nothing to wait for but its own memory.
  dispatch(2, fast);
  expect(tasks[0]!.run!(fast, 1).setUpMicros).toBe(20_000);
});

test('the oracles hold, the same run is the same, and every request ends', () => {
  const asked = requests.draw('validation', 1, 2, 240);
  expect(asked.length).toBeGreaterThan(20);
  let finish: ((nowMicros: number) => void) | undefined;
  let nowMicros = 0;
  const first = runAgents(fleet, asked, { place: 'locality' }, (options) => {
    const oracles = createOracles(options);
    finish = (now) => oracles.finish(now);
    return [
      ...oracles.observers,
      {
        taskEnded: (_, now) => {
          nowMicros = now;
        },
      },
    ];
  });
  finish!(nowMicros);
  expect(first.completionSeconds).toHaveLength(asked.length);
  expect(runAgents(fleet, asked, { place: 'locality' })).toEqual(first);
  const spread = runAgents(fleet, asked, { place: 'spread' });
  expect(spread.digest).not.toBe(first.digest);
  expect(percentile(spread.completionSeconds, 0.5)).toBeGreaterThan(percentile(first.completionSeconds, 0.5));
  const share = ({ gigabits: { machine, rack, uplink } }: typeof first): number => uplink / (machine + rack + uplink);
  expect(share(first)).toBeLessThan(share(spread));
});

test('percentiles are those of the sample', () => {
  expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(percentile([1, 2, 3, 4], 0.99)).toBe(4);
  expect(workClasses).toHaveLength(3);
});
