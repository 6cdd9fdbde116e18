// A gated recurrent unit (Cho and others, EMNLP 2014, in the form whose reset gate acts after the recurrent product) that reads a
// series season by season: each step of the recurrence takes one whole season as a vector, and what it ends with says how the coming
// seasons differ from the last one. Plain arithmetic on exported weights; where they come from is not decided here.

import { fixedExp, fixedTanh } from '../../base/fixed-math.ts';

/** Everything that an exported model is; matrices row by row. */
export interface GruWeights {
  /** Samples of a season: the size of one input. */
  readonly period: number;
  /** Seasons that it reads. */
  readonly seasonCount: number;
  readonly hiddenSize: number;
  /** Steps ahead. */
  readonly horizon: number;
  /** period × 3·hidden: update, reset, candidate. */
  readonly input: Float32Array;
  /** hidden × 3·hidden. */
  readonly recurrent: Float32Array;
  /** 3·hidden, of the inputs. */
  readonly inputBias: Float32Array;
  /** 3·hidden, of the recurrence. */
  readonly recurrentBias: Float32Array;
  /** hidden × horizon. */
  readonly output: Float32Array;
  /** horizon. */
  readonly outputBias: Float32Array;
}

/** A window of a series without its level and spread. */
export interface StandardWindow {
  /** seasonCount · period values. */
  readonly values: Float64Array;
  readonly level: number;
  readonly scale: number;
}

/** The `length` values before `end`, less their mean over the last seven seasons, in units of their mean change over a season. */
export function standardWindow(series: Float64Array, end: number, length: number, period: number): StandardWindow {
  const window = series.slice(end - length, end);
  const recent = Math.min(length, 7 * period);
  let level = 0;
  for (let index = length - recent; index < length; index++) level += window[index]! / recent;
  let change = 0;
  for (let index = period; index < length; index++) change += Math.abs(window[index]! - window[index - period]!);
  const scale = change > 0 ? change / (length - period) : 1;
  return { values: window.map((value) => (value - level) / scale), level, scale };
}

/** The network's answer, horizon values, to a standardized window. */
export function runGru(weights: GruWeights, window: Float64Array): Float64Array {
  const { period, seasonCount, hiddenSize, horizon } = weights;
  const gates = 3 * hiddenSize;
  const fromInput = new Float64Array(gates);
  const fromState = new Float64Array(gates);
  const state = new Float64Array(hiddenSize);
  for (let season = 0; season < seasonCount; season++) {
    product(window, season * period, period, weights.input, weights.inputBias, fromInput);
    product(state, 0, hiddenSize, weights.recurrent, weights.recurrentBias, fromState);
    for (let at = 0; at < hiddenSize; at++) {
      const update = sigmoid(fromInput[at]! + fromState[at]!);
      const reset = sigmoid(fromInput[hiddenSize + at]! + fromState[hiddenSize + at]!);
      const candidate = fixedTanh(fromInput[2 * hiddenSize + at]! + reset * fromState[2 * hiddenSize + at]!);
      state[at] = (1 - update) * candidate + update * state[at]!;
    }
  }
  const result = new Float64Array(horizon);
  product(state, 0, hiddenSize, weights.output, weights.outputBias, result);
  const last = (seasonCount - 1) * period;
  for (let step = 0; step < horizon; step++) result[step] = result[step]! + window[last + (step % period)]!;
  return result;
}

/** `into` = bias + the `count` values from `start` on, as a row, times `matrix`. */
function product(
  values: Float64Array,
  start: number,
  count: number,
  matrix: Float32Array,
  bias: Float32Array,
  into: Float64Array,
): void {
  const width = into.length;
  for (let column = 0; column < width; column++) into[column] = bias[column]!;
  for (let row = 0; row < count; row++) {
    const value = values[start + row]!;
    for (let column = 0; column < width; column++) into[column] = into[column]! + value * matrix[row * width + column]!;
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + fixedExp(-value));
}
