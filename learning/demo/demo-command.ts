// `sira demo`: the five-minute tour. A kernel, agents that do tensor work, a trace that is played to them, and the console, each a
// real process; every few seconds a line says how it goes. Ctrl-C ends all of it in order.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createColors } from 'picocolors';
import { SiraError } from '../../core/base/errors.ts';
import { parseDurationMicros } from '../../core/base/time.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import { readCsvRows } from '../../sim/workload/csv-rows.ts';
import { parseTimestampMicros } from '../../sim/workload/timestamp.ts';
import type { TraceRequest } from './trace-player.ts';

export const defaultFolder = 'sira-demo';

export const demoCommand: Command = {
  name: 'demo',
  summary: 'the five-minute tour: a kernel, agents that do tensor work, a real trace, and the console',
  description:
    "Starts a kernel and agents as processes of their own, plays Microsoft's Azure LLM inference trace to them (matrix products and small inference on TensorFlow.js) and prints the address of the console. `sira chaos` disturbs it meanwhile. Ctrl-C ends it. The data folder of an earlier demo is begun anew.",
  arguments: [],
  options: [
    { flags: '--agents <number>', description: 'agent processes, 1 to 64', defaultValue: '4' },
    { flags: '--speed <factor>', description: 'times as fast as the trace was', defaultValue: '2' },
    { flags: '--for <duration>', description: 'end by itself after this long, such as 5m; default: at Ctrl-C' },
    { flags: '--data <folder>', description: 'journal and logs of the demo', defaultValue: defaultFolder },
  ],
  examples: [
    { line: 'sira demo', meaning: 'four agents, the trace twice as fast as it was' },
    { line: 'sira demo --agents 8 --speed 5 --for 5m', meaning: 'more of it, for five minutes' },
  ],
  run: demo,
};

