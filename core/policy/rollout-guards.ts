// What ends a canary at once, whatever the test says, and a promotion: the bound on harm, and guard metrics above theirs.

import type { Rollout, RolloutHost } from './rollout.ts';
import type { GuardMetric, GuardRule } from './rollout-plan.ts';

const windowDefault = 50;

/** What guards of the present moment are read from. */
export type GuardedHost = Pick<RolloutHost<unknown>, 'oldestWaitingMicros' | 'queueLength'>;

/** Slowdown and failure of a policy's last ended tasks, oldest first. */
export type TaskOutcomes = readonly (readonly [number, boolean])[];

export class RecentTasks {
  private readonly countMax: number;
  private readonly outcomes: (readonly [number, boolean])[] = [];

  /** For what these guards ask. */
  constructor(guards: readonly GuardRule[]) {
    this.countMax = guards.reduce((most, { windowTasks = windowDefault }) => Math.max(most, windowTasks), 1);
  }

  add(slowdown: number, failed: boolean): void {
    this.outcomes.push([slowdown, failed]);
    if (this.outcomes.length > this.countMax) this.outcomes.shift();
  }

  /** Mean slowdown or share of failures over the last tasks; undefined while there are fewer. */
  mean(metric: 'slowdown' | 'failedShare', windowTasks: number): number | undefined {
    if (this.outcomes.length < windowTasks) return undefined;
    let sum = 0;
    for (const [slowdown, failed] of this.outcomes.slice(-windowTasks))
      sum += metric === 'slowdown' ? slowdown : +failed;
    return sum / windowTasks;
  }

  save(): TaskOutcomes {
    return [...this.outcomes];
  }

  restore(outcomes: TaskOutcomes): void {
    this.outcomes.push(...outcomes);
  }
}

/** Guards and the tasks that those of them see which are not of the present moment. */
export interface Guarded {
  readonly plan: { readonly guards: readonly GuardRule[] };
  readonly recent: RecentTasks;
}

export interface GuardReading {
  readonly metric: GuardMetric;
  readonly atMost: number;
  readonly windowTasks: number;
  /** Undefined while too few tasks have ended. */
  readonly value: number | undefined;
}

/** What each guard sees now, for people. */
export function readGuards({ plan, recent }: Guarded, host: GuardedHost, nowMicros: number): GuardReading[] {
  return plan.guards.map((guard) => {
    const { metric, atMost, windowTasks = windowDefault } = guard;
    return { metric, atMost, windowTasks, value: metricOf(guard, recent, host, nowMicros) };
  });
}

/** What is breached in a canary, in words; empty if nothing is. */
export function breachOf(
  { plan, canary: look }: Rollout<unknown>,
  recent: RecentTasks,
  host: GuardedHost,
  nowMicros: number,
): string {
  const harm = look?.harmTasks ?? 0;
  if (harm > plan.canary.harmTasksMax)
    return `harm of ${Math.round(harm)} tasks is above the bound of ${plan.canary.harmTasksMax}`;
  return guardBreach(plan.guards, recent, host, nowMicros);
}

/** The first guard that is breached, in words; empty if none is. */
export function guardBreach(
  guards: readonly GuardRule[],
  recent: RecentTasks,
  host: GuardedHost,
  nowMicros: number,
): string {
  for (const guard of guards) {
    const value = metricOf(guard, recent, host, nowMicros);
    if (value !== undefined && value > guard.atMost)
      return `${guard.metric} ${Math.round(1000 * value) / 1000} is above ${guard.atMost}`;
  }
  return '';
}

/** Whether a metric can change although no task ends. */
export function isOfTheMoment(metric: GuardMetric): boolean {
  return metric === 'queueLength' || metric === 'oldestWaitSeconds';
}

function metricOf(
  { metric, windowTasks = windowDefault }: GuardRule,
  recent: RecentTasks,
  host: GuardedHost,
  nowMicros: number,
): number | undefined {
  switch (metric) {
    case 'queueLength':
      return host.queueLength();
    case 'oldestWaitSeconds':
      return Math.max(0, nowMicros - host.oldestWaitingMicros()) / 1_000_000;
    default:
      return recent.mean(metric, windowTasks);
  }
}
