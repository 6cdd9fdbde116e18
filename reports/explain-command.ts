// `sira explain`: why a task went where it went, and when. Reads the files of a run; nothing is simulated again.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { SiraError } from '../core/base/errors.ts';
import { formatDuration, microsPerSecond } from '../core/base/time.ts';
import type { Command, CommandCall } from '../core/ports/command.ts';
import { filterReasons } from '../core/scheduler/cluster-state.ts';
import { explainFilter } from '../core/scheduler/decision.ts';
import type { ResultDocument } from '../sim/experiment/results.ts';
import { reasonColumn, runFile } from '../sim/experiment/run-files.ts';

type Row = Readonly<Record<string, unknown>>;

export const explainCommand: Command = {
  name: 'explain',
  summary: 'say why a task of a run went where it went, and when',
  description:
    'Tells the life of one task from the files that `sira run` wrote: when it came, every decision on it with the machines ruled out and why, the scores of the winner and the runners-up, and what then happened.',
  arguments: [{ name: 'run', description: 'folder that `sira run` printed', required: true, many: false }],
  options: [
    {
      flags: '--task <id>',
      description: 'number of the task (column `id` of its tasks file), or its name in the trace',
    },
    { flags: '--policy <name>', description: 'under which policy (default: all)' },
    { flags: '--seed <number>', description: 'of which seed (default: the first)' },
    { flags: '--json', description: 'print the rows as JSON' },
  ],
  examples: [
    {
      line: 'sira explain reports/runs/gpu-cluster-2026-01-01-120000 --task 16629',
      meaning: 'under every policy, first seed',
    },
    {
      line: 'sira explain reports/runs/gpu-cluster-2026-01-01-120000 --task 16629 --policy fgd --seed 2',
      meaning: 'one run',
    },
  ],
  async run(call, context) {
    const folder = resolve(call.arguments[0] as string);
    const document = readDocument(folder, call.arguments[0] as string);
    const task = call.options.task as string | undefined;
    if (task === undefined)
      throw new SiraError('SIRA_USAGE', '--task is missing', { field: '--task' }, 'Name a task: `--task 17`.');
    const seed = seedOf(call, document);
    const policies = policiesOf(call, document);
    const lives: { policy: string; seed: number; task: Row; decisions: Row[] }[] = [];
    for (const policy of policies) {
      const row = await findTask(join(folder, runFile('tasks', policy, seed)), task);
      const decisions = await readRows(join(folder, runFile('decisions', policy, seed)), {
        id: { $eq: row.id as number },
      });
      lives.push({ policy, seed, task: row, decisions });
    }
    if (call.options.json === true) context.terminal.write(`${JSON.stringify(lives, undefined, 2)}\n`);
    else context.terminal.write(lives.map(tell).join('\n'));
    return 0;
  },
};

function readDocument(folder: string, given: string): ResultDocument {
  const file = join(folder, 'results.json');
  if (existsSync(file)) return parseDocument(file);
  const runs = resolve(folder, '..');
  const known = existsSync(runs)
    ? readdirSync(runs).filter((name) => existsSync(join(runs, name, 'results.json')))
    : [];
  const hint =
    known.length === 0 ? 'Run a scenario first: `sira run FILE`.' : `Runs there: ${known.slice(-5).join(', ')}.`;
  throw new SiraError(
    'SIRA_RUN_NOT_FOUND',
    `${given} is no folder of a run: it has no results.json`,
    { file: folder },
    hint,
  );
}

