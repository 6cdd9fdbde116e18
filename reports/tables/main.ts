// `npm run tables`: computes the published tables anew through the kernel and writes them beside the published values. Exit code
// 1 if a table no longer holds. What is written depends on the code alone, so that a second run changes no file.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';
import { SiraError } from '../../core/base/errors.ts';
import { wholeNumber } from '../../sim/experiment/program-options.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { runTableJobs } from './run-table-jobs.ts';
import { checkList, type FinishedTable } from './table.ts';
import { finishTable1, table1Jobs } from './table-1.ts';
import { finishTable2, table2Jobs } from './table-2.ts';
import { finishTable3, table3Jobs } from './table-3.ts';
import { nameOfJob, type TableJob, type TableJobResult } from './table-job.ts';

const tables = {
  1: { jobs: table1Jobs, finish: finishTable1 },
  2: { jobs: table2Jobs, finish: finishTable2 },
  3: { jobs: table3Jobs, finish: finishTable3 },
} as const;
type TableNumber = keyof typeof tables;

interface Options {
  readonly only?: readonly string[];
  readonly output: string;
  readonly workers: number;
}

/** What the pages say made them, whichever part was run. */
const command = 'npm run tables';

const program = new Command('tables')
  .description(
    'Computes the published tables anew through the kernel and its messages, and writes them beside the published values:\n' +
      '1 packing a GPU cluster (FGD), 2 batch queue orders (RLScheduler), 3 EASY backfilling (Batsim).',
  )
  .addOption(new Option('--only <tables...>', 'these tables alone').choices(Object.keys(tables)))
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'tables'))
  .option('--workers <count>', 'threads; 0 runs everything in one', wholeNumber(0), availableParallelism())
  .addHelpText(
    'after',
    '\nExamples:\n  npm run tables\n  npm run tables -- --only 3\n  npm run tables -- --only 1 2 -o /tmp/tables',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(run);

await program.parseAsync();

async function run(options: Options): Promise<void> {
  const started = performance.now();
  const numbers = (options.only ?? Object.keys(tables)).map((text) => Number(text) as TableNumber);
  // The long jobs first, so that no thread is left alone with one at the end.
  const jobs = numbers.toSorted((left, right) => left - right).flatMap((number) => tables[number].jobs);
  const results = await withProgress(jobs, options.workers);
  mkdirSync(options.output, { recursive: true });
  let holds = true;
  for (const number of numbers) {
    const table = tables[number].finish(results, command);
    write(table, options.output);
    holds &&= table.checks.every((check) => check.holds);
    console.log(`${table.title}\n${checkList(table.checks)}\n`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${jobs.length} jobs in ${seconds} s; written to ${relative(process.cwd(), resolve(options.output)) || '.'}`,
  );
  process.exitCode = holds ? 0 : 1;
}

async function withProgress(jobs: readonly TableJob[], workers: number): Promise<TableJobResult[]> {
  const bar = new SingleBar({ format: '{bar} {percentage}% | {eta_formatted} left | {job}', hideCursor: true });
  const interactive = process.stderr.isTTY === true;
  if (interactive) bar.start(jobs.length, 0, { job: '' });
  let done = 0;
  try {
    return await runTableJobs(jobs, workers, (job) => {
      done++;
      if (interactive) bar.update(done, { job: nameOfJob(job) });
      else if (done % 10 === 0 || done === jobs.length) console.error(`${done} of ${jobs.length} jobs`);
    });
  } catch (error) {
    console.error(error instanceof SiraError ? `error[${error.code}] ${error.message}` : error);
    return process.exit(1);
  } finally {
    if (interactive) bar.stop();
  }
}

function write(table: FinishedTable, folder: string): void {
  writeFileSync(join(folder, `${table.name}.md`), table.markdown);
  writeFileSync(join(folder, `${table.name}.json`), `${JSON.stringify(table.document, rounded, 1)}\n`);
  for (const [name, svg] of Object.entries(table.figures)) writeFileSync(join(folder, name), svg);
}

/** Ten digits are more than any of the values has. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(10)) : value;
}
