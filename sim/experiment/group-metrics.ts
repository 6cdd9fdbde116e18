// Metrics of groups of tasks: what preemption, gangs and fair shares are judged by. Each is null where a run has no such group,
// so that a scenario without tenants, priorities or gangs does not hear of them.

import { microsPerSecond } from '../../core/base/time.ts';
import type { TaskColumns } from './task-columns.ts';

export interface GroupFacts {
  readonly tasks: TaskColumns;
  /** Begin of the measured window, and the end of the run. */
  readonly beginMicros: number;
  readonly endMicros: number;
  /** Attempts stopped for tasks of higher priority within the window. */
  readonly evictions: number;
  /** GPU time (CPU time where there are no GPUs) of each tenant within the window, by its index. */
  readonly tenantUse: readonly number[];
}

export function measureGroups(facts: GroupFacts): Record<string, number | null> {
  const { tasks, tenantUse } = facts;
  const waits = new Waits(facts);
  const top = waits.priorities.size > 1 ? Math.max(...waits.priorities) : undefined;
  const total = tenantUse.reduce((sum, use) => sum + use, 0);
  const hasTenants = tasks.tenants.length > 1;
  return {
    evictions: top === undefined ? null : facts.evictions,
    urgentWaitMeanSeconds: top === undefined ? null : waits.mean((row) => tasks.priority[row] === top),
    gangWaitMeanSeconds: waits.mean((row) => tasks.ofGang[row] === 1),
    largestTenantSharePercent: !hasTenants || total === 0 ? null : (100 * Math.max(...tenantUse)) / total,
    worstTenantWaitSeconds: hasTenants ? waits.worstTenant() : null,
  };
}

/** Waits of the tasks that came in the window and that nobody gave up; one that still goes on counts with its length so far. */
class Waits {
  readonly priorities = new Set<number>();
  private readonly facts: GroupFacts;

  constructor(facts: GroupFacts) {
    this.facts = facts;
    for (const row of this.rows()) this.priorities.add(facts.tasks.priority[row] as number);
  }

  mean(counts: (row: number) => boolean): number | null {
    let sum = 0;
    let count = 0;
    for (const row of this.rows()) {
      if (!counts(row)) continue;
      sum += this.waitMicros(row);
      count++;
    }
    return count === 0 ? null : sum / count / microsPerSecond;
  }

  worstTenant(): number | null {
    const { tenants } = this.facts.tasks;
    const sums = new Float64Array(tenants.length);
    const counts = new Float64Array(tenants.length);
    for (const row of this.rows()) {
      const tenant = this.facts.tasks.tenant[row] as number;
      sums[tenant] = (sums[tenant] as number) + this.waitMicros(row);
      counts[tenant] = (counts[tenant] as number) + 1;
    }
    let worst: number | null = null;
    for (const [tenant, count] of counts.entries())
      if (count > 0) worst = Math.max(worst ?? 0, (sums[tenant] as number) / count / microsPerSecond);
    return worst;
  }

  private *rows(): Generator<number> {
    const { tasks, beginMicros } = this.facts;
    for (let row = 0; row < tasks.count; row++) {
      const isGivenUp = (tasks.startMicros[row] as number) < 0 && (tasks.endMicros[row] as number) >= 0;
      if ((tasks.arrivalMicros[row] as number) >= beginMicros && !isGivenUp) yield row;
    }
  }

  private waitMicros(row: number): number {
    const { tasks, endMicros } = this.facts;
    const start = tasks.startMicros[row] as number;
    return (start >= 0 ? start : endMicros) - (tasks.arrivalMicros[row] as number);
  }
}
