// One job of an experiment, as a worker does it: run one policy on one seed and write the run's files. A worker keeps the
// inputs of the seed that it opened last, since its next job is most likely of the same seed, and the trace that all are made of.

import { relative } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { createOracles, type Oracles } from '../oracle/create-oracles.ts';
import { TraceCache } from '../workload/trace-cache.ts';
import { openInputs, profileOf, type SeededInputs } from './build-world.ts';
import { reproduceCommand } from './reproduce.ts';
import { DecisionsFile, writeTasks } from './run-files.ts';
import { type FinishedRun, runOne } from './run-one.ts';
import type { RunRecord } from './run-record.ts';
import type { Scenario } from './scenario.ts';
import type { TakeRows } from './telemetry-observer.ts';

export interface Job {
  readonly policy: string;
  readonly seed: number;
  readonly gantt: boolean;
  /** Folder for the run's files, or undefined for none. */
  readonly folder: string | undefined;
  readonly restartAtShare?: number | undefined;
  /** Whether rows of telemetry are wanted. */
  readonly telemetry?: boolean | undefined;
}

/** Does jobs one after the other. */
export class JobRunner {
  private readonly scenario: Scenario;
  private readonly traces = new TraceCache();
  private opened: { readonly seed: number; readonly inputs: SeededInputs } | undefined;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  /** `takeRows` gets the rows of telemetry, if the job wants them. */
  run(job: Job, progress?: (share: number) => void, takeRows?: TakeRows): RunRecord {
    const { policy, seed, folder } = job;
    if (this.opened?.seed !== seed) this.opened = { seed, inputs: openInputs(this.scenario, seed, this.traces) };
    const { inputs } = this.opened;
    const decisions = folder === undefined ? undefined : new DecisionsFile(folder, policy, seed);
    try {
      const { record, collector } = this.watched(policy, seed, inputs, (oracles) =>
        runOne(this.scenario, inputs, policy, seed, {
          gantt: job.gantt,
          progress,
          observers: [...oracles.observers, ...(decisions === undefined ? [] : [decisions])],
          finishOracles: oracles.finish,
          restartAtShare: job.restartAtShare,
          takeRows: job.telemetry === true ? takeRows : undefined,
        }),
      );
      if (folder !== undefined) writeTasks(folder, policy, seed, collector.tasks, inputs.machines);
      decisions?.finish();
      return record;
    } catch (error) {
      decisions?.discard();
      throw error;
    }
  }

  /** Runs under oracles; what they object to names the command that shows it again. */
  private watched(
    policy: string,
    seed: number,
    inputs: SeededInputs,
    run: (oracles: Oracles) => FinishedRun,
  ): FinishedRun {
    const profile = profileOf(this.scenario, inputs, policy);
    const { heartbeat, faults, power } = this.scenario;
    try {
      return run(createOracles({ machines: inputs.machines, profile, heartbeat, faults, seed, power }));
    } catch (error) {
      if (
        !(error instanceof SiraError) ||
        (error.code !== 'SIRA_ORACLE_VIOLATED' && error.code !== 'SIRA_LIMIT_EXCEEDED')
      )
        throw error;
      const command = reproduceCommand(relative(process.cwd(), this.scenario.file), policy, seed);
      throw new SiraError(
        error.code,
        `policy ${policy}, seed ${seed}: ${error.message}`,
        error.place,
        `Reproduce it with \`${command}\`.`,
      );
    }
  }
}
