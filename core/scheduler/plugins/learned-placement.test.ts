import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../base/base64.ts';
import { SiraError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { placementFeatureCount, placementFeatureNames, placementSchema } from '../../policy/placement-features.ts';
import { writePolicyArtifact } from '../../policy/policy-artifact.ts';
import type { PolicyShield } from '../../policy/policy-manifest.ts';
import { queueFeatureCount, queueOrderSchema } from '../../policy/queue-features.ts';
import { samplePolicy } from '../../policy/sample-policy.ts';
import { checkPlacement, findPlacement } from '../catalogue.ts';
import { ClusterState, reasonFits } from '../cluster-state.ts';
import type { GangMates, Links, PluginContext } from '../framework.ts';
import { PlacementIndex } from '../placement-index.ts';
import { type RequestKind, RequestKindTable } from '../request.ts';
import type { LearnedPlacement } from './learned-placement.ts';
import { PlacementObserver } from './placement-observer.ts';

/** A network of one layer: the weights named, 0 for the others. */
function artifactOf(
  weights: Readonly<Record<string, number>>,
  shield: Partial<PolicyShield> = {},
  bounds: readonly [number, number] = [-1e12, 1e12],
): string {
  const { manifest } = samplePolicy([placementFeatureCount, 1], { schema: placementSchema, fallback: 'best-fit' });
  const kernel = new Float32Array(placementFeatureCount);
  for (const [name, weight] of Object.entries(weights)) kernel[placementFeatureNames.indexOf(name)] = weight;
  return toBase64(
    writePolicyArtifact({
      manifest: {
        ...manifest,
        features: placementFeatureNames.map((name) => ({
          name,
          mean: 0,
          deviation: 1,
          minimum: bounds[0],
          maximum: bounds[1],
        })),
        shield: { ...manifest.shield, ...shield },
      },
      layers: [{ inputs: placementFeatureCount, outputs: 1, kernel, bias: new Float32Array(1) }],
    }),
  );
}

const gpu = (gpuMilli: number, gpuCount = 1, cpuMilli = 1000) => ({
  ...{ cpuMilli, memoryMib: 100, gpuCount, gpuMilli, gpuModels: [], machineCount: 1 },
});
const cpu = (cpuMilli: number) => ({ ...gpu(0, 0), cpuMilli });

/** Two racks of two machines of 4 GPUs; the second of each has more CPU. */
const links: Links = {
  rackOf: (machine) => `rack ${machine >> 1}`,
  gigabitsBetween: (first, second) => (first === second ? 1000 : first >> 1 === second >> 1 ? 100 : 10),
};

function stage(artifact: string, place = 'learned', more: Partial<PluginContext> = {}) {
  const cluster = new ClusterState();
  for (let machine = 0; machine < 4; machine++) {
    const cpuMilli = machine % 2 === 0 ? 16_000 : 32_000;
    const resources = { cpuMilli, memoryMib: 8000, gpuCount: 4, gpuModel: machine < 2 ? 'A' : 'B' };
    cluster.setSchedulable(cluster.addMachine(resources), true);
  }
  const random = new RandomStream(1, 'test');
  const context: PluginContext = { cluster, random, typicalTasks: [], links, artifact, ...more };
  const placement = findPlacement(place)(context);
  const index = new PlacementIndex(cluster, placement, random);
  const kinds = new RequestKindTable(cluster.models);
  const put = (kind: RequestKind, machine: number): void => {
    index.changed(kind, machine, 1);
    cluster.allocate(kind, machine, kind.gpuCount > 0 ? placement.devices.choose(kind, machine) : 0);
  };
  return { cluster, context, placement: placement as LearnedPlacement, index, kinds, put };
}

describe('a learned placement', () => {
  test('of a network that says nothing places as its fallback, whatever happens', () => {
    const learned = stage(artifactOf({}));
    const plain = stage('', 'best-fit');
    const random = new RandomStream(7, 'requests');
    for (let arrival = 0; arrival < 60; arrival++) {
      const request =
        random.nextFloat() < 0.5 ? gpu(100 * (1 + random.nextBelow(9))) : cpu(500 * (1 + random.nextBelow(4)));
      const chosen = [learned, plain].map(({ index, kinds }) => index.find(kinds.intern(request)));
      expect(chosen[0]).toBe(chosen[1]);
      if (chosen[0] === -1) continue;
      for (const { put, kinds } of [learned, plain]) put(kinds.intern(request), chosen[0]!);
    }
    expect(learned.placement.shieldCounts).toMatchObject({ outside: 0, overBudget: 0, broken: 0 });
    expect(learned.placement.shieldCounts.decisions).toBeGreaterThan(30);
  });

  test('moves by what it has learned, for the class of requests that it has learned it for', () => {
    const { index, kinds } = stage(artifactOf({ 'share.cpuLeftOfLargest': 1000 }));
    // Best fit would take the first machine with less CPU.
    expect(index.find(kinds.intern(gpu(500)))).toBe(1);
    expect(index.find(kinds.intern(gpu(1000)))).toBe(0);
    expect(index.find(kinds.intern(cpu(1000)))).toBe(0);
  });

  test('has scores that follow from the present columns, though they are kept', () => {
    const { cluster, index, kinds, placement, put } = stage(
      artifactOf({ 'share.gpuLeft': 30, 'share.devicesOpened': -20, 'cpu.imbalance': 40, 'several.wholeLeft': -50 }),
    );
    const random = new RandomStream(3, 'requests');
    for (let arrival = 0; arrival < 80; arrival++) {
      const requests = [gpu(100 + 50 * random.nextBelow(10)), cpu(300), gpu(1000, 2)];
      const kind = kinds.intern(requests[random.nextBelow(3)]!);
      const scores = [0, 1, 2, 3].map((machine) =>
        cluster.filter(kind, machine) === reasonFits ? placement.scores[0]!.plugin.score(kind, machine) : -1,
      );
      const best = Math.max(...scores);
      expect(index.find(kind)).toBe(best < 0 ? -1 : scores.indexOf(best));
      if (best >= 0) put(kind, scores.indexOf(best));
    }
  });

  test('leaves the decision to the fallback where the shield does not let it decide, and counts why', () => {
    const weights = { 'share.cpuLeftOfLargest': 1000 };
    const outside = stage(artifactOf(weights, { featuresOutsideMax: 0.01 }, [0, 0.1]));
    expect(outside.index.find(outside.kinds.intern(gpu(500)))).toBe(0);
    expect(outside.placement.shieldCounts).toMatchObject({ decisions: 1, outside: 1 });
    const costly = stage(artifactOf(weights, { operationsMax: 4 * placementFeatureCount - 1 }));
    expect(costly.index.find(costly.kinds.intern(gpu(500)))).toBe(0);
    expect(costly.placement.shieldCounts).toMatchObject({ decisions: 1, overBudget: 1 });
    const broken = stage(artifactOf({ 'share.cpuLeftOfLargest': 3e38, 'share.gpuLeft': 3e38 }, {}, [-1e300, 1e300]));
    broken.index.find(broken.kinds.intern(gpu(500)));
    expect(broken.placement.shieldCounts.broken).toBe(0);
  });

  test('sees where the members of a gang stand that were placed before', () => {
    const { index, kinds, context, placement } = stage(
      artifactOf({ 'whole.linkDelay': -1000, 'whole.matesHere': -10 }),
    );
    const kind = kinds.intern(gpu(1000));
    const mates: GangMates = { machines: [3, 3], left: 2 };
    const row = new Float64Array(placementFeatureCount);
    const observer = new PlacementObserver(context, placement.devices);
    const seen = (machine: number): Readonly<Record<string, number>> => {
      observer.observe(kind, machine, mates, row, 0);
      return Object.fromEntries(placementFeatureNames.map((name, feature) => [name, row[feature]!]));
    };
    expect(seen(3)).toMatchObject({
      'whole.matesHere': 1,
      'whole.linkDelay': 0,
      'whole.gangRoom': 1,
      'share.gangRoom': 0,
    });
    expect(seen(2)).toMatchObject({ 'whole.matesHere': 0, 'whole.linkDelay': 0.01 });
    expect(seen(0)).toMatchObject({ 'whole.matesHere': 0, 'whole.linkDelay': 0.1 });
    // Not on the same machine, but in the same rack.
    expect(index.findBeside(kind, mates, undefined)).toBe(2);
    expect(index.findBeside(kind, mates, (machine) => machine === 2)).toBe(3);
    expect(index.findBeside(kind, { machines: [], left: 2 }, undefined)).toBe(index.find(kind));
  });

  test('needs an artifact that fits', () => {
    const codeOf = (artifact: string | undefined): string => {
      try {
        checkPlacement('learned', artifact);
      } catch (error) {
        if (error instanceof SiraError) return error.code;
        throw error;
      }
      return 'none';
    };
    expect(codeOf(artifactOf({}))).toBe('none');
    expect(codeOf(undefined)).toBe('SIRA_POLICY_INVALID');
    expect(codeOf('???')).toBe('SIRA_POLICY_INVALID');
    const order = samplePolicy([queueFeatureCount, 1], { schema: queueOrderSchema });
    expect(codeOf(toBase64(writePolicyArtifact(order)))).toBe('SIRA_POLICY_INVALID');
    const renamed = samplePolicy([placementFeatureCount, 1], { schema: placementSchema });
    expect(codeOf(toBase64(writePolicyArtifact(renamed)))).toBe('SIRA_POLICY_INVALID');
    expect(codeOf(artifactOf({}, { fallback: 'nobody' }))).toBe('SIRA_POLICY_UNKNOWN');
    expect(codeOf(artifactOf({}, { fallback: 'learned' }))).toBe('SIRA_POLICY_INVALID');
    expect(codeOf(artifactOf({}, { fallback: 'random' }))).toBe('SIRA_POLICY_INVALID');
    expect(checkPlacement('learned', artifactOf({}, { fallback: 'fgd' }))).toBe(true);
    expect(checkPlacement('learned', artifactOf({}))).toBe(false);
  });
});

describe('locality', () => {
  test('begins a gang where all of it fits, and goes on as near as it can', () => {
    const { index, kinds, put } = stage('', 'locality');
    const kind = kinds.intern(gpu(1000));
    put(kind, 0);
    put(kind, 1);
    put(kind, 1);
    put(kind, 2);
    // Four fit machine 3 alone.
    expect(index.findBeside(kind, { machines: [], left: 4 }, undefined)).toBe(3);
    expect(index.findBeside(kind, { machines: [3], left: 3 }, undefined)).toBe(3);
    for (let taken = 0; taken < 4; taken++) put(kind, 3);
    expect(index.findBeside(kind, { machines: [3], left: 3 }, undefined)).toBe(2);
  });

  test('a task alone goes to the fastest agent, then to the fullest machine', () => {
    const speeds = [1, 3, 2, 3];
    const skills = { wantOffers: () => {}, offer: (_: number, machine: number) => speeds[machine]! };
    const { index, kinds, put } = stage('', 'locality', { skills });
    const kind = kinds.intern(gpu(1000));
    expect(index.find(kind)).toBe(1);
    put(kind, 3);
    expect(index.find(kind)).toBe(3);
  });
});
