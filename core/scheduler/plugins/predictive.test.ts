import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../base/random.ts';
import { ClusterState } from '../cluster-state.ts';
import type { RequestKind } from '../request.ts';
import { RequestKindTable } from '../request.ts';
import { predictive } from './predictive.ts';

/** Four machines alike; classes 1, 2 and 3 are forecast to run for 10 s, ten minutes and ten hours. */
function desk(forecast = true) {
  const cluster = new ClusterState();
  const kinds = new RequestKindTable(cluster.models);
  for (let machine = 0; machine < 4; machine++)
    cluster.addMachine({ cpuMilli: 10_000, memoryMib: 1000, gpuCount: 0, gpuModel: '' });
  const seconds = [60, 10, 600, 36_000];
  const forecastSeconds = ({ taskClass = 0 }: RequestKind): number => seconds[taskClass] as number;
  const context = { cluster, random: new RandomStream(1, 'kernel'), typicalTasks: [] };
  const plugin = predictive(forecast ? { ...context, forecastSeconds } : context);
  const of = (taskClass: number): RequestKind =>
    kinds.intern(
      { cpuMilli: 1000, memoryMib: 10, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 },
      taskClass,
    );
  const put = (taskClass: number, machine: number, sign: 1 | -1 = 1): void => {
    plugin.changed?.(of(taskClass), machine, sign);
    if (sign > 0) cluster.allocate(of(taskClass), machine, 0);
    else cluster.release(of(taskClass), machine, 0);
  };
  const ranked = (taskClass: number): number[] =>
    [0, 1, 2, 3].toSorted(
      (left, right) => plugin.score(of(taskClass), right) - plugin.score(of(taskClass), left) || left - right,
    );
  return { plugin, of, put, ranked };
}

describe('predictive', () => {
  it('does not prolong a machine if it need not, then prolongs one by as little as possible, and opens one last', () => {
    const { put, ranked } = desk();
    put(1, 0);
    put(2, 1);
    put(3, 2);
    expect(ranked(3)).toEqual([2, 1, 0, 3]);
    expect(ranked(2)).toEqual([1, 2, 0, 3]);
    // All that run anyway are as good: the first.
    expect(ranked(1)).toEqual([0, 1, 2, 3]);
  });

  it('of machines that it does not prolong the fullest', () => {
    const { put, ranked } = desk();
    put(3, 1);
    put(3, 2);
    put(1, 2);
    expect(ranked(1).slice(0, 2)).toEqual([2, 1]);
  });

  it('forgets what has ended', () => {
    const { put, ranked } = desk();
    put(1, 0);
    put(3, 1);
    put(1, 1);
    expect(ranked(3)[0]).toBe(1);
    put(3, 1, -1);
    put(2, 0);
    expect(ranked(3)[0]).toBe(0);
  });

  it('packs without a forecast', () => {
    const { put, ranked } = desk(false);
    put(3, 2);
    put(1, 3);
    put(1, 3);
    expect(ranked(2)).toEqual([3, 2, 0, 1]);
  });
});
