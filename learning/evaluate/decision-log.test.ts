// The off-policy witness on a simulated run: a shadow beside a policy that explores, and the truth from letting the other policy serve.

import { expect, test } from 'vitest';
import { completePlan } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { type AgentsOptions, agentMachines, agentsWorkload } from '../../sim/rollout/agents-workload.ts';
import { runRollout } from '../../sim/rollout/run-rollout.ts';
import { DecisionLog } from './decision-log.ts';
import { estimateOffPolicy } from './off-policy.ts';

const second = 1_000_000;
const firstFit: Profile = {
  ...{ name: 'fast first', order: 'fcfs', place: 'first-fit', unplaced: 'skip', backfill: 'none' },
  ...{ overtakeMax: 0, typicalTasks: [] },
};
const spreads: Profile = { ...firstFit, name: 'spreads', place: 'worst-fit' };
const plan = completePlan({ shadowDecisions: 1_000_000, canary: { slowdownFloorMicros: second } });

function play(profile: Profile, candidate: Profile, exploreShare: number, tasks: number) {
  const agents: AgentsOptions = {
    ...{ seed: 5, machines: 3, slots: 4, slowness: [1, 1.5, 2], tasks, sigma: 0.5 },
    ...{ meanGapMicros: 8 * second, meanDurationMicros: 20 * second },
  };
  const log = new DecisionLog(second);
  const run = runRollout({
    ...{ seed: 5, machines: agentMachines(agents), workload: agentsWorkload(agents), profile, candidate, plan },
    ...{ proposeAtMicros: 0, witnesses: { simulation: 'pass', replay: 'pass' }, resumes: false },
    settings: { 'scheduler.exploreShare': exploreShare },
    observers: [
      {
        kernelInput: (body, nowMicros) => log.input(body, nowMicros),
        kernelEffect: (effect) => log.effect(effect),
      },
    ],
  });
  return { estimate: estimateOffPolicy(log.decisions()), slowdownMean: run.slowdownMean };
}

test('what a shadow would have earned has the sign of what it earns', () => {
  const { estimate, slowdownMean } = play(firstFit, spreads, 0.1, 8_000);
  const truth = play(spreads, spreads, 0, 8_000).slowdownMean - slowdownMean;
  expect(truth).toBeGreaterThan(0.1);
  expect(estimate.verdict).toBe('higher');
  expect(estimate.effectiveSample).toBeGreaterThan(100);
  // Decisions are judged one by one, in the states that the other policy brings about: the same side, not the same number.
  expect(estimate.doublyRobust?.mean).toBeGreaterThan(truth / 3);
  expect(estimate.doublyRobust?.mean).toBeLessThan(3 * truth);
});

test('a policy that never explores tells nothing of others', () => {
  expect(play(firstFit, spreads, 0, 2000).estimate.verdict).toBe('cannotTell');
});