async function demo(call: CommandCall, { terminal, projectRoot, version }: CommandContext): Promise<number> {
  const agentCount = numberOf(call, 'agents', 1, 64);
  if (!Number.isInteger(agentCount)) throw new SiraError('SIRA_USAGE', '--agents is a whole number');
  const speed = numberOf(call, 'speed', 0.01, 1000);
  const forMicros =
    typeof call.options.for === 'string' ? parseDurationMicros(call.options.for) : Number.POSITIVE_INFINITY;
  if (forMicros === undefined || forMicros <= 0)
    throw new SiraError('SIRA_USAGE', `--for is a duration such as 90s or 5m, not "${call.options.for}"`);
  const folder = resolve(call.options.data as string);
  const { Fleet } = await import('./fleet.ts');
  const { TracePlayer } = await import('./trace-player.ts');
  const { demoFile, openDesk } = await import('./fault-desk.ts');
  const requests = readRequests(projectRoot, speed);
  beginFolder(folder, demoFile(folder));

  const colours = createColors(terminal.colour);
  const begin = performance.now();
  const clock = (): string => {
    const seconds = Math.floor((performance.now() - begin) / 1000);
    return colours.dim(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`.padStart(6));
  };
  const tell = (text: string): void => terminal.write(`${clock()}  ${text}\n`);
  const stopped = stopSignal();
  terminal.write(
    `${colours.bold('sira demo')}  a kernel and ${agentCount} ${agentCount === 1 ? 'agent' : 'agents'}, each a process of its own\n`,
  );
  const fleet = await Fleet.start({ folder, agentCount, version, tell });
  const player = await TracePlayer.start(fleet.address, requests, speed);
  const closeDesk = await openDesk(folder, fleet, player);
  const line = (what: string, value: string): string => `  ${colours.dim(what.padEnd(8))} ${value}\n`;
  terminal.write(
    [
      line('console', colours.cyan(fleet.url)),
      line(
        'trace',
        `Azure LLM inference 2023, ${requests.length.toLocaleString('en')} requests, ${speed} times as fast`,
      ),
      line('data', folder),
      line('try', `sira chaos --data ${call.options.data as string}`),
    ].join(''),
  );
  let before = 0;
  const progress = (): void => {
    const { completed, failed, wrong, open } = player.account;
    const { p50Millis, p95Millis } = player.latency;
    const rate = (completed - before) / (progressMillis / 1000);
    before = completed;
    const trouble = failed + wrong > 0 ? colours.red(`, ${failed} failed, ${wrong} wrong`) : '';
    tell(
      `${completed.toLocaleString('en').padStart(7)} done, ${rate.toFixed(1)}/s, ${open} open${trouble}; ` +
        `${fleet.busyCount} of ${agentCount} agents at work; latency p50 ${Math.round(p50Millis)} ms, p95 ${Math.round(p95Millis)} ms`,
    );
  };
  const timer = setInterval(progress, progressMillis);
  await Promise.race([
    stopped,
    ...(Number.isFinite(forMicros) ? [new Promise<void>((done) => setTimeout(done, forMicros / 1000))] : []),
  ]);
  clearInterval(timer);
  tell('ending: what was begun is finished first');
  const drained = await player.drain(drainMillis);
  await player.stop();
  closeDesk();
  await fleet.stop();
  const { acknowledged, completed, failed, wrong, open } = player.account;
  tell(
    `${acknowledged.length.toLocaleString('en')} acknowledged, ${completed.toLocaleString('en')} completed, ${failed} failed, ` +
      `${wrong} with wrong results, ${open} left open`,
  );
  terminal.write(`${colours.dim('the proof:')} sira replay ${join(call.options.data as string, 'kernel')}\n`);
  return drained && failed === 0 && wrong === 0 ? 0 : 1;
}

const progressMillis = 5000;
const drainMillis = 20_000;
const gapSecondsMax = 0.5;

function numberOf({ options }: CommandCall, name: string, minimum: number, maximum: number): number {
  const value = Number(options[name]);
  if (!(value >= minimum && value <= maximum))
    throw new SiraError('SIRA_USAGE', `--${name} is a number from ${minimum} to ${maximum}, not "${options[name]}"`);
  return value;
}

/** The trace has minutes without a request: nobody wants to watch those. */
function readRequests(projectRoot: string, speed: number): TraceRequest[] {
  const file = join(projectRoot, 'scenarios', 'data', 'azure-llm-2023', 'AzureLLMInferenceTrace_code.csv.gz');
  const requests: TraceRequest[] = [];
  let before: number | undefined;
  let playedSeconds = 0;
  readCsvRows(file, ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'], (row) => {
    const atSeconds = (parseTimestampMicros(row.text('TIMESTAMP')) ?? 0) / 1e6;
    playedSeconds += Math.min(gapSecondsMax * speed, Math.max(0, atSeconds - (before ?? atSeconds)));
    before = atSeconds;
    const [promptTokens, outputTokens] = [row.integer('ContextTokens', 0), row.integer('GeneratedTokens', 0)];
    requests.push({ atSeconds: playedSeconds, promptTokens, outputTokens });
  });
  return requests;
}

/** Only what a demo left is cleared away. */
function beginFolder(folder: string, marker: string): void {
  if (existsSync(marker)) {
    const { pid } = JSON.parse(readFileSync(marker, 'utf8')) as { pid: number };
    if (isAlive(pid)) throw new SiraError('SIRA_DATA_LOCKED', `a demo runs in ${folder} already (process ${pid})`);
    for (const name of ['kernel', 'kernel.log', 'agents.log', 'demo.json'])
      rmSync(join(folder, name), { recursive: true, force: true });
  } else if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new SiraError('SIRA_USAGE', `${folder} is not empty, and no demo made it; --data names another folder`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(marker, `${JSON.stringify({ pid: process.pid, socket: '', url: '' })}\n`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Replaces what would end the process at once. A second signal does not wait: the children end by themselves then. */
function stopSignal(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.removeAllListeners(signal);
      let count = 0;
      process.on(signal, () => {
        if (++count > 1) process.exit(130);
        done();
      });
    }
  });
}
