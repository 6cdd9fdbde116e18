// `sira loop`: the learning loop from end to end, on real parts, with the story told as it goes and a report at the end.

import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createColors } from 'picocolors';
import { SiraError } from '../../core/base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import type { LoopResults } from './loop-results.ts';
import type { StoryOptions } from './loop-story.ts';

export const loopCommand: Command = {
  name: 'loop',
  summary: 'the learning loop from end to end: record, learn, gate, shadow, canary, promote, catch what is bad',
  description:
    'Starts a kernel and agents, gives them work in rushes, and learns from the rows of their telemetry alone: arrivals, service times and failures are fitted, a forecaster and a scheduling policy trained, signed, and sent through the simulation gate, the replay gate, shadow and canary to the live kernel, where the gain is measured. Then a deliberately bad policy is proposed. Writes loop.html and loop.json; exit code 1 if anything did not come as it should.',
  arguments: [],
  options: [
    {
      flags: '--store <store>',
      description:
        'telemetry: questdb (a server of its own), duckdb, or an address; default: questdb where it is installed',
    },
    { flags: '--seed <number>', description: 'of the work, the training and the kernel', defaultValue: '1' },
    { flags: '-o, --output <folder>', description: 'where to write (default: reports/runs/loop)' },
    { flags: '--brief', description: 'as little of everything as shows the whole story: about two minutes' },
    { flags: '--keep', description: 'keep the journal and the rows as well' },
    { flags: '--json', description: 'print loop.json instead of the story' },
  ],
  examples: [
    { line: 'sira loop', meaning: 'the whole story, about six minutes' },
    { line: 'sira loop --brief --store duckdb --seed 2', meaning: 'the short one, without a server' },
  ],
  run: loop,
};

const marker = 'loop.json';

async function loop(call: CommandCall, context: CommandContext): Promise<number> {
  const { terminal, projectRoot, version, line } = context;
  const seed = Number(call.options.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new SiraError('SIRA_USAGE', '--seed is a whole number from 0 on');
  const { LoopStory } = await import('./loop-story.ts');
  const { storeThereIs } = await import('./live-cluster.ts');
  const { briefSizes, fullSizes } = await import('./loop-sizes.ts');
  const folder = resolve(String(call.options.output ?? join(projectRoot, 'reports', 'runs', 'loop')));
  beginFolder(folder);
  const brief = call.options.brief === true;
  const children = new Set<ChildProcess>();
  const colours = createColors(terminal.colour);
  const begin = performance.now();
  const tell = (step: string, text: string): void => {
    if (call.options.json === true) return;
    const seconds = Math.floor((performance.now() - begin) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`.padStart(6);
    terminal.write(`${colours.dim(clock)}  ${colours.bold(step.padEnd(18))} ${text}\n`);
  };
  const options: StoryOptions = {
    ...{ folder, seed, brief, version, command: line, tell },
    store: String(call.options.store ?? storeThereIs()),
    sizes: brief ? briefSizes : fullSizes,
    begun: (child) => {
      children.add(child);
      child.once('exit', () => children.delete(child));
    },
  };
  const story = new LoopStory(options);
  const endAll = async (): Promise<void> => {
    for (const child of children) child.kill('SIGTERM');
    await story.stop();
  };
  onInterrupt(endAll);
  try {
    await story.run();
  } finally {
    await endAll();
    await writeReport(folder, story.results);
    if (call.options.keep !== true) rmSync(join(folder, 'live'), { recursive: true, force: true });
  }
  if (call.options.json === true) terminal.write(`${JSON.stringify(story.results, undefined, 2)}\n`);
  tell('written', relative(process.cwd(), folder) || '.');
  return story.results.succeeded ? 0 : 1;
}

async function writeReport(folder: string, results: LoopResults): Promise<void> {
  writeFileSync(join(folder, marker), `${JSON.stringify(results, undefined, 1)}\n`);
  const { loopFigures } = await import('./loop-figures.ts');
  const { loopPage } = await import('./loop-page.ts');
  const figures = loopFigures(results);
  for (const { name, svg } of figures) writeFileSync(join(folder, `${name}.svg`), svg);
  writeFileSync(join(folder, 'loop.html'), loopPage(results, figures));
}

/** Only what a loop left is cleared away. */
function beginFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, marker)))
    throw new SiraError('SIRA_USAGE', `${folder} is not empty, and no loop made it; --output names another folder`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, marker), '{}\n');
}

/** Ends what was started, then the process; a second signal does not wait: the children end by themselves then. */
function onInterrupt(end: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.removeAllListeners(signal);
    let count = 0;
    process.on(signal, () => {
      if (++count > 1) process.exit(130);
      void end().then(
        () => process.exit(130),
        () => process.exit(130),
      );
    });
  }
}
