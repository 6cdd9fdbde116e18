// The doctor's line on TensorFlow: which backend a program would get now, and the one command that gets a better one.

import { join } from 'node:path';
import { nativeHome, whyNotNative } from '@tensorflow/tfjs-node/location';
import type { DoctorCheck, Finding } from '../../core/ports/doctor-check.ts';

/** Finds what the package of TensorFlow.js would load, by looking at the files that it looks at. */
export const tensorFlowCheck: DoctorCheck = (machine, projectRoot) =>
  tensorFlowFinding({
    whyNotNative: whyNotNative(),
    nativeHome: nativeHome(),
    packages: (name) => machine.exists(join(projectRoot, 'node_modules', '@tensorflow', name)),
    wanted: process.env.SIRA_TENSORFLOW_BACKEND ?? '',
  });

export interface TensorFlowState {
  /** Empty if the native build can be loaded. */
  readonly whyNotNative: string;
  readonly nativeHome: string;
  /** Whether a package of TensorFlow.js is installed. */
  packages(name: string): boolean;
  /** The backend that the environment asks for, or empty. */
  readonly wanted: string;
}

const provision = 'npm run provision:tensorflow';

export function tensorFlowFinding(state: TensorFlowState): Finding {
  const name = 'TensorFlow';
  const enables = 'training policies and forecasters; running them needs none';
  if (!state.packages('tfjs-core') || !state.packages('tfjs-node'))
    return { name, found: false, detail: 'TensorFlow.js is not installed', enables, remedy: 'npm ci' };
  const buildable = !/is for Linux|no AVX/.test(state.whyNotNative);
  if (state.whyNotNative === '' && (state.wanted === '' || state.wanted === 'native'))
    return { name, found: true, detail: `native backend, ${state.nativeHome}`, enables, remedy: '' };
  if (state.wanted === 'native')
    return { name, found: false, detail: `native is asked for, but ${state.whyNotNative}`, enables, remedy: provision };
  const backend = state.wanted !== 'cpu' && state.packages('tfjs-backend-wasm') ? 'wasm' : 'cpu';
  if (state.wanted !== '') {
    const detail = `${backend} backend, as SIRA_TENSORFLOW_BACKEND says`;
    return { name, found: true, detail, enables, remedy: '' };
  }
  const detail = `${backend} backend; native: ${state.whyNotNative}`;
  return {
    name,
    found: true,
    detail,
    enables,
    remedy: buildable ? `${provision} (native, faster on large networks)` : '',
  };
}
