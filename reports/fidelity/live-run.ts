// One live run for the measurement: a kernel, agents and a submitter, each a process or nearly so, work that is all arithmetic, and
// arrivals that are drawn from a seed and wait for nobody. What remains of it is the kernel's journal.

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { RandomStream } from '../../core/base/random.ts';
import { Submitter, tensorFrom } from '../../core/live/client.ts';
import { busyRounds } from '../../core/live/examples/busy-work.ts';
import { sampleExponential } from '../../sim/engine/distributions.ts';
import { warmUpClass } from './judge-fidelity.ts';
import { ProcessorShare } from './processor-share.ts';

export interface LiveRunOptions {
  /** Where the project is compiled. */
  readonly built: string;
  /** Empty; the journal comes to lie in `data` there. */
  readonly folder: string;
  readonly seed: number;
  readonly tasks: number;
  readonly agents: number;
  /** Of the agents' time, 0 to 1, by what the work takes alone. */
  readonly load: number;
  /** Of one processor, for each agent; `undefined`: what the machine gives. */
  readonly share: number | undefined;
  /** What a round takes here alone, microseconds. */
  readonly microsPerRound: number;
  readonly told: (ended: number) => void;
}

const startMillisMax = 60_000;
const shortMillis = [20, 120] as const;
const longMillis = [160, 480] as const;
const longEvery = 5;
const measuredRounds = 20_000;
const measuredMillis = 1000;

/** What a round of a busy agent's work takes of a processor, microseconds: processor time, the least of a second's attempts, so that
 *  others here change it little. A neighbour on the same core slows work down for longer than a few attempts last. */
export function measureRound(): number {
  let best = Number.POSITIVE_INFINITY;
  for (const until = performance.now() + measuredMillis; performance.now() < until; ) {
    const before = process.cpuUsage();
    busyRounds(measuredRounds);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / measuredRounds);
  }
  return best;
}

/** Returns the data folder of the kernel. */
export async function liveRun(options: LiveRunOptions): Promise<string> {
  const { built, folder, agents, told, tasks, share } = options;
  const children: ChildProcess[] = [];
  const shares: ProcessorShare[] = [];
  const start = (words: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  const hold = (child: ChildProcess, of: number | undefined): void => {
    const held = ProcessorShare.make(`sira-fidelity-${child.pid}`, of);
    shares.push(held);
    held.hold(child.pid as number);
  };
  const data = join(folder, 'data');
  const config = join(folder, 'sira.yaml');
  writeFileSync(config, 'snapshot:\n  interval: 1h\n  kept: 1000\n');
  const address = `127.0.0.1:${await freePort()}`;
  try {
    const words = ['start', '--config', config, '--data', data, '--grpc', address];
    const kernel = start([
      ...[join(built, 'sira.js'), ...words],
      ...['--http', `127.0.0.1:${await freePort()}`, '--log-level', 'warn'],
    ]);
    await saying(kernel, 'durability');
    // Where agents are held, others may want the machine as well: the kernel is to be as prompt as on one of its own.
    if (share !== undefined) hold(kernel, undefined);
    for (let number = 1; number <= agents; number++) {
      const program = join(built, 'core', 'live', 'examples', 'busy-agent.js');
      const child = start([program, address, `agent-${number}`, 'here']);
      if (share !== undefined) hold(child, share);
    }
    let ended = 0;
    const submitter = await Submitter.connect({
      ...{ address, name: 'fidelity' },
      ended: () => {
        told(++ended);
      },
    });
    // Before it is measured, every agent has come and has worked.
    await waitFor(
      () => ended >= agents * 4,
      async () => {
        for (let count = 0; count < agents * 4; count++) await submitter.submit(taskOf(warmUpClass, 20, options));
      },
    );
    const before = ended;
    await offer(submitter, options);
    await waitFor(() => ended >= before + tasks);
    await submitter.close();
    await ends(kernel, 'SIGTERM');
    return data;
  } finally {
    await Promise.all(children.map((child) => ends(child, 'SIGKILL')));
    for (const held of shares) held.remove();
  }
}

/** By the clock alone: who is late hands in what is due at once. */
async function offer(submitter: Submitter, options: LiveRunOptions): Promise<void> {
  const begin = performance.now();
  const answers: Promise<unknown>[] = [];
  for (const { dueMillis, name, millis } of offeredTasks(options)) {
    const wait = begin + dueMillis - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    answers.push(submitter.submit(taskOf(name, millis, options)));
  }
  await Promise.all(answers);
}

export interface OfferedTask {
  readonly name: 'short-work' | 'long-work';
  /** Of a processor. */
  readonly millis: number;
  readonly dueMillis: number;
}

/** Drawn from the seed, with exponential gaps; then the gaps are stretched, so that the load is the wanted one and not only its mean. */
export function offeredTasks({
  seed,
  tasks,
  agents,
  load,
  share = 1,
}: Pick<LiveRunOptions, 'seed' | 'tasks' | 'agents' | 'load' | 'share'>): OfferedTask[] {
  const random = new RandomStream(seed, 'fidelity');
  let [atMicros, workMillis] = [0, 0];
  const drawn = Array.from({ length: tasks }, () => {
    atMicros += sampleExponential(random, 1000);
    const isLong = random.nextBelow(longEvery) === 0;
    const [from, to] = isLong ? longMillis : shortMillis;
    const millis = from + (to - from) * random.nextFloat();
    workMillis += millis;
    return { name: isLong ? ('long-work' as const) : ('short-work' as const), millis, dueMillis: atMicros };
  });
  const spanMillis = workMillis / (load * agents * share);
  return drawn.map((each) => ({ ...each, dueMillis: (each.dueMillis * spanMillis) / Math.max(1, atMicros) }));
}

function taskOf(name: string, millis: number, { microsPerRound, share = 1 }: LiveRunOptions) {
  const rounds = Math.max(1, Math.round((1000 * millis) / microsPerRound));
  return {
    function: name,
    inputs: { rounds: tensorFrom(Float64Array.of(rounds), [1]) },
    request: { cpuMilli: 1000, memoryMib: 1 },
    estimateMicros: Math.max(1, Math.round((rounds * microsPerRound) / share)),
  };
}

async function waitFor(condition: () => boolean, act?: () => Promise<void>): Promise<void> {
  await act?.();
  for (let last = performance.now(); !condition(); ) {
    if (performance.now() - last > 20 * startMillisMax) throw new Error('the live run does not end');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function saying(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (text) => {
      output += text;
      if (output.includes(word)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the kernel ended with ${code}`)));
    setTimeout(() => reject(new Error('the kernel does not start')), startMillisMax).unref();
  });
}

function ends(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
