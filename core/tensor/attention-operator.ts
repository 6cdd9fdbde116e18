// The demand of scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017), for prefill and decode,
// with shared key and value heads (Shazeer 2019; Ainslie et al., "GQA", 2023), either fused, so that the scores never leave
// the chip (Dao et al., "FlashAttention", 2022), or with the scores written to memory.

import { SiraError } from '../base/errors.ts';
import { bytesPerElement, type DataType } from './data-type.ts';
import { checkExtents, type OperatorLoad, operatorLoad } from './operator-load.ts';

export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  /** Heads of keys and values, a divisor of `heads`; equal to it when not given. */
  readonly keyValueHeads?: number;
  readonly headWidth: number;
  /** New tokens: the whole prompt in prefill, 1 in decode. */
  readonly queries: number;
  /** Tokens that can be attended to, the new ones included. */
  readonly keys: number;
  /** A token sees itself and those before it; without it, all of them. */
  readonly causal: boolean;
  /** Scores stay on the chip. */
  readonly fused: boolean;
}

/** Operations of a softmax on one element: maximum, subtraction, exponential, sum, division. */
export const softmaxFlopsPerElement = 5;

/** Pairs of a query and a key that it sees. With a causal mask the last query sees all keys, the one before one fewer, … */
export function attendedPairs(queries: number, keys: number, causal: boolean): number {
  return causal ? queries * keys - (queries * (queries - 1)) / 2 : queries * keys;
}

/**
 * For each head and attended pair: 2 · headWidth FLOPs for the score, one to scale it, 5 for the softmax, 2 · headWidth for
 * the weighted sum. Keys and values are counted as resident (the cache), queries and results as activations.
 */
export function attention(shape: AttentionShape, dataType: DataType, name = 'attention'): OperatorLoad {
  const { batch, heads, keyValueHeads = heads, headWidth, queries, keys, causal, fused } = shape;
  checkExtents(name, { batch, heads, keyValueHeads, headWidth, queries, keys });
  if (heads % keyValueHeads !== 0) {
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `${name}: ${keyValueHeads} key-value heads do not divide ${heads} heads`,
      { field: 'keyValueHeads' },
    );
  }
  if (causal && keys < queries) {
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `${name}: ${queries} causal queries need at least as many keys, not ${keys}`,
      { field: 'keys' },
    );
  }
  const size = bytesPerElement(dataType);
  const pairs = batch * heads * attendedPairs(queries, keys, causal);
  const queryBytes = batch * heads * queries * headWidth * size;
  const keyValueBytes = 2 * batch * keyValueHeads * keys * headWidth * size;
  // Unfused kernels work on the whole score matrix, masked or not: scores written and read, weights written and read.
  const scoreBytes = fused ? 0 : batch * heads * queries * keys * size;
  return operatorLoad(name, dataType, {
    flops: pairs * (4 * headWidth + 1 + softmaxFlopsPerElement),
    bytesRead: queryBytes + keyValueBytes + 2 * scoreBytes,
    bytesWritten: queryBytes + 2 * scoreBytes,
    residentBytes: keyValueBytes,
    activationBytes: 2 * queryBytes + 2 * scoreBytes,
  });
}

/** Bytes that a token's keys and values take in one layer's cache. */
export function keyValueBytesPerToken(keyValueHeads: number, headWidth: number, dataType: DataType): number {
  return 2 * keyValueHeads * headWidth * bytesPerElement(dataType);
}
