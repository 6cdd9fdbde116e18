// `npm run bench`: measures the engine and the whole kernel on this machine, prints the figures beside what they should reach,
// and writes them as pages, figures and data. Exit code 1 if a goal is missed, 2 for a mistake in the command line.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';
import { benchEngine, type EngineBench, formatEngineBench } from '../../sim/engine/engine.bench.ts';
import { benchKernel, formatKernelBench, type KernelBench } from '../../sim/experiment/kernel.bench.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { enginePage } from './engine-page.bench.ts';
import { kernelFigureName, kernelPage, kernelSvg } from './kernel-page.bench.ts';

const parts = ['engine', 'kernel'] as const;

interface Options {
  readonly only?: readonly (typeof parts)[number][];
  readonly output: string;
  readonly json?: string;
}

/** What the pages say made them, whichever part was run. */
const command = 'npm run bench';

const program = new Command('bench')
  .description(
    'Measures how fast Sira is on this machine, beside peers and floors in the same run:\n' +
      'engine, the event queue beside std::priority_queue and SimPy; kernel, whole simulated clusters. About four minutes.',
  )
  .addOption(new Option('--only <parts...>', 'these parts alone').choices(parts))
  .option('-o, --output <folder>', 'where to write pages and figures', join(projectRoot(), 'reports', 'benchmarks'))
  .option('--json <file>', 'write all that was measured to this file as well')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench\n  npm run bench -- --only kernel\n  npm run bench -- -o /tmp/bench --json /tmp/bench.json',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(run);

await program.parseAsync();

async function run(options: Options): Promise<void> {
  const wanted = options.only ?? parts;
  const progress = startProgress();
  let engine: EngineBench | undefined;
  let kernel: KernelBench | undefined;
  try {
    // About a third of the time goes to the engine.
    const engineShare = wanted.includes('kernel') ? 0.35 : 1;
    let engineCases = 0;
    if (wanted.includes('engine')) {
      engine = await benchEngine((name) => progress.update((engineCases++ / 8) * engineShare, `engine, ${name}`));
    }
    const kernelFrom = wanted.includes('engine') ? engineShare : 0;
    if (wanted.includes('kernel')) {
      kernel = await benchKernel((name, share) =>
        progress.update(kernelFrom + share * (1 - kernelFrom), `kernel, ${name}`),
      );
    }
  } finally {
    progress.stop();
  }
  mkdirSync(options.output, { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(join(options.output, name), text);
  if (engine !== undefined) {
    write('engine.md', enginePage(engine, command));
    write('engine.json', asJson(engine));
    console.log(`${formatEngineBench(engine)}\n`);
  }
  if (kernel !== undefined) {
    write('kernel.md', kernelPage(kernel, command));
    write('kernel.json', asJson(kernel));
    write(kernelFigureName, kernelSvg(kernel));
    console.log(`${formatKernelBench(kernel)}\n`);
  }
  if (options.json !== undefined) writeFileSync(options.json, asJson({ engine, kernel }));
  console.log(`written to ${relative(process.cwd(), resolve(options.output)) || '.'}`);
  const engineMet =
    engine?.rows.every(({ peers }) => peers.every(({ goal, ratio }) => goal === undefined || ratio >= goal)) ?? true;
  const kernelMet = kernel?.goals.every(({ met }) => met) ?? true;
  process.exitCode = engineMet && kernelMet ? 0 : 1;
}

/** A bar where a person watches, lines elsewhere. */
function startProgress(): { update(share: number, name: string): void; stop(): void } {
  if (process.stderr.isTTY !== true) {
    return {
      update: (share, name) => void process.stderr.write(`${String(Math.round(share * 100)).padStart(3)}%  ${name}\n`),
      stop: () => {},
    };
  }
  const bar = new SingleBar({ format: '{bar} {percentage}% | {name}', hideCursor: true });
  bar.start(100, 0, { name: '' });
  return { update: (share, name) => bar.update(Math.round(share * 100), { name }), stop: () => bar.stop() };
}

/** Six digits are more than any measurement holds. */
function asJson(value: unknown): string {
  const rounded = (_: string, each: unknown): unknown =>
    typeof each === 'number' ? Number(each.toPrecision(6)) : each;
  return `${JSON.stringify(value, rounded, 1)}\n`;
}
