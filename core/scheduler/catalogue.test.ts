import { describe, expect, it } from 'vitest';
import { SiraError } from '../base/errors.ts';
import { RandomStream } from '../base/random.ts';
import { findPlacement, findQueueOrder, placements, queueOrders } from './catalogue.ts';
import { ClusterState } from './cluster-state.ts';

function failure(call: () => unknown): SiraError {
  try {
    call();
  } catch (error) {
    if (error instanceof SiraError) return error;
  }
  throw new Error('expected a SiraError');
}

describe('the catalogue', () => {
  it('creates everything that it lists, under the name that it lists', () => {
    const typicalTasks = [{ cpuMilli: 1000, gpuCount: 1, gpuMilli: 500, gpuModels: [], count: 1 }];
    const context = {
      cluster: new ClusterState(),
      random: new RandomStream(1, 'kernel'),
      typicalTasks,
      tenantWeights: {},
    };
    for (const name of Object.keys(placements)) expect(findPlacement(name)(context).name).toBe(name);
    for (const name of Object.keys(queueOrders)) expect(findQueueOrder(name, context).name).toBe(name);
    for (const { description } of [...Object.values(placements), ...Object.values(queueOrders)]) {
      expect(description).toMatch(/^\S.{8,100}$/);
    }
  });

  it('says when a placement lacks the typical tasks that it needs', () => {
    const context = { cluster: new ClusterState(), random: new RandomStream(1, 'kernel'), typicalTasks: [] };
    expect(failure(() => findPlacement('fgd')(context)).code).toBe('SIRA_SCENARIO_INVALID');
  });

  it('names the nearest policy first where a name is unknown', () => {
    const placement = failure(() => findPlacement('bestfit'));
    expect(placement.code).toBe('SIRA_POLICY_UNKNOWN');
    expect(placement.message).toMatch(/^no placement is called "bestfit"; known, nearest first: best-fit, /);
    for (const name of Object.keys(placements)) expect(placement.message).toContain(name);
    const context = { cluster: new ClusterState(), tenantWeights: {} };
    expect(failure(() => findQueueOrder('FCSF', context)).message).toContain('nearest first: fcfs, ');
    expect(failure(() => findQueueOrder('toString', context)).code).toBe('SIRA_POLICY_UNKNOWN');
  });
});
