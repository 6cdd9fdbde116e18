export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';

/** Which backend is loaded, and why nothing better is: `reason` is empty for the native one. `wasm` only once `ready()` is awaited. */
export function backendChoice(): { readonly name: 'native' | 'wasm' | 'cpu'; readonly reason: string };
