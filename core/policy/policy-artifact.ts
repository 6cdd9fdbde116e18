// A learned policy as one file: safetensors with the weights, and in its metadata the manifest. The bytes are the artifact: its
// identity is their SHA-256, and who signs it signs them. Reading checks that manifest and weights belong together; the same
// manifest and weights always give the same bytes.
//
// Tensors, all float32: `layers.N.kernel` [inputs, outputs] and `layers.N.bias` [outputs], N from 0. Metadata: `format`
// (`sira-policy/1`) and `manifest` (JSON, keys in the order of their code units).

import { compareText } from '../base/text.ts';
import { TensorView } from '../tensor/tensor-view.ts';
import { readSafetensors, writeSafetensors } from '../tensor/wire/safetensors.ts';
import { checkManifest, invalidPolicy, type PolicyManifest, policyFormat } from './policy-manifest.ts';

/** Weights of one dense layer. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Row-major [inputs, outputs]. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

export interface PolicyArtifact {
  readonly manifest: PolicyManifest;
  readonly layers: readonly DenseLayer[];
}

/** The file's extension. */
export const policyExtension = '.policy.safetensors';

/** SIRA_POLICY_INVALID if the manifest and the layers do not belong together. */
export function writePolicyArtifact({ manifest, layers }: PolicyArtifact): Uint8Array {
  checkManifest(manifest);
  const { widths } = manifest.network;
  if (layers.length !== widths.length - 1) throw invalidPolicy(`${layers.length} layers, not ${widths.length - 1}`);
  const tensors = new Map<string, TensorView>();
  for (const [index, { kernel, bias, inputs, outputs }] of layers.entries()) {
    if (inputs !== widths[index] || outputs !== widths[index + 1])
      throw invalidPolicy(`layer ${index} is ${inputs} × ${outputs}, not ${widths[index]} × ${widths[index + 1]}`);
    tensors.set(`layers.${index}.kernel`, TensorView.from('float32', [inputs, outputs], checkFinite([...kernel])));
    tensors.set(`layers.${index}.bias`, TensorView.from('float32', [outputs], checkFinite([...bias])));
  }
  const metadata = new Map([
    ['format', policyFormat],
    ['manifest', canonicalJson(manifest)],
  ]);
  return writeSafetensors({ tensors, metadata });
}

/** SIRA_TENSOR_INVALID if `bytes` are no safetensors file, SIRA_POLICY_INVALID if they are no policy. */
export function readPolicyArtifact(bytes: Uint8Array): PolicyArtifact {
  const { tensors, metadata } = readSafetensors(bytes);
  const text = metadata.get('manifest');
  if (text === undefined)
    throw invalidPolicy('the file has no manifest in its metadata: it holds weights, but no policy');
  const manifest = checkManifest(parse(text));
  const { widths } = manifest.network;
  const layers: DenseLayer[] = [];
  for (let index = 0; index + 1 < widths.length; index++) {
    const [inputs, outputs] = [widths[index] as number, widths[index + 1] as number];
    const kernel = weights(tensors, `layers.${index}.kernel`, [inputs, outputs]);
    layers.push({ inputs, outputs, kernel, bias: weights(tensors, `layers.${index}.bias`, [outputs]) });
  }
  if (tensors.size !== 2 * layers.length) throw invalidPolicy(`${tensors.size} tensors, not ${2 * layers.length}`);
  return { manifest, layers };
}

function weights(tensors: ReadonlyMap<string, TensorView>, name: string, shape: readonly number[]): Float32Array {
  const tensor = tensors.get(name);
  const isSound =
    tensor?.dataType === 'float32' &&
    tensor.shape.length === shape.length &&
    shape.every((extent, axis) => tensor.shape[axis] === extent);
  if (!isSound) throw invalidPolicy(`tensor ${name} is not float32 [${shape.join(', ')}]`);
  return Float32Array.from(checkFinite(tensor.toElements() as number[]));
}

function checkFinite<Values extends readonly number[]>(values: Values): Values {
  for (const value of values) if (!Number.isFinite(value)) throw invalidPolicy('a weight is not finite');
  return values;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidPolicy('its manifest is no JSON');
  }
}

/** JSON with the keys of every object in the order of their code units. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => compareText(left, right)));
  });
}
