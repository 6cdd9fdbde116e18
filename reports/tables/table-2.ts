// Table 2: the average bounded slowdown of five queue orders, with EASY backfilling and without, on ten windows of two traces.

import { markdownTable, mean, signed } from './markdown.ts';
import { type BatchTrace, batchPolicies, batchTraces, readGoldenSlowdowns } from './published.ts';
import { type Check, checkList, type FinishedTable } from './table.ts';
import type { TableJob, TableJobResult } from './table-job.ts';

const traces = Object.keys(batchTraces) as BatchTrace[];

/** Windows of a trace by their first job, counted from 1. */
export function windowsOf(trace: BatchTrace): readonly number[] {
  return readGoldenSlowdowns(trace).starts.map((start) => start + 1);
}

export const table2Jobs: readonly TableJob[] = traces.flatMap((trace) =>
  windowsOf(trace).map((seed): TableJob => ({ table: 2, trace, seed })),
);

export interface SlowdownRow {
  readonly trace: BatchTrace;
  readonly policy: string;
  readonly title: string;
  readonly printed: string | null;
  readonly mean: number;
  readonly windows: readonly number[];
  /** Values of the independent implementation, four decimals. */
  readonly goldenMean: number | null;
  readonly goldenWindows: readonly number[] | null;
  /** Windows that equal the golden ones to all four decimals. */
  readonly equalWindows: number | null;
}

export function slowdownRows(results: readonly TableJobResult[]): SlowdownRow[] {
  return traces.flatMap((trace) => {
    const golden = readGoldenSlowdowns(trace);
    const windows = windowsOf(trace);
    const values = new Map<string, number>();
    for (const result of results) {
      if (result.table !== 2 || result.job.trace !== trace) continue;
      for (const { policy, seed, boundedSlowdown } of result.runs) {
        values.set(`${policy} ${seed}`, boundedSlowdown);
      }
    }
    return batchPolicies.map((policy): SlowdownRow => {
      const own = windows.map((seed) => values.get(`${policy.name} ${seed}`) ?? Number.NaN);
      const expected = policy.golden === undefined ? undefined : golden.policies[policy.golden];
      return {
        trace,
        policy: policy.name,
        title: policy.title,
        printed: policy.printed[trace] ?? null,
        mean: mean(own),
        windows: own,
        goldenMean: expected?.mean ?? null,
        goldenWindows: expected?.windows ?? null,
        equalWindows:
          expected === undefined
            ? null
            : own.filter((value, index) => equalsGolden(value, expected.windows[index] as number)).length,
      };
    });
  });
}

/** Equal to the last of the four decimals that the golden files print. */
export function equalsGolden(value: number, golden: number): boolean {
  return value.toFixed(4) === golden.toFixed(4);
}

export function finishTable2(results: readonly TableJobResult[], command: string): FinishedTable {
  const rows = slowdownRows(results);
  const checks: Check[] = traces.flatMap((trace) => {
    const own = rows.filter((row) => row.trace === trace);
    const printed = own.filter((row) => row.printed !== null);
    const golden = own.filter((row) => row.equalWindows !== null);
    const equalPrinted = printed.filter((row) => row.mean.toFixed(2) === row.printed).length;
    const equalWindows = golden.reduce((sum, row) => sum + (row.equalWindows as number), 0);
    return [
      {
        requirement: `${batchTraces[trace].title}: means equal the printed ones to the last digit`,
        found: `${equalPrinted} of ${printed.length}`,
        holds: equalPrinted === printed.length,
      },
      {
        requirement: `${batchTraces[trace].title}: windows equal the golden ones to all four decimals`,
        found: `${equalWindows} of ${golden.length * 10}`,
        holds: equalWindows === golden.length * 10,
      },
    ];
  });
  const title = 'Table 2: batch queue orders (RLScheduler)';
  const markdown = [
    `# ${title}`,
    `Made by \`${command}\`. The scenarios are [lublin.yaml](../../scenarios/lublin.yaml) and [kth-sp2.yaml](../../scenarios/kth-sp2.yaml): ten windows`,
    'of 1,024 jobs each, every processor a machine with an agent, every word between them a message with no latency. Average bounded',
    'slowdown, lower is better. Printed: Zhang et al., "RLScheduler", SC 2020, for FCFS, SJF and F1 on Lublin-1; all others were',
    'recomputed by an independent implementation, WFP3 and UNICEP with correct waiting times. The two UNICEPs differ in jobs of one',
    'processor, whose logarithm is 0: it counts as 1 here, or such jobs come before all others, as in the released code. The golden',
    'windows are of the first, the printed Lublin-1 values of the second.\n',
    checkList(checks),
    ...traces.flatMap((trace) => [
      `\n## ${batchTraces[trace].title}\n`,
      traceTable(rows, trace),
      '',
      windowTable(rows, trace),
    ]),
    '',
  ].join('\n');
  return { name: 'table-2-batch', title, checks, markdown, document: { command, checks, rows }, figures: {} };
}

function traceTable(rows: readonly SlowdownRow[], trace: BatchTrace): string {
  return markdownTable(
    ['policy', 'printed', 'here', 'difference', 'golden mean', 'difference from it', 'windows equal'],
    rows
      .filter((row) => row.trace === trace)
      .map((row) => [
        row.title,
        row.printed ?? '–',
        row.mean.toFixed(4),
        row.printed === null ? '–' : signed(Number(row.mean.toFixed(2)) - Number(row.printed), 2),
        row.goldenMean?.toFixed(4) ?? '–',
        row.goldenMean === null ? '–' : signed(row.mean - row.goldenMean, 4),
        row.equalWindows === null ? '–' : `${row.equalWindows} of ${row.windows.length}`,
      ]),
  );
}

function windowTable(rows: readonly SlowdownRow[], trace: BatchTrace): string {
  return markdownTable(
    ['window begins at job', ...windowsOf(trace).map(String)],
    rows
      .filter((row) => row.trace === trace)
      .map((row) => [row.title, ...row.windows.map((value) => value.toFixed(4))]),
  );
}
