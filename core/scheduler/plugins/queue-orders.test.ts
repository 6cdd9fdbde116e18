import { describe, expect, it } from 'vitest';
import { findQueueOrder, queueOrders } from '../catalogue.ts';
import { ClusterState } from '../cluster-state.ts';
import { ModelTable, RequestKindTable } from '../request.ts';
import { processorsOf } from './processors.ts';

const context = { cluster: new ClusterState(), tenantWeights: {} };

const second = 1_000_000;
const table = new RequestKindTable(new ModelTable());

/** The key of a job of `processors` one-core machines. */
function key(order: string, processors: number, requested: number, submitted: number, now: number): number {
  const request = { cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: processors };
  const kind = table.intern(request);
  const task = {
    task: 1,
    kind,
    submittedMicros: submitted * second,
    estimateMicros: requested * second,
    priority: 0,
    tenant: 'a',
  };
  return findQueueOrder(order, context).key(task, now * second);
}

describe('queue orders', () => {
  it('FCFS leaves the order to the task number, SJF looks at the estimate', () => {
    expect(key('fcfs', 4, 100, 5, 50)).toBe(key('fcfs', 1, 7, 30, 50));
    expect(key('sjf', 4, 100, 5, 50)).toBeGreaterThan(key('sjf', 64, 99, 30, 50));
  });

  it('F1 is log10(r)·n + 870·log10(s), in seconds', () => {
    expect(key('f1', 4, 100, 1000, 2000)).toBeCloseTo(4 * 2 + 870 * 3, 9);
    // What is not positive counts as a tenth of a second.
    expect(key('f1', 3, 0, 0, 0)).toBeCloseTo(-3 - 870, 9);
  });

  it('WFP3 is −(w/r)³·n', () => {
    expect(key('wfp3', 4, 100, 50, 250)).toBe(-32);
    expect(key('wfp3', 4, 100, 50, 50)).toBe(-0);
  });

  it('UNICEP is −w/(log2(n)·r), with single processors as two or before all others', () => {
    expect(key('unicep', 8, 100, 50, 350)).toBeCloseTo(-1, 12);
    expect(key('unicep', 1, 100, 50, 350)).toBe(key('unicep', 2, 100, 50, 350));
    expect(key('unicep-rlscheduler', 8, 100, 50, 350)).toBeCloseTo(-1, 12);
    expect(key('unicep-rlscheduler', 1, 100_000, 50, 51)).toBeLessThan(key('unicep-rlscheduler', 2, 1, 50, 90_000));
  });

  it('WFP3 and UNICEP change while a task waits, and DRF with what others get', () => {
    for (const name of Object.keys(queueOrders)) {
      const order = findQueueOrder(name, context);
      expect(order.name).toBe(name);
      if (name === 'drf') expect(order.dynamic).toBe(true);
      else expect(order.dynamic).toBe(key(name, 4, 100, 50, 100) !== key(name, 4, 100, 50, 900));
    }
  });

  it('count processors as cores, else GPUs, else machines', () => {
    const base = { cpuMilli: 0, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 3 };
    expect(processorsOf(table.intern(base))).toBe(3);
    expect(processorsOf(table.intern({ ...base, gpuCount: 2, gpuMilli: 1000 }))).toBe(6);
    expect(processorsOf(table.intern({ ...base, gpuCount: 1, gpuMilli: 500 }))).toBe(1.5);
    expect(processorsOf(table.intern({ ...base, cpuMilli: 4000, gpuCount: 2, gpuMilli: 1000 }))).toBe(12);
  });
});
