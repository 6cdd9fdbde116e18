// A live kernel on real files and the real clock, and the replay of its journal, by the sources of a tree in which something may be
// planted. Arguments: the tree, `live` or `replay`, the data folder, options of `sira replay`. `live` brings a small fleet within
// the process, and prints the kernel's digest.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { CommandCall, CommandContext } from '../../core/ports/command.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { replayCommand } from './replay-command.ts';

/** What is used here of the live kernel; the simulator does not know core/live. */
interface LiveModule {
  readonly LiveKernel: { start(options: unknown): Promise<Live> };
}

interface Live {
  readonly kernel: { readonly digest: string };
  listen(listener: { released(input: { readonly effects: readonly Effect[] }): void }): void;
  give(body: InputBody): unknown;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const [tree, act, dataFolder, ...options] = process.argv.slice(2) as [string, string, string, ...string[]];
const agentCount = 4;
const taskCount = 120;
const profile: Profile = {
  name: 'planted',
  order: 'fcfs',
  place: 'random',
  unplaced: 'skip',
  backfill: 'none',
  overtakeMax: 0,
  typicalTasks: [],
};

function load<T>(...path: string[]): Promise<T> {
  return import(pathToFileURL(join(tree, ...path)).href) as Promise<T>;
}

async function live(): Promise<void> {
  const { LiveKernel } = await load<LiveModule>('core', 'live', 'live-kernel.ts');
  const ignore = (): void => {};
  const kernel = await LiveKernel.start({
    dataFolder,
    durability: 'processCrash',
    profile,
    settings: {},
    seed: 7,
    payloadBytesMax: 1024,
    payloadCacheBytesMax: 1024,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  kernel.listen({
    released({ effects }) {
      for (const effect of effects) {
        if (effect.kind !== 'dispatch') continue;
        const { task, attempt, agent, incarnation } = effect;
        setTimeout(() => {
          kernel.give({ kind: 'dispatchAccepted', task, attempt, agent, incarnation });
          kernel.give({
            ...{ kind: 'taskFinished', task, attempt, agent, incarnation },
            ...{ outcome: 'completed', serviceMicros: 3000 },
          });
        }, 3);
      }
    },
  });
  for (let number = 0; number < agentCount; number++)
    kernel.give({
      ...{ kind: 'agentHello', gateway: 1, name: `agent-${number}`, incarnation: 1, sentMicros: 0, connection: 1 },
      resources: { cpuMilli: 2000, memoryMib: 4096, gpuCount: 0, gpuModel: '' },
      ...{ capabilities: {}, attributes: {}, running: [] },
    });
  const request = { cpuMilli: 500, memoryMib: 64, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  for (let submission = 1; submission <= taskCount; submission++) {
    kernel.give({
      ...{ kind: 'taskSubmitted', submitter: 1, submission, settled: 0, request },
      ...{ estimateMicros: 3000, priority: 0, tenant: 'a' },
    });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  await kernel.settled();
  process.stdout.write(kernel.kernel.digest);
  await kernel.stop();
}

async function replay(): Promise<void> {
  const { replayCommand: make } = await load<{ readonly replayCommand: typeof replayCommand }>(
    ...['sim', 'replay', 'replay-command.ts'],
  );
  const { codeHash } = await load<{ codeHash(): string }>('core', 'live', 'code-hash.ts');
  const terminal = {
    write: (text: string) => void process.stdout.write(text),
    writeError: (text: string) => void process.stderr.write(text),
    ...{ colour: false, colourError: false, interactive: false, columns: 80 },
  };
  const call: CommandCall = {
    arguments: [dataFolder],
    options: { anyCode: options.includes('--any-code'), json: options.includes('--json') },
  };
  const result = await make(codeHash).run(call, { terminal } as unknown as CommandContext);
  process.exitCode = result ?? 0;
}

await (act === 'live' ? live() : replay());
