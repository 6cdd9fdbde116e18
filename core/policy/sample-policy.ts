// A drawn policy for tests and benchmarks: the weights mean nothing.

import { RandomStream } from '../base/random.ts';
import type { DenseLayer, PolicyArtifact } from './policy-artifact.ts';
import { policyFormat } from './policy-manifest.ts';

export function samplePolicy(
  widths: readonly number[],
  { seed = 1, schema = 'sample/1', fallback = 'sjf' }: { seed?: number; schema?: string; fallback?: string } = {},
): PolicyArtifact {
  const random = new RandomStream(seed, 'sample policy');
  const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * random.nextFloat() - 1);
  const layers: DenseLayer[] = [];
  for (let index = 0; index + 1 < widths.length; index++) {
    const [inputs, outputs] = [widths[index] as number, widths[index + 1] as number];
    layers.push({ inputs, outputs, kernel: draw(inputs * outputs), bias: draw(outputs) });
  }
  return {
    manifest: {
      format: policyFormat,
      name: 'sample',
      schema,
      network: { kind: 'candidate-mlp', activation: 'relu', widths },
      features: Array.from({ length: widths[0] as number }, (_, index) => ({
        name: `feature${index}`,
        mean: random.nextFloat(),
        deviation: 0.5 + random.nextFloat(),
        minimum: -4,
        maximum: 4,
      })),
      shield: {
        fallback,
        candidatesMax: 128,
        featuresOutsideMax: 0.2,
        candidatesOutsideMax: 0.2,
        operationsMax: 1_000_000,
      },
      lineage: {
        command: 'none',
        seed,
        configSha256: '0',
        dataSha256: {},
        codeVersion: '0',
        parents: [],
        curve: {},
        evaluation: {},
      },
    },
    layers,
  };
}
