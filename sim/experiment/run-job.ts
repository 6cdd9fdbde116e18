// One job of an experiment, as a worker does it: run one policy on one seed and write the run's files. A worker keeps the
// inputs of the seed that it opened last, since its next job is most likely of the same seed.

import type { Effect } from '../../core/kernel/effects.ts';
import { openInputs, type SeededInputs } from './build-world.ts';
import { DecisionColumns } from './decision-columns.ts';
import { writeDecisions, writeTasks } from './run-files.ts';
import { runOne } from './run-one.ts';
import type { RunRecord } from './run-record.ts';
import type { Scenario } from './scenario.ts';

export interface Job {
  readonly policy: string;
  readonly seed: number;
  readonly gantt: boolean;
  /** Folder for the run's files, or undefined for none. */
  readonly folder: string | undefined;
  readonly restartAtShare?: number | undefined;
}

/** Does jobs one after the other. */
export class JobRunner {
  private readonly scenario: Scenario;
  private opened: { readonly seed: number; readonly inputs: SeededInputs } | undefined;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  run(job: Job, progress?: (share: number) => void): RunRecord {
    const { policy, seed, folder } = job;
    if (this.opened?.seed !== seed) this.opened = { seed, inputs: openInputs(this.scenario, seed) };
    const { inputs } = this.opened;
    const decisions = folder === undefined ? undefined : new DecisionColumns();
    const machineNames: string[] = [];
    const names = {
      kernelEffect: (effect: Effect): void => {
        if (effect.kind === 'agentRegistered') machineNames[effect.agent] = effect.name;
      },
    };
    const { record, collector } = runOne(this.scenario, inputs, policy, seed, {
      gantt: job.gantt,
      progress,
      observers: decisions === undefined ? [] : [decisions, names],
      restartAtShare: job.restartAtShare,
    });
    if (folder !== undefined && decisions !== undefined) {
      writeTasks(folder, policy, seed, collector.tasks, inputs.machines);
      writeDecisions(folder, policy, seed, decisions, machineNames);
    }
    return record;
  }
}
