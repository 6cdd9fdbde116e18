// What the agents of the demo do, on TensorFlow.js: a product of two matrices, and a small network that reads a prompt and makes
// tokens one after the other. Between its steps an agent listens to the network, so that work does not silence it.

import type { WorkContext, WorkFunction } from '../../core/live/client.ts';
import { arrayFrom, type Tensors, tensorFrom } from '../../core/live/client.ts';
import { openTensorFlow } from '../tensorflow/tensorflow.ts';

export const width = 128;
const hidden = 512;
const promptRowsMax = 256;

/** `matrix-multiply`: `left` [rows, inner] times `right` [inner, columns], float32. `infer`: parameters `promptTokens` and
 *  `outputTokens`, the input `prompt` [width]; gives `state` [width], float32. */
export async function tensorFunctions(): Promise<Readonly<Record<string, WorkFunction>>> {
  const tf = await openTensorFlow();
  const weights = (rows: number, columns: number, seed: number) =>
    tf.tensor2d(seeded(rows * columns, seed, 1 / Math.sqrt(rows)), [rows, columns]);
  const into = weights(width, hidden, 1);
  const back = weights(hidden, width, 2);

  async function multiply({ left, right }: Tensors) {
    if (left === undefined || right === undefined) throw new Error('the inputs are "left" and "right"');
    const product = tf.tidy(() =>
      tf.matMul(
        tf.tensor2d(arrayFrom(left) as Float32Array, left.shape as [number, number]),
        tf.tensor2d(arrayFrom(right) as Float32Array, right.shape as [number, number]),
      ),
    );
    const values = (await product.data()) as Float32Array;
    product.dispose();
    return { product: tensorFrom(values, product.shape) };
  }

  async function infer({ prompt }: Tensors, { parameters, signal }: WorkContext) {
    if (prompt === undefined) throw new Error('the input is "prompt"');
    const start = arrayFrom(prompt) as Float32Array;
    let state = tf.tensor2d(start, [1, width]);
    const step = (rows: number): void => {
      const next = tf.tidy(() => {
        const inside = tf.relu(tf.matMul(rows === 1 ? state : tf.tile(state, [rows, 1]), into));
        const outside = tf.tanh(tf.add(tf.matMul(inside as never, back), state));
        return tf.mean(outside, 0, true) as typeof state;
      });
      state.dispose();
      state = next;
    };
    let unread = Math.max(1, Number(parameters.promptTokens ?? 1));
    for (let left = Math.max(1, Number(parameters.outputTokens ?? 1)); left > 0 && !signal.aborted; ) {
      if (unread > 0) {
        step(Math.min(unread, promptRowsMax));
        unread -= promptRowsMax;
      } else for (let times = Math.min(8, left); times > 0; times--, left--) step(1);
      await state.data();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const values = (await state.data()) as Float32Array;
    state.dispose();
    return { state: tensorFrom(values, [width]) };
  }

  return { 'matrix-multiply': multiply, infer };
}

/** Numbers between −`bound` and `bound`, the same for the same seed. */
export function seeded(count: number, seed: number, bound = 1): Float32Array {
  const values = new Float32Array(count);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[index] = (state / 2 ** 31 - 1) * bound;
  }
  return values;
}
