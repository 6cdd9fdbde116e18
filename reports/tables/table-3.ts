// Table 3: the schedule that Batsim's EASY backfilling made, start by start.

import { type BatchJob, slowdownMean, waitMeanSeconds } from './batch-run.ts';
import { type GoldenStart, readGoldenStarts } from './published.ts';
import { type Check, checkList, type FinishedTable } from './table.ts';
import type { TableJob, TableJobResult } from './table-job.ts';

/** Batsim's own summary of its schedule. */
const published = { waitMeanSeconds: '9.516326', slowdownMean: '1.391621', jobs: 801 };

export const table3Jobs: readonly TableJob[] = [{ table: 3, seed: 1 }];

export interface EasyComparison {
  readonly jobs: number;
  /** Jobs whose start is within a millisecond of the published one. */
  readonly equalStarts: number;
  readonly startDifferenceMaxSeconds: number;
  /** Jobs on exactly the published machines. */
  readonly equalMachines: number;
  readonly waitMeanSeconds: number;
  readonly slowdownMean: number;
}

export function compareEasy(jobs: readonly BatchJob[], golden: ReadonlyMap<string, GoldenStart>): EasyComparison {
  let equalStarts = 0;
  let equalMachines = 0;
  let startDifferenceMaxSeconds = 0;
  for (const { name, startMicros, machines } of jobs) {
    const expected = golden.get(name);
    const difference = Math.abs(startMicros / 1e6 - (expected?.startSeconds ?? Number.NaN));
    if (difference <= 0.001) equalStarts++;
    // NaN, a job that was not published, must win.
    if (!(difference <= startDifferenceMaxSeconds)) startDifferenceMaxSeconds = difference;
    if (machines.toSorted((left, right) => left - right).join() === expected?.machines.join()) equalMachines++;
  }
  return {
    jobs: jobs.length,
    equalStarts,
    startDifferenceMaxSeconds,
    equalMachines,
    waitMeanSeconds: waitMeanSeconds(jobs),
    slowdownMean: slowdownMean(jobs),
  };
}

export function finishTable3(results: readonly TableJobResult[], command: string): FinishedTable {
  const result = results.find((candidate) => candidate.table === 3);
  const found = compareEasy(result?.jobs ?? [], readGoldenStarts());
  const checks: Check[] = [
    {
      requirement: 'every start within 1 ms of the published one',
      found: `${found.equalStarts} of ${published.jobs}, largest difference ${(found.startDifferenceMaxSeconds * 1e6).toFixed(1)} µs`,
      holds: found.jobs === published.jobs && found.equalStarts === published.jobs,
    },
    {
      requirement: 'every job on the published machines',
      found: `${found.equalMachines} of ${published.jobs}`,
      holds: found.equalMachines === published.jobs,
    },
    {
      requirement: `mean wait ${published.waitMeanSeconds} s`,
      found: found.waitMeanSeconds.toFixed(6),
      holds: found.waitMeanSeconds.toFixed(6) === published.waitMeanSeconds,
    },
    {
      requirement: `mean slowdown ${published.slowdownMean}`,
      found: found.slowdownMean.toFixed(6),
      holds: found.slowdownMean.toFixed(6) === published.slowdownMean,
    },
  ];
  const title = "Table 3: Batsim's EASY backfilling";
  const markdown = [
    `# ${title}`,
    `Made by \`${command}\`. The scenario is [batsim-easy.yaml](../../scenarios/batsim-easy.yaml), policy \`easy\`: 801 jobs on 32 machines,`,
    'up to 16 at once, through the registry, the broker and the scheduler, with no network latency. The walltime is the estimate;',
    'the blocked job reserves the lowest-numbered machines that will be free at its shadow time, and a backfilled job that runs',
    'past it avoids those. Published: Dutot et al., "Batsim", JSSPP 2016; the schedule comes with oar-team/evalys.\n',
    checkList(checks),
    '',
  ].join('\n');
  return {
    name: 'table-3-easy',
    title,
    checks,
    markdown,
    document: { command, published, found, checks },
    figures: {},
  };
}
