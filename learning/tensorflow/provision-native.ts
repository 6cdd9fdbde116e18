// Builds the native TensorFlow backend into an ignored folder: downloads with pinned digests, compiles, tries it in a process of
// its own, and only then puts it in place, so that a broken build is never found by a program. What a build is made of stands in
// provision-recipe.ts.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { nativeFiles, nativeHome, recipe, version, whyNotNative } from '@tensorflow/tfjs-node/location';
import { SiraError } from '../../core/base/errors.ts';
import { compilerArguments, extractScript, libraries, packages, wheel } from './provision-recipe.ts';
import { downloadRemedy, runTool } from './run-tool.ts';

export interface ProvisionOptions {
  /** Builds anew although a working build is there. */
  readonly force: boolean;
  /** Told at the beginning of each step: its number from 1, how many there are, what it does. */
  onStep(number: number, count: number, text: string): void;
}

export interface Provisioned {
  /** `already` if a working build was there. */
  readonly outcome: 'already' | 'built';
  /** Absolute path of the build. */
  readonly folder: string;
  /** TensorFlow's own version, as the library says it. */
  readonly libraryVersion: string;
}

/** Leaves a working native build in `nativeHome()`, or throws `SIRA_PROVISION_FAILED` and leaves what was there. */
export async function provisionNative(options: ProvisionOptions): Promise<Provisioned> {
  refuseForeignMachine();
  const home = nativeHome();
  const folder = join(home, 'native');
  if (!options.force && whyNotNative(home) === '') {
    options.onStep(1, 1, 'trying the build that is there');
    const tried = await tryBuild(home).catch(() => undefined);
    if (tried !== undefined) return { outcome: 'already', folder, libraryVersion: tried };
  }
  const staging = join(home, `building-${process.pid}`);
  const built = join(staging, 'native');
  const steps: readonly [string, () => Promise<unknown>][] = [
    [`downloading ${wheel.requirement} (${wheel.megabytes} MB)`, () => downloadWheel(staging)],
    [`downloading ${packages.map(({ name }) => name).join(' and ')}`, () => downloadPackages(staging)],
    ['taking libraries and headers out of the wheel', () => extractWheel(staging)],
    ['compiling the binding', () => compile(staging, built)],
    ['making the libraries smaller, and putting all together', () => assemble(staging, built)],
    ['trying it in a process of its own', () => tryBuild(staging)],
  ];
  let libraryVersion = '';
  try {
    mkdirSync(join(built, 'lib'), { recursive: true });
    for (const [index, [text, step]] of steps.entries()) {
      options.onStep(index + 1, steps.length, text);
      const result = await step();
      if (typeof result === 'string') libraryVersion = result;
    }
    putInPlace(built, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return { outcome: 'built', folder, libraryVersion };
}

function refuseForeignMachine(): void {
  const glibc = (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)?.header
    ?.glibcVersionRuntime;
  if (process.platform === 'linux' && process.arch === 'x64' && glibc !== undefined) return;
  throw new SiraError(
    'SIRA_PROVISION_FAILED',
    `the native backend is built for Linux with glibc on x86-64, and this is ${process.platform} on ${process.arch}`,
    {},
    'Nothing is needed: the wasm backend is used here.',
  );
}

async function downloadWheel(staging: string): Promise<void> {
  const folder = join(staging, 'wheel');
  mkdirSync(folder, { recursive: true });
  const requirements = join(staging, 'requirements.txt');
  writeFileSync(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  await runTool({
    program: 'python3',
    words: [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-cache-dir'],
      ...['--require-hashes', '--only-binary=:all:', '--implementation', 'cp', '--abi', 'cp311'],
      ...['--platform', wheel.platform, '--python-version', wheel.pythonVersion],
      ...['--dest', folder, '--requirement', requirements],
    ],
    purpose: `download ${wheel.requirement}`,
    remedy: (output) =>
      output === '' || /No module named pip/.test(output)
        ? 'apt-get install python3 python3-pip'
        : downloadRemedy(
            'the Python package index',
            `See what pip says above; ${wheel.requirement} must be there.`,
          )(output),
  });
}

async function downloadPackages(staging: string): Promise<void> {
  await runTool({
    program: 'npm',
    words: [
      'pack',
      '--silent',
      '--pack-destination',
      staging,
      ...packages.map(({ name, version }) => `${name}@${version}`),
    ],
    purpose: 'download from the npm registry',
    remedy: downloadRemedy('the npm registry', 'See what npm says above.'),
  });
  for (const { name, version, integrity, folder } of packages) {
    const file = join(staging, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
    const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
    if (found !== integrity)
      throw new SiraError(
        'SIRA_PROVISION_FAILED',
        `${name}@${version} is not the package that this project knows: ${found}`,
        {},
        'Do not use it; see which registry npm asks.',
      );
    mkdirSync(join(staging, folder), { recursive: true });
    await runTool({
      program: 'tar',
      words: ['-xzf', file, '-C', join(staging, folder), '--strip-components=1'],
      purpose: `unpack ${name}`,
      remedy: () => 'apt-get install tar gzip',
    });
  }
}

async function extractWheel(staging: string): Promise<void> {
  const folder = join(staging, 'wheel');
  const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new SiraError('SIRA_PROVISION_FAILED', 'pip left no wheel behind', {}, 'Run it again.');
  await runTool({
    program: 'python3',
    words: ['-c', extractScript, join(folder, name), folder],
    purpose: 'unpack the wheel',
    remedy: () => 'Make room on the disk (1 GB while building, 430 MB afterwards), then try again.',
  });
  rmSync(join(folder, name));
}

async function compile(staging: string, built: string): Promise<void> {
  const { binding } = nativeFiles(built);
  await runTool({
    program: 'g++',
    words: compilerArguments(staging, binding),
    purpose: 'compile the binding',
    remedy: () => 'apt-get install g++',
  });
}

async function assemble(staging: string, built: string): Promise<void> {
  for (const library of libraries) {
    await runTool({
      program: 'strip',
      words: ['--strip-unneeded', '-o', join(built, 'lib', library), join(staging, 'wheel', 'tensorflow', library)],
      purpose: `strip ${library}`,
      remedy: () => 'apt-get install binutils',
    });
  }
  renameSync(join(staging, 'tfjs-node'), join(built, 'tfjs-node'));
  for (const file of nativeFiles(built).standIns) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  }
  const record = { version, recipe, wheel: wheel.requirement, node: process.version };
  writeFileSync(nativeFiles(built).record, `${JSON.stringify(record, null, 2)}\n`);
}

/** Multiplies and differentiates on the build in `home`, in a process that may crash; answers the library's version. */
async function tryBuild(home: string): Promise<string> {
  const packagePath = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node');
  const script = `
    const tf = require(${JSON.stringify(packagePath)});
    const slope = tf.grad((x) => tf.sum(tf.matMul(x, x)))(tf.tensor2d([1, 2, 3, 4], [2, 2])).dataSync();
    if (tf.getBackend() !== 'tensorflow' || slope.join() !== '7,11,9,13') throw new Error('wrong result: ' + slope);
    process.stdout.write(tf.backend().binding.TF_Version);`;
  return runTool({
    program: process.execPath,
    words: ['-e', script],
    purpose: 'use the build',
    environment: { SIRA_TENSORFLOW_HOME: home, SIRA_TENSORFLOW_BACKEND: 'native' },
    remedy: () => 'See what it printed above; until it works the wasm backend is used.',
  });
}

/** One rename, so that nobody ever sees half a build. */
function putInPlace(built: string, folder: string): void {
  const old = `${folder}-old-${process.pid}`;
  if (existsSync(folder)) renameSync(folder, old);
  try {
    renameSync(built, folder);
  } catch (error) {
    // Another run was faster; its build is as good.
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}
