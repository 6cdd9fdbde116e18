// A transformer's forward pass as operators: prefill and decode, with the weights and the key-value cache that it keeps. The
// sum obeys the usual estimate of 2 · parameters FLOPs a token (Kaplan et al., "Scaling Laws for Neural Language Models",
// 2020, equation 2.2) and adds what that leaves out, attention over the context and the logits, as in appendix F of Hoffmann
// et al., "Training Compute-Optimal Large Language Models", 2022.

import { SiraError } from '../base/errors.ts';
import { attention, keyValueBytesPerToken } from './attention-operator.ts';
import { matmul } from './contraction-operators.ts';
import { bytesPerElement, type DataType } from './data-type.ts';
import { elementwise, embeddingLookup, layerNorm, rmsNorm } from './memory-operators.ts';
import { checkExtents, type OperatorLoad, repeated } from './operator-load.ts';

/** A decoder-only transformer. */
export interface TransformerShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; `heads` when not given. */
  readonly keyValueHeads?: number;
  /** width / heads when not given. */
  readonly headWidth?: number;
  readonly feedForwardWidth: number;
  /** Up, gate and down projections (Shazeer, "GLU Variants", 2020) instead of up and down. */
  readonly gated: boolean;
  readonly vocabulary: number;
  /** Learned position embeddings; 0 for rotary or none. */
  readonly learnedPositions: number;
  /** The output projection shares the token embedding's weights. */
  readonly tiedEmbedding: boolean;
  readonly norm: 'layer' | 'rms';
  /** Projections add a bias. */
  readonly bias: boolean;
}

/** What one forward pass works on. */
export interface ForwardPass {
  readonly batch: number;
  /** New tokens of each sequence: the prompt's length in prefill, 1 in decode. */
  readonly newTokens: number;
  /** Tokens of each sequence that are in the cache already; 0 when not given. */
  readonly cachedTokens?: number;
  /** Logits for the last token of each sequence only, as generation needs, or for all, as training does. */
  readonly logits: 'last' | 'all';
  readonly dataType: DataType;
  /** Attention that keeps its scores on the chip; true when not given. */
  readonly fusedAttention?: boolean;
}

/** Shapes published with their models: GPT-2 and GPT-3 (Radford 2019; Brown 2020, table 2.1), Llama 2 and 3 (Touvron 2023; Meta 2024). */
export const transformerShapes = {
  'gpt-2': {
    layers: 12,
    width: 768,
    heads: 12,
    feedForwardWidth: 3072,
    gated: false,
    vocabulary: 50257,
    learnedPositions: 1024,
    tiedEmbedding: true,
    norm: 'layer',
    bias: true,
  },
  'gpt-3-175b': {
    layers: 96,
    width: 12288,
    heads: 96,
    feedForwardWidth: 49152,
    gated: false,
    vocabulary: 50257,
    learnedPositions: 2048,
    tiedEmbedding: true,
    norm: 'layer',
    bias: true,
  },
  'llama-2-7b': {
    layers: 32,
    width: 4096,
    heads: 32,
    feedForwardWidth: 11008,
    gated: true,
    vocabulary: 32000,
    learnedPositions: 0,
    tiedEmbedding: false,
    norm: 'rms',
    bias: false,
  },
  'llama-2-70b': {
    layers: 80,
    width: 8192,
    heads: 64,
    keyValueHeads: 8,
    feedForwardWidth: 28672,
    gated: true,
    vocabulary: 32000,
    learnedPositions: 0,
    tiedEmbedding: false,
    norm: 'rms',
    bias: false,
  },
  'llama-3-8b': {
    layers: 32,
    width: 4096,
    heads: 32,
    keyValueHeads: 8,
    feedForwardWidth: 14336,
    gated: true,
    vocabulary: 128256,
    learnedPositions: 0,
    tiedEmbedding: false,
    norm: 'rms',
    bias: false,
  },
} as const satisfies Record<string, TransformerShape>;

/** Number of weights, embeddings included. */
export function transformerParameters(shape: TransformerShape): number {
  const { layers, width, feedForwardWidth, gated, vocabulary, learnedPositions, tiedEmbedding, norm, bias } = shape;
  const { queryWidth, keyValueWidth } = widths(shape);
  const attentionWeights = 2 * width * queryWidth + 2 * width * keyValueWidth;
  const feedForwardWeights = (gated ? 3 : 2) * width * feedForwardWidth;
  const biases = bias ? queryWidth + 2 * keyValueWidth + width + (gated ? 2 : 1) * feedForwardWidth + width : 0;
  const normWeights = (norm === 'layer' ? 2 : 1) * width;
  const embeddings = (tiedEmbedding ? 1 : 2) * vocabulary * width + learnedPositions * width;
  return layers * (attentionWeights + feedForwardWeights + biases + 2 * normWeights) + normWeights + embeddings;
}

