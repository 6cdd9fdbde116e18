// TensorFlow.js under the name that every package knows, whatever this machine has. Native where `npm run provision:tensorflow`
// built it; else cpu at once, and wasm as soon as somebody awaits `tf.ready()`. SIRA_TENSORFLOW_BACKEND (native, wasm or cpu) allows
// that one alone. Layers, optimizers and `file://` (native) are here; saved models, images and TensorBoard are not.

const core = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
require('@tensorflow/tfjs-backend-wasm');
const { version, whyNotNative } = require('./location.cjs');
const { fillWasmGaps } = require('./wasm-gaps.cjs');

const names = ['native', 'wasm', 'cpu'];
const wanted = process.env.SIRA_TENSORFLOW_BACKEND ?? '';
if (wanted !== '' && !names.includes(wanted))
  throw new Error(`SIRA_TENSORFLOW_BACKEND is "${wanted}"; it may be ${names.join(', ')}`);

/** What is loaded, and why nothing better. */
const choice = { name: 'cpu', reason: '' };
const backendChoice = () => ({ ...choice });

// Written out in this form, it tells Node which names an ES module may import from here.
module.exports = { backendChoice, ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
const tf = module.exports;
tf.version = { ...core.version, 'tfjs-node': version };
fillWasmGaps(core);

// The cpu backend greets its first user with an advertisement otherwise.
const makeCpu = core.findBackendFactory('cpu');
core.removeBackend('cpu');
core.registerBackend('cpu', () => Object.assign(makeCpu(), { firstUse: false }), 1);

let failure = '';
if (wanted === '' || wanted === 'native') {
  failure = whyNotNative();
  if (failure === '') {
    try {
      require('./native.cjs').registerNative(tf);
      if (!core.setBackend('tensorflow')) throw new Error('the native backend did not start');
      choice.name = 'native';
    } catch (error) {
      failure = `the native build does not load: ${error.message}`;
      if (core.findBackendFactory('tensorflow') !== null) core.removeBackend('tensorflow');
      process.emitWarning(failure, { code: 'SIRA_TENSORFLOW', detail: 'Build it anew: npm run provision:tensorflow' });
    }
  }
  if (wanted === 'native' && failure !== '')
    throw new Error(`SIRA_TENSORFLOW_BACKEND asks for native, but ${failure}; npm run provision:tensorflow builds it`);
}
if (choice.name !== 'native') {
  // Until somebody can wait for wasm: other packages expect the first tensor to work without any waiting.
  core.setBackend('cpu');
  choice.reason = failure || `SIRA_TENSORFLOW_BACKEND is ${wanted}`;
}

tf.ready = async () => {
  if (choice.name === 'cpu' && wanted !== 'cpu' && (await core.setBackend('wasm'))) choice.name = 'wasm';
  return core.ready();
};
