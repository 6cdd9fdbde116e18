import { expect, test } from 'vitest';
import { BottleneckAnalysis } from './bottlenecks.ts';
import { batchOf } from './rows.ts';
import type { TelemetryRow } from './tables.ts';

const second = 1_000_000;

function task(endSeconds: number, parts: TelemetryRow<'tasks'>): TelemetryRow<'tasks'> {
  const none = { queue_seconds: 0, lost_seconds: 0, retry_seconds: 0, dispatch_seconds: 0, transfer_seconds: 0 };
  return { time: endSeconds * second, run: 'r', submitter: 1, outcome: 'completed', ...none, ...parts };
}

test('shares, reasons, groups and the number of tasks in each part over time, by hand', () => {
  const analysis = new BottleneckAnalysis();
  // Both come at 0; one works at once for 60 s, the other waits 60 s for it and works 60 s.
  analysis.add(
    batchOf('tasks', [
      task(60, { submission: 1, service_seconds: 60, tenant: 'a' }),
      task(120, { submission: 2, service_seconds: 60, queue_seconds: 60, tenant: 'b', wait_reason: 'CPU' }),
    ]),
  );
  const load = (time: number, used: number): TelemetryRow<'agent_load'> => ({
    ...{ time: time * second, run: 'r', agent: 'one', state: 'ready' },
    ...{ cpu_used_milli: used, cpu_capacity_milli: 1000, memory_capacity_mib: 100, memory_used_mib: 50 },
  });
  analysis.add(batchOf('agent_load', [load(0, 1000), load(90, 500)]));
  const result = analysis.result();
  expect(result).toMatchObject({
    tasks: 2,
    outcomes: { completed: 2 },
    reasons: [{ name: 'CPU', seconds: 60, share: 1 }],
    limit: { name: 'service' },
    windows: { fromMicros: 0, widthMicros: second },
  });
  const share = Object.fromEntries(result?.parts.map(({ name, share: part }) => [name, part]) ?? []);
  expect(share.queue).toBeCloseTo(1 / 3, 12);
  expect(share.service).toBeCloseTo(2 / 3, 12);
  expect(result?.windows.parts.service.every((count) => Math.abs(count - 1) < 1e-9)).toBe(true);
  expect(result?.windows.parts.queue.map(Math.round)).toEqual([...Array(60).fill(1), ...Array(60).fill(0)]);
  const [cpu, memory, gpu] = result?.resources ?? [];
  expect(cpu?.used).toBeCloseTo((90 + 15) / 120, 9);
  expect(cpu?.usedWhileWaiting).toBeCloseTo(1, 9);
  expect(memory?.used).toBeCloseTo(0.5, 9);
  expect(gpu?.used).toBeUndefined();
  expect(result?.groups.map(({ tenant, totalMeanSeconds }) => [tenant, totalMeanSeconds])).toEqual([
    ['b', 120],
    ['a', 60],
  ]);
});

test('the limit is what tasks waited for most, and how much of it was in use then', () => {
  const analysis = new BottleneckAnalysis();
  const rows = Array.from({ length: 50 }, (_, number) =>
    task(1000 + number, {
      submission: number,
      queue_seconds: 900,
      service_seconds: 100,
      wait_reason: number % 5 === 0 ? 'memory' : 'too few GPUs free',
    }),
  );
  analysis.add(batchOf('tasks', rows));
  const used = { gpu_capacity_milli: 8000, gpu_used_milli: 7600 };
  analysis.add(batchOf('agent_load', [{ time: 0, run: 'r', agent: 'one', state: 'ready', ...used }]));
  const { limit, reasons } = analysis.result() ?? {};
  expect(reasons?.map(({ name, share }) => [name, share])).toEqual([
    ['too few GPUs free', 0.8],
    ['memory', 0.2],
  ]);
  expect(limit?.name).toBe('GPU');
  expect(limit?.sentence).toBe(
    "90% of the tasks' time is waiting for the first placement, 80% of the waiting for want of: too few GPUs free (95% in use while tasks waited).",
  );
});

test('nothing has ended: there is nothing to say', () => {
  expect(new BottleneckAnalysis().result()).toBeUndefined();
});