/** Bytes of the keys and values that one token keeps in the cache over all layers. */
export function transformerCacheBytesPerToken(shape: TransformerShape, dataType: DataType): number {
  const { keyValueHeads, headWidth } = widths(shape);
  return shape.layers * keyValueBytesPerToken(keyValueHeads, headWidth, dataType);
}

/** The operators of one forward pass, in the order in which they run; those of a layer carry the number of layers as repeats. */
export function transformerForward(shape: TransformerShape, pass: ForwardPass): OperatorLoad[] {
  const { layers, width, heads, feedForwardWidth, gated, vocabulary, learnedPositions, bias } = shape;
  const { batch, newTokens, cachedTokens = 0, logits, dataType, fusedAttention = true } = pass;
  checkExtents('transformer', { layers, width, heads, feedForwardWidth, vocabulary, batch, newTokens });
  checkExtents('transformer', { learnedPositions, cachedTokens }, 0);
  const { headWidth, keyValueHeads, queryWidth, keyValueWidth } = widths(shape);
  if (learnedPositions > 0 && cachedTokens + newTokens > learnedPositions) {
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `transformer: ${cachedTokens + newTokens} tokens, but only ${learnedPositions} learned positions`,
      { field: 'newTokens' },
    );
  }
  const tokens = batch * newTokens;
  const hidden = [tokens, width];
  const normed = (name: string): OperatorLoad =>
    shape.norm === 'layer' ? layerNorm(hidden, dataType, name) : rmsNorm(hidden, dataType, name);
  const projected = (name: string, inner: number, columns: number): OperatorLoad =>
    matmul({ rows: tokens, inner, columns, rightIsWeight: true, bias }, dataType, name);
  const keys = cachedTokens + newTokens;
  const layer: OperatorLoad[] = [
    normed('attention norm'),
    projected('query, key and value projection', width, queryWidth + 2 * keyValueWidth),
    attention(
      { batch, heads, keyValueHeads, headWidth, queries: newTokens, keys, causal: true, fused: fusedAttention },
      dataType,
    ),
    projected('attention output projection', queryWidth, width),
    elementwise([hidden, hidden], dataType, 1, 'attention residual'),
    normed('feed-forward norm'),
    projected('feed-forward up projection', width, (gated ? 2 : 1) * feedForwardWidth),
    // Gating multiplies two halves after the activation function, counted as four operations.
    elementwise(
      gated
        ? [
            [tokens, feedForwardWidth],
            [tokens, feedForwardWidth],
          ]
        : [[tokens, feedForwardWidth]],
      dataType,
      gated ? 5 : 4,
      'activation',
    ),
    projected('feed-forward down projection', feedForwardWidth, width),
    elementwise([hidden, hidden], dataType, 1, 'feed-forward residual'),
  ];
  const logitRows = logits === 'last' ? batch : tokens;
  const output = matmul(
    { rows: logitRows, inner: width, columns: vocabulary, rightIsWeight: true },
    dataType,
    'logits',
  );
  const operators = [
    embeddingLookup({ tokens, width, rows: vocabulary }, dataType),
    ...layer.map((operator) => repeated(operator, layers)),
    normed('final norm'),
    // Tied weights are counted once, with the embedding.
    shape.tiedEmbedding ? { ...output, residentBytes: 0 } : output,
  ];
  if (learnedPositions > 0) {
    const positions = elementwise(
      [
        [batch, newTokens, width],
        [newTokens, width],
      ],
      dataType,
      1,
      'position embedding',
    );
    operators.splice(1, 0, { ...positions, residentBytes: learnedPositions * width * bytesPerElement(dataType) });
  }
  return operators;
}

function widths(shape: TransformerShape): {
  headWidth: number;
  keyValueHeads: number;
  queryWidth: number;
  keyValueWidth: number;
} {
  const { width, heads, keyValueHeads = heads } = shape;
  const headWidth = shape.headWidth ?? width / heads;
  checkExtents('transformer', { headWidth, keyValueHeads });
  return { headWidth, keyValueHeads, queryWidth: heads * headWidth, keyValueWidth: keyValueHeads * headWidth };
}
