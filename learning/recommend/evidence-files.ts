// The simulated world of an analysis as files that anyone can run again: one trace for each seed, resampled from the recorded window
// in blocks (Künsch, "The jackknife and the bootstrap for general stationary observations", Ann. Stat. 1989), so that bursts stay
// bursts; a calibration of what messages and agents take; and a scenario for each configuration. Seed 0 is the window as it was.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { RandomStream } from '../../core/base/random.ts';
import { kernelSettingTable } from '../../core/config/kernel-setting-table.ts';
import { calibrationText } from '../../sim/replay/calibration-file.ts';
import { accelerators } from '../../sim/world/power/power-model.ts';
import { type Configuration, shapeOf, typicalMachine } from './configuration.ts';
import type { RecordedTask, RecordedWindow } from './recorded-window.ts';

/** Blocks of a window that are drawn. */
const blocks = 10;
const columns = ['arrival', 'duration', 'estimate', 'cpuMilli', 'memoryMib', 'gpuCount', 'gpuMilli', 'machineCount'];
/** They have fields of their own in a scenario, or are no business of a simulated fleet. */
const settingsElsewhere = [
  'registry.leaseMicros',
  'registry.heartbeatIntervalMicros',
  'registry.disconnectGraceMicros',
  'scheduler.queueLengthMax',
  'faults.seed',
];

export interface FileOfEvidence {
  readonly file: string;
  readonly sha256: string;
}

export class EvidenceFiles {
  readonly folder: string;
  readonly files: FileOfEvidence[] = [];
  private readonly window: RecordedWindow;
  private readonly seeds: number;
  private hasRetrained = false;
  /** Whether any task has a class: a column that is empty throughout says nothing. */
  private readonly hasClasses: boolean;

  /** Writes the traces of so many seeds, from 0 on. */
  constructor(folder: string, window: RecordedWindow, seeds: number) {
    this.folder = folder;
    this.window = window;
    this.seeds = seeds;
    this.hasClasses = window.tasks.some(({ taskClass }) => taskClass !== '');
    mkdirSync(folder, { recursive: true });
    this.write(
      'calibration.yaml',
      calibrationText({ lanes: 0, trips: [window.trips], contention: [1], service: {} }, 'a window of telemetry'),
    );
    this.writeTraces('trace', (task) => task.estimateMicros);
  }

  /** Returns the scenario's path. */
  writeScenario(name: string, configuration: Configuration): string {
    if (configuration.isRetrained && !this.hasRetrained) {
      this.hasRetrained = true;
      const { estimateRatios } = this.window;
      this.writeTraces('trace-retrained', ({ estimateMicros, taskClass }) =>
        Math.max(1, Math.round(estimateMicros * (estimateRatios.get(taskClass) ?? 1))),
      );
    }
    return this.write(`${name}.yaml`, stringify(this.fieldsOf(name, configuration), { lineWidth: 0 }));
  }

  private fieldsOf(name: string, configuration: Configuration): object {
    const { policy, settings, machines, isRetrained } = configuration;
    const trace = isRetrained ? 'trace-retrained' : 'trace';
    const differing = Object.entries(settings).filter(
      ([setting, value]) =>
        !settingsElsewhere.includes(setting) &&
        value !== (kernelSettingTable as Readonly<Record<string, { readonly default: unknown }>>)[setting]?.default,
    );
    const { order, place, unplaced, backfill, overtakeMax, preempt, tenantWeights, artifact } = policy;
    if (artifact !== undefined) this.writeBytes('policy.safetensors', Buffer.from(artifact, 'base64'));
    const power = powerOf(configuration);
    return {
      name,
      cluster: { format: 'groups', groups: groupsOf(machines) },
      workload: {
        ...{ format: 'csv', file: `${trace}-{seed}.csv` },
        columns: {
          timeUnit: 'us',
          ...Object.fromEntries(columns.map((column) => [column, column])),
          ...{ priority: 'priority', tenant: 'tenant' },
          ...(this.hasClasses ? { taskClass: 'taskClass' } : {}),
        },
      },
      calibration: 'calibration.yaml',
      ...(power === undefined ? {} : { power }),
      policies: [
        {
          ...{ name, order, place, unplaced, backfill },
          // Of tasks that are not skipped nothing is overtaken.
          ...(unplaced === 'skip' ? { overtakeMax } : {}),
          ...(preempt === undefined ? {} : { preempt }),
          ...(tenantWeights === undefined ? {} : { tenantWeights }),
          ...(artifact === undefined ? {} : { artifact: 'policy.safetensors' }),
        },
      ],
      objective: 'completionMeanSeconds',
      seeds: { first: 0, count: this.seeds },
      network: { latency: '1us' },
      heartbeat: {
        interval: `${settings['registry.heartbeatIntervalMicros']}us`,
        lease: `${settings['registry.leaseMicros']}us`,
      },
      limits: { queueLengthMax: settings['scheduler.queueLengthMax'] },
      settings: Object.fromEntries(differing),
    };
  }

