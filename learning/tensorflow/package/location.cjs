// Where the native TensorFlow lies once `npm run provision:tensorflow` has built it, and whether this machine can load it.
// Loads nothing itself, so that asking is cheap; the loading is native.cjs's.

const { existsSync, readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

/** Version of TensorFlow.js that all backends have. */
const version = '4.22.0';

/** Raised when what is built, or how, changes: an older build is then built anew. */
const recipe = 1;

/** Folder that provisioning fills: `.tensorflow` at the project's top, or as the environment says. */
function nativeHome() {
  return process.env.SIRA_TENSORFLOW_HOME
    ? resolve(process.env.SIRA_TENSORFLOW_HOME)
    : resolve(__dirname, '../../..', '.tensorflow');
}

/** The files of a build in `folder`. */
function nativeFiles(folder) {
  return {
    binding: join(folder, 'lib', 'tfjs_binding.node'),
    library: join(folder, 'lib', 'libtensorflow_cc.so.2'),
    framework: join(folder, 'lib', 'libtensorflow_framework.so.2'),
    scripts: join(folder, 'tfjs-node', 'dist'),
    standIns: ['tfjs', 'tfjs-core'].map((name) =>
      join(folder, 'tfjs-node', 'node_modules', '@tensorflow', name, 'index.js'),
    ),
    record: join(folder, 'provisioned.json'),
  };
}

/** Why the native build in `home` cannot be loaded on this machine; empty if it can. */
function whyNotNative(home = nativeHome()) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `the native build is for Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  const files = nativeFiles(join(home, 'native'));
  let record;
  try {
    record = JSON.parse(readFileSync(files.record, 'utf8'));
  } catch {
    return 'not built yet';
  }
  if (record.version !== version || record.recipe !== recipe) return 'built for another version of this project';
  const missing = [files.binding, files.library, files.framework, files.scripts, ...files.standIns].find(
    (path) => !existsSync(path),
  );
  if (missing !== undefined) return `${missing} is missing`;
  if (!hasAvx()) return 'this processor has no AVX, which the native build needs';
  return '';
}

/** TensorFlow's library dies of an illegal instruction without AVX, and nothing can catch that. */
function hasAvx() {
  try {
    return /^flags\s*:.*\bavx\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return true;
  }
}

module.exports = { version, recipe, nativeHome, nativeFiles, whyNotNative };
