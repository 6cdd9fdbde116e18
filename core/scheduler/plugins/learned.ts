// Queue order by a trained network: the schema `queue-order/1` of core/policy/queue-features.ts, scored by the artifact's weights,
// largest first. The network ranks the first so many tasks by its fallback's order; where the shield does not let it decide, the
// fallback's order holds for all.

import { fromBase64 } from '../../base/base64.ts';
import { CandidateNetwork } from '../../policy/candidate-network.ts';
import { readPolicyArtifact } from '../../policy/policy-artifact.ts';
import { invalidPolicy } from '../../policy/policy-manifest.ts';
import {
  logOfOnePlus,
  queueFeatureCount,
  queueFeatureNames,
  queueOrderSchema,
  writeQueueFeatures,
} from '../../policy/queue-features.ts';
import { Shield, type ShieldCounts } from '../../policy/shield.ts';
import { demandShareOf } from '../demand-share.ts';
import type { QueuedTask, QueueOrderContext, QueueSortPlugin } from '../framework.ts';
import { ReleaseColumns } from '../release-columns.ts';

export interface LearnedOrder extends QueueSortPlugin {
  readonly shieldCounts: ShieldCounts;
}

/** Key of tasks that the network does not look at, beyond any score: they follow in order of submission. */
const unranked = 1e300;

/** SIRA_POLICY_INVALID if the artifact is missing, cannot be read, or is for another schema. */
export function learned(context: QueueOrderContext, find: (name: string) => QueueSortPlugin): LearnedOrder {
  const { cluster, attempts = () => [] } = context;
  const { manifest, layers } = readArtifact(context.artifact);
  const { candidatesMax, fallback: fallbackName } = manifest.shield;
  if (fallbackName === 'learned') throw invalidPolicy('its fallback must need no learned policy');
  const fallback = find(fallbackName);
  const network = new CandidateNetwork(layers, manifest.features);
  const shield = new Shield(manifest.shield, manifest.features);
  const releases = new ReleaseColumns();
  const features = new Float64Array(candidatesMax * queueFeatureCount);
  const scores = new Float64Array(candidatesMax);
  const chosen = new Int32Array(candidatesMax);
  let fallbackKeys = new Float64Array(64);

  function observe(tasks: readonly QueuedTask[], count: number, candidates: number, nowMicros: number): void {
    releases.update(cluster, attempts());
    const freeShare = freeOf(context);
    const queueLog = logOfOnePlus(count - 1);
    for (let position = 0; position < candidates; position++) {
      const { kind, estimateMicros, submittedMicros } = tasks[chosen[position] as number] as QueuedTask;
      const estimateSeconds = estimateMicros / 1e6;
      const share = demandShareOf(kind, cluster);
      writeQueueFeatures(
        features,
        position * queueFeatureCount,
        estimateSeconds,
        logOfOnePlus(estimateSeconds),
        share,
        logOfOnePlus(estimateSeconds * share),
        (nowMicros - submittedMicros) / 1e6,
        releases.delayMicros(kind, nowMicros) / 1e6,
        freeShare,
        queueLog,
      );
    }
  }

  return {
    name: 'learned',
    dynamic: true,
    shieldCounts: shield.counts,
    key: (task, nowMicros) => fallback.key(task, nowMicros),
    changed: (task, sign) => fallback.changed?.(task, sign),
    rank(tasks, count, nowMicros, keys) {
      if (fallbackKeys.length < count) fallbackKeys = new Float64Array(2 * count);
      for (let index = 0; index < count; index++)
        fallbackKeys[index] = fallback.key(tasks[index] as QueuedTask, nowMicros);
      const candidates = chooseFirst(tasks, fallbackKeys, count, chosen);
      observe(tasks, count, candidates, nowMicros);
      let decides = shield.admits(features, candidates, candidates * network.operationsPerCandidate);
      if (decides) {
        network.score(features, candidates, scores);
        decides = shield.accepts(scores, candidates);
      }
      if (!decides) {
        for (let index = 0; index < count; index++) keys[index] = fallbackKeys[index] as number;
        return;
      }
      keys.fill(unranked, 0, count);
      for (let position = 0; position < candidates; position++)
        keys[chosen[position] as number] = -(scores[position] as number);
    },
  };
}

/** The first tasks by key, then by number, as many as there is room for: their indices in that order. Returns how many. */
function chooseFirst(tasks: readonly QueuedTask[], keys: Float64Array, count: number, chosen: Int32Array): number {
  let kept = 0;
  const precedes = (left: number, right: number): boolean => {
    const difference = (keys[left] as number) - (keys[right] as number);
    return difference < 0 || (difference === 0 && (tasks[left] as QueuedTask).task < (tasks[right] as QueuedTask).task);
  };
  for (let index = 0; index < count; index++) {
    if (kept === chosen.length && !precedes(index, chosen[kept - 1] as number)) continue;
    let at = kept < chosen.length ? kept++ : kept - 1;
    while (at > 0 && precedes(index, chosen[at - 1] as number)) {
      chosen[at] = chosen[at - 1] as number;
      at--;
    }
    chosen[at] = index;
  }
  return kept;
}

function readArtifact(text: string | undefined): ReturnType<typeof readPolicyArtifact> {
  if (text === undefined) throw invalidPolicy('the order "learned" needs an artifact');
  const bytes = fromBase64(text);
  if (bytes === undefined) throw invalidPolicy('the artifact is no base64');
  const artifact = readPolicyArtifact(bytes);
  const { schema, features } = artifact.manifest;
  if (schema !== queueOrderSchema)
    throw invalidPolicy(`its schema is ${schema}; a queue order needs ${queueOrderSchema}`);
  for (const [index, name] of queueFeatureNames.entries())
    if (features[index]?.name !== name) throw invalidPolicy(`feature ${index} is not ${name}`);
  return artifact;
}

/** What is free of the scarcest resource. */
function freeOf({ cluster }: QueueOrderContext): number {
  return Math.min(
    cluster.cpuCapacityTotalMilli > 0 ? cluster.cpuFreeTotalMilli / cluster.cpuCapacityTotalMilli : 1,
    cluster.memoryCapacityTotalMib > 0 ? cluster.memoryFreeTotalMib / cluster.memoryCapacityTotalMib : 1,
    cluster.gpuCapacityTotalMilli > 0 ? cluster.gpuFreeTotalMilli / cluster.gpuCapacityTotalMilli : 1,
  );
}
