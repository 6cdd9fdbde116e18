import { expect, test } from 'vitest';
import { SiraError } from '../base/errors.ts';
import { readSafetensors, writeSafetensors } from '../tensor/wire/safetensors.ts';
import { CandidateNetwork } from './candidate-network.ts';
import { readPolicyArtifact, writePolicyArtifact } from './policy-artifact.ts';
import { samplePolicy } from './sample-policy.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof SiraError) return error.code;
    throw error;
  }
  return 'none';
};

test('what is written is read back, and written again gives the same bytes', () => {
  const policy = samplePolicy([5, 7, 3, 1]);
  const bytes = writePolicyArtifact(policy);
  const read = readPolicyArtifact(bytes);
  expect(read).toEqual(policy);
  expect(writePolicyArtifact(read)).toEqual(bytes);
  const { manifest, layers } = policy;
  const turned = Object.fromEntries(Object.entries(manifest).reverse()) as unknown as typeof manifest;
  expect(writePolicyArtifact({ manifest: turned, layers })).toEqual(bytes);
});

test('manifest and weights must belong together', () => {
  const { manifest, layers } = samplePolicy([5, 4, 1]);
  const other = samplePolicy([5, 6, 1]);
  expect(codeOf(() => writePolicyArtifact({ manifest, layers: other.layers }))).toBe('SIRA_POLICY_INVALID');
  const file = readSafetensors(writePolicyArtifact({ manifest, layers }));
  const without = (name: string) => new Map([...file.tensors].filter(([key]) => key !== name));
  const written = (tensors: typeof file.tensors, metadata = file.metadata) => writeSafetensors({ tensors, metadata });
  expect(codeOf(() => readPolicyArtifact(written(without('layers.1.bias'))))).toBe('SIRA_POLICY_INVALID');
  expect(codeOf(() => readPolicyArtifact(written(file.tensors, new Map())))).toBe('SIRA_POLICY_INVALID');
  expect(codeOf(() => readPolicyArtifact(new Uint8Array(3)))).toBe('SIRA_TENSOR_INVALID');
});

test('a manifest is looked at field by field', () => {
  const { manifest, layers } = samplePolicy([2, 1]);
  const broken: readonly object[] = [
    { format: 'sira-policy/2' },
    { name: '' },
    { network: { ...manifest.network, widths: [2, 2] } },
    { network: { ...manifest.network, widths: [2, 1.5, 1] } },
    { network: { ...manifest.network, activation: 'tanh' } },
    { features: manifest.features.slice(1) },
    { features: [{ ...manifest.features[0], deviation: 0 }, manifest.features[1]] },
    ...[
      { edges: [], counts: [1] },
      { edges: [2, 1], counts: [1, 2, 3] },
      { edges: [1, 2], counts: [1, 2] },
      { edges: [1], counts: [0.5, 1] },
    ].map((distribution) => ({ features: [{ ...manifest.features[0], distribution }, manifest.features[1]] })),
    { shield: { ...manifest.shield, candidatesMax: 0 } },
    { shield: { ...manifest.shield, featuresOutsideMax: 1.5 } },
    { lineage: { ...manifest.lineage, seed: 'one' } },
    { lineage: { ...manifest.lineage, curve: { loss: [Number.NaN] } } },
  ];
  for (const change of broken)
    expect(
      codeOf(() => writePolicyArtifact({ manifest: { ...manifest, ...change }, layers })),
      JSON.stringify(change),
    ).toBe('SIRA_POLICY_INVALID');
});

test('a score is what the layers give, written plainly', () => {
  for (const widths of [
    [3, 1],
    [5, 7, 3, 1],
    [9, 16, 8, 1],
  ]) {
    const { manifest, layers } = samplePolicy(widths, { seed: 7 });
    const network = new CandidateNetwork(layers, manifest.features);
    const inputs = Float64Array.from({ length: 11 * widths[0]! }, (_, index) => ((index * 37) % 19) / 5 - 2);
    const scores = new Float64Array(11);
    network.score(inputs, 11, scores);
    for (let candidate = 0; candidate < 11; candidate++) {
      let values = manifest.features.map(
        ({ mean, deviation }, index) => (inputs[candidate * widths[0]! + index]! - mean) / deviation,
      );
      for (const [index, { inputs: from, outputs, kernel, bias }] of layers.entries()) {
        const next = Array.from(bias);
        for (let input = 0; input < from; input++)
          for (let output = 0; output < outputs; output++)
            next[output]! += kernel[input * outputs + output]! * values[input]!;
        values = index === layers.length - 1 ? next : next.map((value) => Math.max(0, value));
      }
      expect(scores[candidate]).toBeCloseTo(values[0]!, 10);
    }
  }
});
