// Metrics of groups on a run small enough to check by hand.

import { expect, test } from 'vitest';
import { cpuRequest } from '../../core/kernel/kernel-driver.ts';
import { type GroupFacts, measureGroups } from './group-metrics.ts';
import { TaskColumns } from './task-columns.ts';

const second = 1_000_000;

/** Arrival, start and end in seconds, −1 for never. */
type Row = readonly [arrival: number, start: number, end: number, tenant: string, priority: number, gang: boolean];

function facts(rows: readonly Row[], changes: Partial<GroupFacts> = {}): GroupFacts {
  const tasks = new TaskColumns();
  rows.forEach(([arrival, start, end, tenant, priority, isGang], index) => {
    const gang = isGang ? { name: 'g', size: 2 } : undefined;
    const task = { name: `t${index}`, arrivalMicros: 0, request: cpuRequest, durationMicros: 1, estimateMicros: 1 };
    tasks.add({ ...task, priority, tenant, gang }, arrival * second);
    tasks.startMicros[index] = start < 0 ? -1 : start * second;
    tasks.endMicros[index] = end < 0 ? -1 : end * second;
  });
  return { tasks, beginMicros: 0, endMicros: 100 * second, evictions: 3, tenantUse: [30, 10], ...changes };
}

test('waits of the urgent, of gangs and of the worst tenant; the largest share', () => {
  const rows: Row[] = [
    [0, 10, 20, 'a', 0, true],
    [0, 30, 40, 'a', 0, true],
    [10, 12, 20, 'b', 2, false],
    // Still waits at the end: 90 s so far.
    [10, -1, -1, 'b', 1, false],
    // Given up: it never waited to an end.
    [10, -1, 50, 'b', 2, false],
  ];
  expect(measureGroups(facts(rows))).toEqual({
    evictions: 3,
    urgentWaitMeanSeconds: 2,
    gangWaitMeanSeconds: 20,
    largestTenantSharePercent: 75,
    worstTenantWaitSeconds: 46,
  });
  // What came before the window does not count.
  const later = measureGroups(facts(rows, { beginMicros: 5 * second }));
  expect(later.gangWaitMeanSeconds).toBeNull();
  expect(later.worstTenantWaitSeconds).toBe(46);
});

test('a run without groups has none of these metrics', () => {
  const plain = facts([[0, 1, 2, 'default', 0, false]], { tenantUse: [5], evictions: 0 });
  expect(Object.values(measureGroups(plain))).toEqual([null, null, null, null, null]);
});
