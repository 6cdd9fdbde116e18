// `sira chaos`: disturbs a live demo, one fault after the other, and says from the journal how long after each the work that it
// hit ran again, and whether anything acknowledged was lost or ended twice.

import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { SiraError } from '../../core/base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import type { FaultTimes, Ledger, StruckFault } from './audit-journal.ts';
import { defaultFolder } from './demo-command.ts';
import type { AgentFault } from './fleet.ts';

const faults = ['kill', 'hang', 'cut', 'slow', 'kernel'] as const;
type Fault = (typeof faults)[number];

/** How long each lasts at most. An agent that is gone stays away until the kernel has noticed, a kernel until it is ready again. */
const holdMillis: Readonly<Record<Fault, number>> = {
  ...{ kill: 30_000, hang: 30_000, cut: 30_000, slow: 28_000, kernel: 60_000 },
};
/** Then what was hit has so long to run again. */
const settleMillis = 3000;
const drainMillis = 90_000;
const medianGoalMicros = 5_000_000;
const worstGoalMicros = 30_000_000;

export const chaosCommand: Command = {
  name: 'chaos',
  summary: 'kill, hang, slow and cut off the agents of a live demo, and its kernel, and time the recovery',
  description:
    'Needs a running `sira demo`. kill: SIGKILL of an agent that works; hang: SIGSTOP; slow: a fifth of the time to run; cut: the network between agent and kernel; kernel: SIGKILL of the kernel. The times come from the journal. Exit code 1 if anything acknowledged was lost, ended twice, was not begun again, or the replay differs, or the times miss their goals (median 5 s, worst 30 s).',
  arguments: [],
  options: [
    { flags: '--faults <names>', description: 'some of kill,hang,cut,slow,kernel', defaultValue: faults.join(',') },
    { flags: '--rounds <number>', description: 'how often each', defaultValue: '1' },
    { flags: '--data <folder>', description: 'the data folder of the demo', defaultValue: defaultFolder },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [
    { line: 'sira chaos', meaning: 'every fault once, on the demo that runs here' },
    { line: 'sira chaos --faults kill,kernel --rounds 3', meaning: 'an agent and the kernel, three times each' },
  ],
  run: chaos,
};

async function chaos(call: CommandCall, { terminal }: CommandContext): Promise<number> {
  const wanted = (call.options.faults as string).split(',');
  const unknown = wanted.find((name) => !(faults as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new SiraError('SIRA_USAGE', `no fault is called "${unknown}"; there are ${faults.join(', ')}`);
  const rounds = Number(call.options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
    throw new SiraError('SIRA_USAGE', '--rounds is a whole number from 1 to 1000');
  const { DeskClient } = await import('./fault-desk.ts');
  const { balance, readRun, timesOf } = await import('./audit-journal.ts');
  const { verifyJournal } = await import('../../sim/replay/verify-journal.ts');
  const { codeHash } = await import('../../core/live/code-hash.ts');
  const { pause } = await import('./fleet.ts');
  const folder = resolve(call.options.data as string);
  const desk = DeskClient.open(folder);

  const struck: Omit<StruckFault, 'untilMicros'>[] = [];
  for (let round = 0; round < rounds; round++)
    for (const fault of wanted as Fault[]) {
      const told = await desk.ask(
        fault === 'kernel' ? { ask: 'killKernel' } : { ask: 'strike', fault: fault as AgentFault },
      );
      const { agent = '', atMicros = 0 } = told;
      struck.push({ fault, agent, atMicros });
      terminal.writeError(`${fault.padEnd(7)} ${agent === '' ? 'the kernel' : agent}\n`);
      await holds(fault, agent, desk.url);
      if (agent !== '') await desk.ask({ ask: 'mend', agent });
      await pause(settleMillis);
    }
  terminal.writeError('waiting for all that was submitted\n');
  const { drained = false, account } = await desk.ask({ ask: 'drain', longestMillis: drainMillis });
  try {
    const kernelFolder = join(folder, 'kernel');
    const run = readRun(kernelFolder);
    const times = struck.map((each, index) =>
      timesOf({ ...each, untilMicros: struck[index + 1]?.atMicros ?? Number.POSITIVE_INFINITY }, run),
    );
    const ledger = balance(account ?? { acknowledged: [], told: [] }, run);
    const { verdict } = verifyJournal({ folder: kernelFolder, codeHash: codeHash() });
    const summary = summarize(times);
    const result = {
      acknowledged: account?.acknowledged.length ?? 0,
      open: account?.open ?? 0,
      drained,
      ...ledger,
      replay: verdict,
    };
    if (call.options.json === true) terminal.write(`${JSON.stringify({ times, ...summary, ...result }, null, 2)}\n`);
    else terminal.write(describe(times, summary, result, terminal.colour));
    const isWhole = drained && ledger.lost.length === 0 && ledger.twice.length === 0 && verdict === 'equal';
    return isWhole && summary.unrecovered === 0 && summary.meetsGoals ? 0 : 1;
  } finally {
    await desk.ask({ ask: 'goOn' });
  }
}

/** Resolves when the fault has lasted long enough. */
async function holds(fault: Fault, agent: string, url: string): Promise<void> {
  const end = performance.now() + holdMillis[fault];
  const isOver = async (): Promise<boolean> => {
    if (fault === 'kernel') return (await fetch(`${url}/health/ready`)).ok;
    if (fault === 'slow') return false;
    const answer = await fetch(`${url}/v1/agents/${encodeURIComponent(agent)}`);
    return ((await answer.json()) as { agent?: { state?: string } }).agent?.state === 'dead';
  };
  const { pause } = await import('./fleet.ts');
  while (performance.now() < end) {
    await pause(250);
    // Whoever does not answer is not there yet.
    if (await isOver().catch(() => false)) return;
  }
}

export interface ChaosSummary {
  readonly medianMicros: number;
  readonly worstMicros: number;
  readonly unrecovered: number;
  readonly meetsGoals: boolean;
}

/** A fault counts by the last of the tasks that it hit; one that hit none does not count. */
export function summarize(times: readonly FaultTimes[]): ChaosSummary {
  const worsts = times.flatMap(({ recoveredMicros }) => recoveredMicros.slice(-1)).sort((left, right) => left - right);
  const medianMicros = lowerMedian(worsts);
  const worstMicros = worsts[worsts.length - 1] ?? 0;
  const unrecovered = times.reduce((sum, each) => sum + each.unrecovered, 0);
  const meetsGoals = medianMicros < medianGoalMicros && worstMicros < worstGoalMicros;
  return { medianMicros, worstMicros, unrecovered, meetsGoals };
}

function lowerMedian(ascending: readonly number[]): number {
  return ascending[(ascending.length - 1) >> 1] ?? 0;
}

interface Result extends Ledger {
  readonly acknowledged: number;
  readonly open: number;
  readonly drained: boolean;
  readonly replay: string;
}

function describe(times: readonly FaultTimes[], summary: ChaosSummary, result: Result, colour: boolean): string {
  const colours = createColors(colour);
  const seconds = (micros: number | undefined): string =>
    micros === undefined ? '' : `${(micros / 1e6).toFixed(2)} s`;
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: ['fault', 'agent', 'tasks hit', 'median', 'worst'], style });
  for (const { fault, agent, recoveredMicros, unrecovered } of times) {
    const hit = fault === 'kernel' || fault === 'slow' ? '' : String(recoveredMicros.length + unrecovered);
    const worst = unrecovered > 0 ? `${unrecovered} not again` : seconds(recoveredMicros[recoveredMicros.length - 1]);
    table.push([fault, agent, hit, recoveredMicros.length > 0 ? seconds(lowerMedian(recoveredMicros)) : '', worst]);
  }
  const good = (isGood: boolean, text: string): string => (isGood ? colours.green(text) : colours.red(text));
  const { lost, twice, acknowledged, open, drained, replay } = result;
  return [
    `${table.toString()}\n`,
    `from fault to running again: ${good(summary.meetsGoals, `median ${seconds(summary.medianMicros)}, worst ${seconds(summary.worstMicros)}`)} over the faults (goals: 5 s, 30 s)\n`,
    `${acknowledged.toLocaleString('en')} acknowledged, ${good(lost.length === 0, `${lost.length} lost`)}, ${good(twice.length === 0, `${twice.length} ended twice`)}`,
    `${drained ? '' : colours.red(`, ${open} not ended yet`)}; the replay is ${good(replay === 'equal', replay)}\n`,
  ].join('');
}