/** A run that was interrupted may leave half a document. */
function parseDocument(file: string): ResultDocument {
  try {
    const document = JSON.parse(readFileSync(file, 'utf8')) as ResultDocument;
    if (document?.format === 'sira-results') return document;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new SiraError(
    'SIRA_RUN_NOT_FOUND',
    'this is no result document of Sira, or only half of one',
    { file },
    'Run the scenario again.',
  );
}

function seedOf(call: CommandCall, document: ResultDocument): number {
  const given = call.options.seed;
  if (given === undefined) return document.seeds[0] as number;
  const seed = Number(given);
  if (document.seeds.includes(seed)) return seed;
  throw new SiraError(
    'SIRA_RUN_NOT_FOUND',
    `the run has no seed ${String(given)}`,
    { field: '--seed' },
    `Its seeds: ${document.seeds.join(', ')}.`,
  );
}

function policiesOf(call: CommandCall, document: ResultDocument): string[] {
  const names = document.policies.map((policy) => policy.name);
  const given = call.options.policy as string | undefined;
  if (given === undefined) return names;
  if (names.includes(given)) return [given];
  throw new SiraError(
    'SIRA_POLICY_UNKNOWN',
    `the run has no policy ${given}`,
    { field: '--policy' },
    `Its policies: ${names.join(', ')}.`,
  );
}

/** The task by number, or by name: then the first of that name. */
async function findTask(file: string, task: string): Promise<Row> {
  const rows = await readRows(file, /^\d+$/.test(task) ? { id: { $eq: Number(task) } } : { task: { $eq: task } });
  const row = rows[0];
  if (row !== undefined) return row;
  throw new SiraError('SIRA_RUN_NOT_FOUND', `no task ${task} in this run`, { file, field: '--task' });
}

async function readRows(file: string, filter: Record<string, { $eq: number | string }>): Promise<Row[]> {
  if (!existsSync(file)) {
    throw new SiraError(
      'SIRA_RUN_NOT_FOUND',
      'the run kept no such file',
      { file },
      'Run the scenario without --no-files and --json.',
    );
  }
  return (await parquetReadObjects({ file: await asyncBufferFromFile(file), filter })) as Row[];
}

function tell({
  policy,
  seed,
  task,
  decisions,
}: {
  policy: string;
  seed: number;
  task: Row;
  decisions: Row[];
}): string {
  const lines = [`${policy}, seed ${seed}: task ${task.id} (${task.task})`, `  asks for   ${task.request}`];
  const estimate = task.estimate_s === null ? '' : `, estimated at ${span(task.estimate_s)}`;
  lines.push(`  runs for   ${task.duration_s === null ? 'ever' : span(task.duration_s)}${estimate}`);
  lines.push(`  ${moment(task.arrival_s)}  arrived`);
  for (const decision of decisions) lines.push(...tellDecision(decision));
  if (task.start_s !== null) {
    const waited = (task.start_s as number) - (task.arrival_s as number);
    lines.push(`  ${moment(task.start_s)}  began on ${task.machine ?? 'a machine'}, after waiting ${span(waited)}`);
  }
  if (task.end_s !== null) {
    const attempts = (task.attempts as number) > 1 ? ` after ${task.attempts} attempts` : '';
    lines.push(`  ${moment(task.end_s)}  ${task.outcome}${attempts}`);
  } else {
    lines.push(task.start_s === null ? '  still waiting when the run ended' : '  still running when the run ended');
  }
  return `${lines.join('\n')}\n`;
}

const howOf: Readonly<Record<string, string>> = {
  backfilled: ' by backfilling',
  'after eviction': ', which others were evicted from',
};

function tellDecision(decision: Row): string[] {
  const reasons = filterReasons.map((reason) => Number(decision[reasonColumn(reason)] ?? 0));
  const when = `  ${moment(decision.time_s)}  `;
  const queue = `${decision.queue} in the queue`;
  if (decision.outcome === 'evicts')
    return [`${when}running tasks of lower priority are stopped on ${decision.machines} (${queue})`];
  if (decision.rule === 'shed')
    return [`${when}dropped: the queue was full, and a more important task came (${queue})`];
  if (decision.rule === 'incomplete gang') return [`${when}dropped: members of its gang did not come (${queue})`];
  if (decision.outcome !== 'placed') return [`${when}${decision.outcome}: ${explainFilter(reasons)} (${queue})`];
  const lines = [`${when}placed on ${decision.machines}${howOf[String(decision.rule)] ?? ''} (${queue})`];
  const indent = ' '.repeat(when.length);
  lines.push(`${indent}${explainFilter(reasons)}`);
  const ranked = String(decision.ranked)
    .split(' ')
    .filter((entry) => entry !== '');
  if (ranked.length > 0) lines.push(`${indent}scores: ${ranked.map((entry) => entry.replace(':', ' ')).join(', ')}`);
  const ties = Number(decision.ties);
  const propensity = Number(decision.propensity);
  const how =
    propensity === 1
      ? 'the first in order of registration was taken'
      : `one was drawn, with probability ${propensity.toPrecision(3)} each`;
  if (ties > 1) lines.push(`${indent}${ties} machines tied for the best score; ${how}`);
  return lines;
}

function span(seconds: unknown): string {
  return formatDuration(Math.round((seconds as number) * microsPerSecond));
}

/** Time since the start of the run, right-aligned: `1 d 2 h` would be too coarse, so hours, minutes and seconds. */
function moment(seconds: unknown): string {
  const total = seconds as number;
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total - hours * 3600) / 60);
  const rest = total - hours * 3600 - minutes * 60;
  return `${String(hours).padStart(3)}:${String(minutes).padStart(2, '0')}:${rest.toFixed(3).padStart(6, '0')}`;
}
