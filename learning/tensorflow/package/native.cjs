// Registers the native backend: tfjs-node's own JavaScript over the binding that provisioning built. Throws if anything does not
// load; index.cjs then takes the next backend.

const { realpathSync } = require('node:fs');
const { join } = require('node:path');
const util = require('node:util');
const { nativeFiles, nativeHome } = require('./location.cjs');

/** Registers the backend `tensorflow` with `tf`, the union of core and layers, and gives it kernels. */
function registerNative(tf) {
  // TensorFlow prints a line about the processor for every process otherwise.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // oneDNN picks its algorithms, and so its order of summation, by the shape and the machine's load.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  // Node 23 dropped two helpers that tfjs-node calls.
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;

  const files = nativeFiles(join(nativeHome(), 'native'));
  // tfjs-node asks for TensorFlow.js by name, and finds empty files that provisioning put beside it; it must get this very
  // instance, wherever its own files lie.
  for (const file of files.standIns) present(file, tf);
  // Only its TensorBoard writer, which is not offered here, needs protocol buffers.
  present(join(files.scripts, 'proto', 'api_pb.js'), {});

  const binding = require(files.binding);
  const { NodeJSKernelBackend } = require(join(files.scripts, 'nodejs_kernel_backend.js'));
  require(join(files.scripts, 'register_all_kernels.js'));
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node'), 3);
  const { nodeFileSystemRouter } = require(join(files.scripts, 'io', 'file_system.js'));
  tf.io.registerLoadRouter(nodeFileSystemRouter);
  tf.io.registerSaveRouter(nodeFileSystemRouter);
}

/** Has `require` of the file at `path` answer `exports`. */
function present(file, exports) {
  const path = realpathSync(file);
  require.cache[path] = { id: path, filename: path, loaded: true, exports, children: [], paths: [] };
}

module.exports = { registerNative };
