// TensorFlow.js, ready to train. The package of that name picks the backend; here a program waits until it is up, or insists on
// one. Whatever trains through this draws from a seeded stream (seeded-training.ts), so that a run repeats bit by bit on the same
// backend and machine.

import * as tf from '@tensorflow/tfjs-node';
import { SiraError } from '../../core/base/errors.ts';

export type TensorFlow = typeof tf;
export type BackendName = 'native' | 'wasm' | 'cpu';

/** Waits until TensorFlow.js is ready on `backend`, by default the best there is. One backend at a time is current in a process.
 *  Throws `SIRA_PROVISION_FAILED` if that backend is not there. */
export async function openTensorFlow(backend?: BackendName): Promise<TensorFlow> {
  await tf.ready();
  if (backend === undefined) return tf;
  const inner = backend === 'native' ? 'tensorflow' : backend;
  if (tf.findBackendFactory(inner) === null || !(await tf.setBackend(inner)))
    throw new SiraError(
      'SIRA_PROVISION_FAILED',
      `TensorFlow's ${backend} backend is not there: ${tf.backendChoice().reason || 'it did not start'}`,
      {},
      backend === 'native' ? 'npm run provision:tensorflow' : 'npm ci',
    );
  return tf;
}

/** The backend that computes now. */
export function currentBackend(): BackendName {
  const name = tf.getBackend();
  return name === 'tensorflow' ? 'native' : (name as BackendName);
}
