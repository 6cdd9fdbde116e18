import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../base/base64.ts';
import { SiraError } from '../../base/errors.ts';
import { type DenseLayer, writePolicyArtifact } from '../../policy/policy-artifact.ts';
import type { PolicyManifest, PolicyShield } from '../../policy/policy-manifest.ts';
import { queueFeatureCount, queueFeatureNames, queueOrderSchema } from '../../policy/queue-features.ts';
import { samplePolicy } from '../../policy/sample-policy.ts';
import { findQueueOrder } from '../catalogue.ts';
import { ClusterState } from '../cluster-state.ts';
import type { Profile } from '../framework.ts';
import { ModelTable, RequestKindTable } from '../request.ts';
import { cores, SchedulerDriver } from '../scheduler-driver.ts';
import { type LearnedOrder, learned } from './learned.ts';

/** A network of one layer whose score is `weight` times one feature. */
function artifactOf(
  feature: (typeof queueFeatureNames)[number],
  weight: number,
  shield: Partial<PolicyShield> = {},
  bounds: readonly [number, number] = [-1e12, 1e12],
): string {
  const { manifest } = samplePolicy([queueFeatureCount, 1], { schema: queueOrderSchema, fallback: 'sjf' });
  const kernel = new Float32Array(queueFeatureCount);
  kernel[queueFeatureNames.indexOf(feature)] = weight;
  const layer: DenseLayer = { inputs: queueFeatureCount, outputs: 1, kernel, bias: new Float32Array(1) };
  const full: PolicyManifest = {
    ...manifest,
    features: queueFeatureNames.map((name) => ({
      name,
      mean: 0,
      deviation: 1,
      minimum: bounds[0],
      maximum: bounds[1],
    })),
    shield: { ...manifest.shield, ...shield },
  };
  return toBase64(writePolicyArtifact({ manifest: full, layers: [layer] }));
}

const profileOf = (artifact: string): Partial<Profile> => ({ order: 'learned', unplaced: 'block', artifact });

/** The order in which a machine of one core takes jobs of these estimates that all wait. */
function orderOf(artifact: string, estimates: readonly number[], restart = false): number[] {
  const driver = new SchedulerDriver(profileOf(artifact), [1]);
  const tasks = estimates.map((estimate) => driver.submit(cores(1), { estimate }));
  const order: number[] = [];
  for (let step = 0; step < estimates.length; step++) {
    driver.cycle(step);
    const running = tasks.find((task) => driver.attemptOf(task) !== undefined)!;
    order.push(estimates[tasks.indexOf(running)]!);
    if (restart) driver.restart();
    driver.finish(running);
  }
  return order;
}

describe('the order of a learned policy', () => {
  test('is that of the scores, largest first', () => {
    expect(orderOf(artifactOf('estimateLog', 1), [5, 90, 20, 40])).toEqual([90, 40, 20, 5]);
    expect(orderOf(artifactOf('estimateLog', -1), [5, 90, 20, 40])).toEqual([5, 20, 40, 90]);
    expect(orderOf(artifactOf('estimateLog', 1), [5, 90, 20, 40], true)).toEqual([90, 40, 20, 5]);
  });

  test('reaches as far as there are candidates: the first by the fallback', () => {
    expect(orderOf(artifactOf('estimateLog', 1, { candidatesMax: 2 }), [5, 90, 20, 40])).toEqual([20, 40, 90, 5]);
  });

  test('is the fallback where the shield does not let the network decide', () => {
    const estimates = [20, 5, 90, 40];
    const shortest = [5, 20, 40, 90];
    expect(
      orderOf(artifactOf('estimateLog', 1, { candidatesOutsideMax: 0, featuresOutsideMax: 0 }, [0, 1]), estimates),
    ).toEqual(shortest);
    expect(orderOf(artifactOf('estimateLog', 1, { operationsMax: 1 }), estimates)).toEqual(shortest);
    expect(orderOf(artifactOf('estimateLog', 3e38, {}, [-1e300, 1e300]), estimates)).toEqual([90, 40, 20, 5]);
  });

  test('which of these it was is counted', () => {
    const table = new RequestKindTable(new ModelTable());
    const task = (number: number, estimate: number) => ({
      ...{ task: number, kind: table.intern(cores(1)), submittedMicros: 0, estimateMicros: estimate * 1e6 },
      ...{ priority: 0, tenant: 'a' },
    });
    const tasks = [task(1, 20), task(2, 5)];
    const keysOf = (artifact: string): { keys: number[]; order: LearnedOrder } => {
      const context = { cluster: new ClusterState(), tenantWeights: {}, artifact };
      const order = learned(context, (name) => findQueueOrder(name, context));
      const keys = new Float64Array(2);
      order.rank!(tasks, 2, 1e6, keys);
      return { keys: [...keys], order };
    };
    const plain = keysOf(artifactOf('estimateLog', 1));
    expect(plain.keys[0]).toBeLessThan(plain.keys[1]!);
    expect(plain.order.shieldCounts).toEqual({ decisions: 1, outside: 0, overBudget: 0, broken: 0 });
    const fallback = [20e6, 5e6];
    const outside = keysOf(artifactOf('estimateLog', 1, { featuresOutsideMax: 0.1 }, [0, 1]));
    expect(outside).toMatchObject({ keys: fallback, order: { shieldCounts: { decisions: 1, outside: 1 } } });
    const costly = keysOf(artifactOf('estimateLog', 1, { operationsMax: queueFeatureCount * 2 - 1 }));
    expect(costly).toMatchObject({ keys: fallback, order: { shieldCounts: { overBudget: 1 } } });
    expect(
      keysOf(artifactOf('estimateLog', 1, { operationsMax: queueFeatureCount * 2 })).order.shieldCounts.overBudget,
    ).toBe(0);
  });

  test('needs an artifact that fits', () => {
    const codeOf = (artifact: string | undefined): string => {
      try {
        findQueueOrder('learned', { cluster: new ClusterState(), tenantWeights: {}, artifact });
      } catch (error) {
        if (error instanceof SiraError) return error.code;
        throw error;
      }
      return 'none';
    };
    expect(codeOf(artifactOf('waitLog', 1))).toBe('none');
    expect(codeOf(undefined)).toBe('SIRA_POLICY_INVALID');
    expect(codeOf('???')).toBe('SIRA_POLICY_INVALID');
    expect(codeOf(toBase64(writePolicyArtifact(samplePolicy([queueFeatureCount, 1]))))).toBe('SIRA_POLICY_INVALID');
    const renamed = samplePolicy([queueFeatureCount, 1], { schema: queueOrderSchema });
    expect(codeOf(toBase64(writePolicyArtifact(renamed)))).toBe('SIRA_POLICY_INVALID');
    expect(codeOf(artifactOf('fits', 1, { fallback: 'nobody' }))).toBe('SIRA_POLICY_UNKNOWN');
    expect(codeOf(artifactOf('fits', 1, { fallback: 'learned' }))).toBe('SIRA_POLICY_INVALID');
  });
});
