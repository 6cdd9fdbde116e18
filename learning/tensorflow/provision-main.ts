// `npm run provision:tensorflow`: the native TensorFlow backend, from public registries, in about half a minute. Run again, it only
// tries what is there. Exit code 1, with what to do, if it cannot be built; Sira then works on the wasm backend.

import { createColors } from 'picocolors';
import { SiraError } from '../../core/base/errors.ts';
import { provisionNative } from './provision-native.ts';

const colours = createColors(process.stderr.isTTY === true);
const force = process.argv.includes('--force');
const unknown = process.argv.slice(2).find((word) => word !== '--force');

if (unknown !== undefined) {
  const help = 'npm run provision:tensorflow [-- --force]\n  --force  builds anew although a working build is there\n';
  const asked = unknown === '--help' || unknown === '-h';
  process[asked ? 'stdout' : 'stderr'].write(asked ? help : `unknown word: ${unknown}\n${help}`);
  process.exit(asked ? 0 : 2);
}

const started = performance.now();
try {
  const { outcome, folder, libraryVersion } = await provisionNative({
    force,
    onStep: (number, count, text) => process.stderr.write(`${colours.dim(`${number}/${count}`)} ${text}…\n`),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    outcome === 'already'
      ? `TensorFlow ${libraryVersion} is there and works: ${folder}\n`
      : `TensorFlow ${libraryVersion} built in ${seconds} s: ${folder}\n`,
  );
} catch (error) {
  if (!(error instanceof SiraError)) throw error;
  process.stderr.write(`error[${error.code}] ${error.message}\n  do: ${error.remedy}\n`);
  process.exitCode = error.exitCode;
}
