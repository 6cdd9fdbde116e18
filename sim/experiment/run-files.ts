// The files of one run, Parquet: every task and every decision, for people's own analysis and for `sira explain`.

import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { filterReasons } from '../../core/scheduler/cluster-state.ts';
import { describeRequest } from '../workload/describe.ts';
import type { MachineSpec } from '../workload/workload.ts';
import type { DecisionColumns } from './decision-columns.ts';
import { outcomeNames, type TaskColumns } from './task-columns.ts';

/** Rows per row group: `sira explain` reads only the groups that can hold its task. */
const rowGroupSize = 20_000;

/** Path of a run's file, relative to the folder of the experiment. */
export function runFile(kind: 'tasks' | 'decisions', policy: string, seed: number): string {
  return join(kind, `${policy}-seed${seed}.parquet`);
}

/** Column of the decisions file that counts the machines ruled out for one reason. */
export function reasonColumn(reason: string): string {
  return `machines_${reason.replaceAll(' ', '_').toLowerCase()}`;
}

/** Times in seconds since the start of the run; null where it never happened. */
export function writeTasks(
  folder: string,
  policy: string,
  seed: number,
  tasks: TaskColumns,
  machines: readonly MachineSpec[],
): void {
  const { count } = tasks;
  const seconds = (column: Float64Array): (number | null)[] =>
    Array.from(column.subarray(0, count), (value) => (value < 0 || !Number.isFinite(value) ? null : value / 1e6));
  const requests = tasks.requests.map(describeRequest);
  const rows = Array.from({ length: count }, (_, row) => row);
  parquetWriteFile({
    filename: join(folder, runFile('tasks', policy, seed)),
    rowGroupSize,
    columnData: [
      { name: 'id', data: Int32Array.from(rows, (row) => row + 1), type: 'INT32' },
      { name: 'task', data: tasks.names.slice(), type: 'STRING' },
      { name: 'arrival_s', data: seconds(tasks.arrivalMicros), type: 'DOUBLE' },
      { name: 'start_s', data: seconds(tasks.startMicros), type: 'DOUBLE', nullable: true },
      { name: 'end_s', data: seconds(tasks.endMicros), type: 'DOUBLE', nullable: true },
      { name: 'duration_s', data: seconds(tasks.durationMicros), type: 'DOUBLE', nullable: true },
      { name: 'estimate_s', data: seconds(tasks.estimateMicros), type: 'DOUBLE', nullable: true },
      {
        name: 'machine',
        data: rows.map((row) => machines[tasks.machine[row] as number]?.name ?? null),
        type: 'STRING',
        nullable: true,
      },
      {
        name: 'outcome',
        data: rows.map((row) => outcomeNames[tasks.outcome[row] as number] as string),
        type: 'STRING',
      },
      { name: 'attempts', data: tasks.attempts.slice(0, count), type: 'INT32' },
      { name: 'request', data: rows.map((row) => requests[tasks.request[row] as number] as string), type: 'STRING' },
    ],
  });
}

export function writeDecisions(
  folder: string,
  policy: string,
  seed: number,
  decisions: DecisionColumns,
  machineNames: readonly string[],
): void {
  // Agent numbers mean nothing outside the run: files name machines.
  const name = (agent: string): string => machineNames[Number(agent)] ?? agent;
  const machines = decisions.machines.map((list) => (list === '' ? '' : list.split(' ').map(name).join(' ')));
  const ranked = decisions.ranked.map((list) =>
    list === ''
      ? ''
      : list
          .split(' ')
          .map((entry) => {
            const colon = entry.indexOf(':');
            return `${name(entry.slice(0, colon))}${entry.slice(colon)}`;
          })
          .join(' '),
  );
  parquetWriteFile({
    filename: join(folder, runFile('decisions', policy, seed)),
    rowGroupSize,
    columnData: [
      { name: 'time_s', data: decisions.timeSeconds, type: 'DOUBLE' },
      { name: 'decision', data: decisions.decision, type: 'INT32' },
      { name: 'id', data: decisions.task, type: 'INT32' },
      { name: 'attempt', data: decisions.attempt, type: 'INT32' },
      { name: 'outcome', data: decisions.outcome, type: 'STRING' },
      { name: 'rule', data: decisions.rule, type: 'STRING' },
      { name: 'machines', data: machines, type: 'STRING' },
      { name: 'ranked', data: ranked, type: 'STRING' },
      { name: 'feasible', data: decisions.feasibleCount, type: 'INT32' },
      { name: 'ties', data: decisions.tieCount, type: 'INT32' },
      { name: 'propensity', data: decisions.propensity, type: 'DOUBLE' },
      { name: 'queue', data: decisions.queueLength, type: 'INT32' },
      { name: 'policy_version', data: decisions.policyVersion, type: 'INT32' },
      { name: 'shadow_s', data: decisions.shadowSeconds, type: 'DOUBLE', nullable: true },
      ...decisions.reasons.map((data, reason) => ({
        name: reasonColumn(filterReasons[reason] as string),
        data,
        type: 'INT32' as const,
      })),
    ],
  });
}
