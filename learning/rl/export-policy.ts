// From a trained network to the artifact that a kernel runs: float32 weights, the features' distribution in training, the shield's
// bounds and the lineage.

import type { PolicyArtifact } from '../../core/policy/policy-artifact.ts';
import { type PolicyLineage, policyFormat } from '../../core/policy/policy-manifest.ts';
import type { DenseNetwork } from './dense-network.ts';
import type { FeatureScaler } from './feature-scaler.ts';
import type { TrainingSpec } from './training-spec.ts';

export interface ExportedFrom {
  readonly spec: TrainingSpec;
  readonly schema: string;
  readonly candidatesMax: number;
  readonly fallback: string;
  readonly lineage: PolicyLineage;
}

export function exportPolicy(network: DenseNetwork, scaler: FeatureScaler, from: ExportedFrom): PolicyArtifact {
  const { spec, schema, candidatesMax, fallback, lineage } = from;
  const { widths } = network;
  const operations = widths.slice(1).reduce((sum, width, layer) => sum + width * widths[layer]!, 0);
  return {
    manifest: {
      format: policyFormat,
      name: spec.name,
      schema,
      network: { kind: 'candidate-mlp', activation: 'relu', widths },
      features: scaler.features(),
      shield: { fallback, candidatesMax, ...spec.shield, operationsMax: candidatesMax * operations },
      lineage,
    },
    layers: network.layers(),
  };
}
