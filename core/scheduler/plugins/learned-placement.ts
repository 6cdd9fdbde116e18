// Placement by a trained network: the schema `placement/1`, added to the score of the placement that the shield falls back to. So a
// network that says nothing places as that one does, and training moves on from there. Scores follow from a machine's columns
// and the kind, and are kept like any other placement's; members of a gang are scored anew, by where the others stand.

import { fromBase64 } from '../../base/base64.ts';
import { CandidateNetwork } from '../../policy/candidate-network.ts';
import { placementFeatureCount, placementFeatureNames, placementSchema } from '../../policy/placement-features.ts';
import { type PolicyArtifact, readPolicyArtifact } from '../../policy/policy-artifact.ts';
import { invalidPolicy } from '../../policy/policy-manifest.ts';
import { Shield, type ShieldCounts } from '../../policy/shield.ts';
import type { GangMates, Placement, PluginContext, ScorePlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';
import { PlacementObserver } from './placement-observer.ts';

/** What the network adds is at most this, either way. */
export const correctionMax = 1_000_000;

export interface LearnedPlacement extends Placement {
  readonly shieldCounts: ShieldCounts;
}

/** SIRA_POLICY_INVALID if the artifact is missing, cannot be read, or is for another schema. */
export function learnedPlacement(
  context: PluginContext,
  find: (name: string) => (context: PluginContext) => Placement,
): LearnedPlacement {
  const { manifest, layers } = readPlacementArtifact(context.artifact);
  const fallback = find(manifest.shield.fallback)(context);
  const network = new CandidateNetwork(layers, manifest.features);
  const shield = new Shield(manifest.shield, manifest.features);
  const observer = new PlacementObserver(context, fallback.devices);
  const features = new Float64Array(placementFeatureCount);
  const output = new Float64Array(1);

  const scoreOf = (kind: RequestKind, machine: number, mates: GangMates | undefined): number => {
    let own = 0;
    for (let index = 0; index < fallback.scores.length; index++) {
      const { plugin, weight } = fallback.scores[index] as Placement['scores'][number];
      own += weight * (mates === undefined ? plugin.score(kind, machine) : besideScore(plugin, kind, machine, mates));
    }
    observer.observe(kind, machine, mates, features, 0);
    // A machine that is unlike all of the training's: below those that are not, in the fallback's order.
    if (shield.isOutside(features, 0)) return own / (1 + own);
    network.score(features, 1, output);
    const correction = output[0] as number;
    if (!Number.isFinite(correction)) {
      shield.counts.broken++;
      return own / (1 + own);
    }
    return 1 + correctionMax + Math.max(-correctionMax, Math.min(correctionMax, correction)) + own;
  };

  return {
    name: 'learned',
    scores: [
      {
        plugin: {
          name: 'learned',
          score: (kind, machine) => scoreOf(kind, machine, undefined),
          scoreBeside: scoreOf,
          prepare: (kind) => {
            for (const { plugin } of fallback.scores) plugin.prepare?.(kind);
          },
          changed: (kind, machine, sign) => {
            for (const { plugin } of fallback.scores) plugin.changed?.(kind, machine, sign);
          },
        },
        weight: 1,
      },
    ],
    devices: fallback.devices,
    ties: fallback.ties,
    guard: {
      fallback,
      trustedFrom: 1,
      admits: (count, outside) => shield.admitsCandidates(count, outside, count * network.operationsPerCandidate),
    },
    shieldCounts: shield.counts,
  };
}

function besideScore(plugin: ScorePlugin, kind: RequestKind, machine: number, mates: GangMates): number {
  return plugin.scoreBeside === undefined ? plugin.score(kind, machine) : plugin.scoreBeside(kind, machine, mates);
}

/** SIRA_POLICY_INVALID as {@link learnedPlacement}. */
export function readPlacementArtifact(text: string | undefined): PolicyArtifact {
  if (text === undefined) throw invalidPolicy('the placement "learned" needs an artifact');
  const bytes = fromBase64(text);
  if (bytes === undefined) throw invalidPolicy('the artifact is no base64');
  const artifact = readPolicyArtifact(bytes);
  const { schema, features } = artifact.manifest;
  if (schema !== placementSchema) throw invalidPolicy(`its schema is ${schema}; a placement needs ${placementSchema}`);
  for (const [index, name] of placementFeatureNames.entries())
    if (features[index]?.name !== name) throw invalidPolicy(`feature ${index} is not ${name}`);
  const { fallback } = artifact.manifest.shield;
  if (fallback === 'learned' || fallback === 'random')
    throw invalidPolicy(`its fallback must score machines, and ${fallback} does not`);
  return artifact;
}
