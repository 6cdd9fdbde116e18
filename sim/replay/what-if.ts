// The same world, another policy: arrivals, agents' comings and goings, and the measured duration of each task of a live record,
// played by the simulator to the kernel once as it was and once changed. The first of the two shows what the simulator adds or
// leaves out, so that the second is to be compared with it.

import { SiraError } from '../../core/base/errors.ts';
import { createKernelSettings, type KernelSettingName } from '../../core/config/kernel-setting-table.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { Calibration } from '../world/calibration.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { World } from '../world/world.ts';
import { aloneMicros } from './fit-calibration.ts';
import { type JournalSource, readJournal, snapshotSequences } from './read-journal.ts';
import { RecordedWorld } from './recorded-world.ts';
import { TaskTimes, type TimesSummary } from './task-times.ts';

export interface Change {
  /** Fields of the policy that differ. */
  readonly policy: Partial<Profile>;
  /** Kernel settings that differ, by name. */
  readonly settings: Readonly<Record<string, number>>;
}

export interface WhatIf {
  readonly runs: readonly { readonly name: string; readonly summary: TimesSummary }[];
  /** How far the simulator is off where it can be seen: simulated over live of the unchanged policy, less 1. */
  readonly errorP50: number;
  readonly errorP95: number;
  readonly assumptions: readonly string[];
}

/** Of the record's length: a changed run that is not done by then is not going to be. */
const lengthsMax = 20;
const slackMicros = 600_000_000;

/** Throws what {@link readJournal} throws; SIRA_OFFSET_GONE if the record has no beginning, SIRA_SETTING_INVALID. */
export function whatIf(source: JournalSource, change: Change, calibration?: Calibration): WhatIf {
  const recorded = new RecordedWorld();
  readJournal(source, snapshotSequences(source)[0] as number, recorded);
  return playChanged(recorded, change, calibration);
}

/** The same of a record that was read already. `calibration`: how long agents and messages take, and work beside other work. */
export function playChanged(recorded: RecordedWorld, change: Change, calibration?: Calibration): WhatIf {
  const cpuMilli = recorded.machines.reduce((sum, machine) => sum + machine.cpuMilli, 0);
  const changed = { ...(recorded.profile as Profile), ...change.policy, name: 'changed' };
  const live = recorded.times.summary(cpuMilli);
  const simulated = simulateRecord(recorded, recorded.profile as Profile, {}, calibration).summary(cpuMilli);
  return {
    errorP50: errorOf(simulated.completionP50Micros, live.completionP50Micros),
    errorP95: errorOf(simulated.completionP95Micros, live.completionP95Micros),
    runs: [
      { name: 'live', summary: live },
      { name: 'simulated', summary: simulated },
      { name: 'changed', summary: simulateRecord(recorded, changed, change.settings, calibration).summary(cpuMilli) },
    ],
    assumptions: assumptionsOf(recorded, calibration),
  };
}

function errorOf(simulated: number, live: number): number {
  return live === 0 ? 0 : simulated / live - 1;
}

/** The recorded world, played to the kernel under this policy and these settings. Throws SIRA_SETTING_INVALID. */
export function simulateRecord(
  recorded: RecordedWorld,
  profile: Profile,
  settings: Change['settings'],
  calibration?: Calibration,
  /** What tasks took is not looked at: it is drawn from their estimates by the calibration. */
  fromEstimates = false,
  /** Of what the calibration draws. */
  seed = 1,
): TaskTimes {
  const values: Record<string, number> = {};
  for (const [name, value] of Object.entries({ ...recorded.settings, ...settings }))
    if (typeof value === 'number') values[name] = value;
  const status = createKernelSettings().assign(values, { who: 'sira replay', why: 'counterfactual', atMicros: 0 });
  if (!status.ok) throw new SiraError('SIRA_SETTING_INVALID', status.reason);
  const of = (name: KernelSettingName): number => values[name] as number;
  const times = new TaskTimes();
  const alone = calibration === undefined || fromEstimates ? undefined : aloneMicros(recorded, calibration);
  const tasks = recorded.tasks.map((task) => ({
    ...task,
    durationMicros: fromEstimates ? task.estimateMicros : (alone?.get(task.name) ?? task.durationMicros),
  }));
  const world = new World({
    seed,
    machines: recorded.machines,
    workload: { tasks: () => tasks[Symbol.iterator](), typicalTasks: () => [], notes: [] },
    profile,
    network: soundNetwork(calibration === undefined ? recorded.latencyMicros : 0),
    heartbeat: {
      intervalMicros: of('registry.heartbeatIntervalMicros'),
      leaseMicros: of('registry.leaseMicros'),
    },
    limits: {
      ...{ eventsPerInstantMax: 10_000_000, causalDepthMax: 100_000 },
      queueLengthMax: of('scheduler.queueLengthMax'),
    },
    faults: recorded.faults,
    settings: values,
    // Where it is known what the tasks took, that needs no estimate.
    calibration: calibration === undefined || fromEstimates ? calibration : { ...calibration, service: {} },
    observers: [
      {
        kernelInput: (body, nowMicros) => times.input(body, nowMicros),
        kernelEffect: (effect, nowMicros) => times.effect(effect, nowMicros),
      },
    ],
  });
  world.runUntilDone(recorded.lengthMicros * lengthsMax + slackMicros);
  return times;
}

function assumptionsOf(recorded: RecordedWorld, calibration: Calibration | undefined): string[] {
  const { latencyMicros, estimatedCount, cancelledCount, settingChanges, resumptions, differingSequence } = recorded;
  const assumptions = [
    calibration === undefined
      ? 'a task takes on every agent, and beside any other work, as long as it took live, by its agent’s own measurement'
      : 'a task takes on every agent what it took live, by its agent’s own measurement, as other work beside it slows both by the calibration',
    'tasks arrive when they did, whatever became of those before them',
    'an agent that was declared dead had crashed one lease before; what it ran is run again in full',
    'attempts that failed or were stopped live do not do so again',
    ...(calibration === undefined
      ? [
          `every message takes ${latencyMicros} µs, half the median from a dispatch to the agent’s answer`,
          'beyond that neither kernel nor agents take time of their own, however busy their processors were',
        ]
      : [
          'what kernel, messages and agents take beyond the work is drawn from the calibration, by how many tasks the agent has',
          'a submitter hands in at no cost, and the kernel itself is never the narrowest place',
        ]),
    'of all submitters one is left, so that their numbers do not matter',
  ];
  if (estimatedCount > 0)
    assumptions.push(`${estimatedCount} tasks whose work never completed take what was estimated`);
  if (cancelledCount > 0) assumptions.push(`${cancelledCount} tasks that were cancelled never come`);
  if (settingChanges > 0) assumptions.push(`${settingChanges} changes of settings during the record are left out`);
  if (resumptions > 0) assumptions.push(`the kernel never stands still; live it did ${resumptions} times`);
  if (differingSequence !== undefined)
    assumptions.push(
      `from input ${differingSequence} on the live kernel decided otherwise than this code: "live" is what this code makes of its inputs`,
    );
  return assumptions;
}