  private writeTraces(name: string, estimateOf: (task: RecordedTask) => number): void {
    for (let seed = 0; seed < this.seeds; seed++)
      this.write(`${name}-${seed}.csv`, traceText(resampled(this.window, seed), estimateOf));
  }

  private write(name: string, text: string): string {
    return this.writeBytes(name, Buffer.from(text));
  }

  private writeBytes(name: string, bytes: Buffer): string {
    const file = join(this.folder, name);
    writeFileSync(file, bytes);
    const known = this.files.findIndex((each) => each.file === file);
    const entry = { file, sha256: createHash('sha256').update(bytes).digest('hex') };
    if (known < 0) this.files.push(entry);
    else this.files[known] = entry;
    return file;
  }
}

/** Blocks of equal length, drawn with replacement and laid one behind the other; seed 0: as recorded. */
function resampled({ tasks, fromMicros }: RecordedWindow, seed: number): readonly RecordedTask[] {
  const shifted = (task: RecordedTask, micros: number): RecordedTask => ({
    ...task,
    arrivalMicros: task.arrivalMicros + micros,
  });
  if (seed === 0) return tasks.map((task) => shifted(task, -fromMicros));
  const last = tasks.at(-1)?.arrivalMicros ?? fromMicros;
  const length = Math.floor((last - fromMicros) / blocks) + 1;
  const random = new RandomStream(seed, 'recommend.blocks');
  const drawn: RecordedTask[] = [];
  for (let block = 0; block < blocks; block++) {
    // A block may begin at any millisecond, so that no moment is always at an edge.
    const begin = fromMicros + 1000 * random.nextBelow(Math.floor((last - fromMicros - length + 1) / 1000) + 1);
    for (const task of tasks)
      if (task.arrivalMicros >= begin && task.arrivalMicros < begin + length)
        drawn.push(shifted(task, block * length - begin));
  }
  // A window that is empty where it was drawn would be no world at all.
  return drawn.length === 0 ? tasks.map((task) => shifted(task, -fromMicros)) : drawn;
}

function traceText(tasks: readonly RecordedTask[], estimateOf: (task: RecordedTask) => number): string {
  const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = tasks.map((task) =>
    [
      ...[task.arrivalMicros, task.durationMicros, estimateOf(task), task.cpuMilli, task.memoryMib, task.gpuCount],
      ...[task.gpuCount > 1 ? 1000 : task.gpuMilli, task.machineCount, task.priority],
      ...[quoted(task.tenant), quoted(task.taskClass)],
    ].join(','),
  );
  return `${[...columns, 'priority', 'tenant', 'taskClass'].join(',')}\n${lines.join('\n')}\n`;
}

function groupsOf(machines: Configuration['machines']): object[] {
  const groups = new Map<string, { count: number; readonly machine: Configuration['machines'][number] }>();
  for (const machine of machines) {
    const group = groups.get(shapeOf(machine));
    if (group === undefined) groups.set(shapeOf(machine), { count: 1, machine });
    else group.count++;
  }
  return [...groups.values()].map(({ count, machine: { cpuMilli, memoryMib, gpuCount, gpuModel } }, index) => ({
    ...{ name: `machines-${index}`, count, cpuCores: cpuMilli / 1000, memoryGib: memoryMib / 1024 },
    ...(gpuCount > 0 ? { gpuCount, gpuModel } : {}),
  }));
}

/** By what the agents declare, or else the figures of a common processor; undefined where nobody knows an accelerator's. */
function powerOf({ machines, power, sleepAfterMicros }: Configuration): object | undefined {
  if (machines.some(({ gpuCount, gpuModel }) => gpuCount > 0 && !Object.hasOwn(accelerators, gpuModel)))
    return undefined;
  if (power === undefined) return {};
  const threads = Math.max(1, Math.round((typicalMachine(machines)?.cpuMilli ?? 1000) / 1000));
  const sleep =
    power.sleepWatts === undefined
      ? {}
      : {
          sleep: {
            ...(sleepAfterMicros === undefined ? {} : { after: `${sleepAfterMicros}us` }),
            watts: power.sleepWatts,
            wake: `${Math.max(1, Math.round((power.wakeSeconds ?? 1) * 1_000_000))}us`,
            wakeWatts: power.idleWatts + power.processorWatts,
          },
        };
  return {
    baseWatts: power.idleWatts,
    processor: { idleWatts: 0, busyWatts: power.processorWatts, threads },
    ...sleep,
  };
}
