// The files of one run, Parquet: every task and every decision, for people's own analysis and for `sira explain`.

import { join } from 'node:path';
import type { Effect } from '../../core/kernel/effects.ts';
import { filterReasons } from '../../core/scheduler/cluster-state.ts';
import { describeRequest } from '../workload/describe.ts';
import type { MachineSpec } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { DecisionColumns } from './decision-columns.ts';
import { ParquetStream } from './parquet-stream.ts';
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
  const requests = tasks.requests.map(describeRequest);
  const file = new ParquetStream(join(folder, runFile('tasks', policy, seed)));
  let from = 0;
  do {
    const to = Math.min(from + rowGroupSize, tasks.count);
    const rows = Array.from({ length: to - from }, (_, index) => from + index);
    const seconds = (column: Float64Array): (number | null)[] =>
      Array.from(column.subarray(from, to), (value) => (value < 0 || !Number.isFinite(value) ? null : value / 1e6));
    file.writeGroup([
      { name: 'id', data: Int32Array.from(rows, (row) => row + 1), type: 'INT32' },
      { name: 'task', data: tasks.names.slice(from, to), type: 'STRING' },
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
      { name: 'attempts', data: tasks.attempts.slice(from, to), type: 'INT32' },
      { name: 'request', data: rows.map((row) => requests[tasks.request[row] as number] as string), type: 'STRING' },
    ]);
    from = to;
  } while (from < tasks.count);
  file.finish();
}

/** Every decision of a run, written while it goes on. */
export class DecisionsFile implements WorldObserver {
  private readonly file: ParquetStream;
  private readonly machineNames: string[] = [];
  private readonly nameOf = (agent: number): string => this.machineNames[agent] ?? String(agent);
  private rows = new DecisionColumns();
  private isEmpty = true;

  constructor(folder: string, policy: string, seed: number) {
    this.file = new ParquetStream(join(folder, runFile('decisions', policy, seed)));
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'agentRegistered') this.machineNames[effect.agent] = effect.name;
    if (effect.kind !== 'decisionMade') return;
    this.rows.add(effect.record, nowMicros, this.nameOf);
    if (this.rows.length === rowGroupSize) this.writeRows();
  }

  finish(): void {
    if (this.rows.length > 0 || this.isEmpty) this.writeRows();
    this.file.finish();
  }

  /** The run failed: half a file helps nobody. */
  discard(): void {
    this.file.discard();
  }

  private writeRows(): void {
    const { rows } = this;
    this.isEmpty = false;
    this.rows = new DecisionColumns();
    this.file.writeGroup([
      { name: 'time_s', data: rows.timeSeconds, type: 'DOUBLE' },
      { name: 'decision', data: rows.decision, type: 'INT32' },
      { name: 'id', data: rows.task, type: 'INT32' },
      { name: 'attempt', data: rows.attempt, type: 'INT32' },
      { name: 'outcome', data: rows.outcome, type: 'STRING' },
      { name: 'rule', data: rows.rule, type: 'STRING' },
      { name: 'machines', data: rows.machines, type: 'STRING' },
      { name: 'ranked', data: rows.ranked, type: 'STRING' },
      { name: 'feasible', data: rows.feasibleCount, type: 'INT32' },
      { name: 'ties', data: rows.tieCount, type: 'INT32' },
      { name: 'propensity', data: rows.propensity, type: 'DOUBLE' },
      { name: 'queue', data: rows.queueLength, type: 'INT32' },
      { name: 'policy_version', data: rows.policyVersion, type: 'INT32' },
      { name: 'shadow_s', data: rows.shadowSeconds, type: 'DOUBLE', nullable: true },
      ...rows.reasons.map((data, reason) => ({
        name: reasonColumn(filterReasons[reason] as string),
        data,
        type: 'INT32' as const,
      })),
    ]);
  }
}
