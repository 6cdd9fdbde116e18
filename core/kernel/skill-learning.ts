// What the end of an attempt teaches of the agent that ran it: time and energy for the size of its work, and whether it was done.
// What was stopped, began from a checkpoint or ran on several machines says nothing of one agent and one piece of work.

import { fixedExp } from '../base/fixed-math.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { ClusterState } from '../scheduler/cluster-state.ts';
import type { Attempt } from '../scheduler/task.ts';
import type { Effect } from './effects.ts';
import type { TaskFinished } from './inputs.ts';

/** Call it before the attempt is released, so that the agent's next task is placed by what this one has taught. */
export function learnFrom(
  attempt: Attempt,
  { outcome, agent, serviceMicros, joules }: TaskFinished,
  { skills }: AgentRegistry,
  cluster: ClusterState,
  nowMicros: number,
  emit: (effect: Effect) => void,
): void {
  const { kind, task } = attempt;
  const taskClass = kind.taskClass ?? 0;
  if (taskClass === 0 || outcome === 'stopped' || attempt.resumeMicros > 0 || kind.machineCount > 1) return;
  if (!isMeasurement(serviceMicros) || (joules !== undefined && !isMeasurement(joules))) return;
  const completed = outcome === 'completed';
  const turn = skills.record(agent, taskClass, { completed, serviceMicros, size: task.size, joules }, nowMicros);
  cluster.touch(agent);
  if (turn >= 0) cluster.touch(turn);
  const estimate = skills.estimate(agent, taskClass);
  if (estimate === undefined) return;
  emit({
    kind: 'skillMeasured',
    agent,
    taskClass: skills.className(taskClass),
    secondsPerUnit: fixedExp(estimate.mean),
    deviation: Math.sqrt(estimate.variance),
    success: estimate.success,
  });
}

/** Agents are not believed everything: what is no amount teaches nothing. */
function isMeasurement(value: number): boolean {
  return value >= 0 && value <= 1e18;
}
