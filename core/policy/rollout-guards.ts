// What ends a canary at once, whatever the test says: the bound on harm, and guard metrics above theirs.

import type { Canary } from './canary.ts';
import type { Rollout, RolloutHost } from './rollout.ts';
import type { GuardRule } from './rollout-plan.ts';

const windowDefault = 50;

/** Tasks over which any of the guards is taken, at most. */
export function guardWindowMax(guards: readonly GuardRule[]): number {
  return guards.reduce((most, { windowTasks = windowDefault }) => Math.max(most, windowTasks), 1);
}

/** What is breached, in words; empty if nothing is. */
export function breachOf(
  { plan, canary: look }: Rollout<unknown>,
  canary: Canary,
  host: Pick<RolloutHost<unknown>, 'oldestWaitingMicros' | 'queueLength'>,
  nowMicros: number,
): string {
  const harm = look?.harmTasks ?? 0;
  if (harm > plan.canary.harmTasksMax)
    return `harm of ${Math.round(harm)} tasks is above the bound of ${plan.canary.harmTasksMax}`;
  for (const guard of plan.guards) {
    const value = metricOf(guard, canary, host, nowMicros);
    if (value !== undefined && value > guard.atMost)
      return `${guard.metric} ${Math.round(1000 * value) / 1000} is above ${guard.atMost}`;
  }
  return '';
}

function metricOf(
  { metric, windowTasks = windowDefault }: GuardRule,
  canary: Canary,
  host: Pick<RolloutHost<unknown>, 'oldestWaitingMicros' | 'queueLength'>,
  nowMicros: number,
): number | undefined {
  switch (metric) {
    case 'queueLength':
      return host.queueLength();
    case 'oldestWaitSeconds':
      return Math.max(0, nowMicros - host.oldestWaitingMicros()) / 1_000_000;
    default:
      return canary.recentMean(metric, windowTasks);
  }
}
