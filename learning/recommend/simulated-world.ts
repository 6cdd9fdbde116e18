// A simulated fleet made of a window of telemetry: its configurations are run on the same traces, each once, and compared. Keeps what
// was run, so that the digest over it says whether somebody else got the same.

import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { createFitTest } from '../../sim/workload/fit.ts';
import type { Findings } from './candidates.ts';
import { type Configuration, keyOf, rulesDigest } from './configuration.ts';
import { EvidenceFiles } from './evidence-files.ts';
import type { Evidence } from './recommendation.ts';
import type { RecordedWindow } from './recorded-window.ts';
import { type SimulatedRuns, simulate } from './simulate-configuration.ts';

interface Simulated {
  readonly file: string;
  readonly runs: SimulatedRuns;
}

export class SimulatedWorld {
  readonly window: RecordedWindow;
  readonly seeds: readonly number[];
  private readonly files: EvidenceFiles;
  private readonly run: string;
  private readonly simulated = new Map<string, Simulated>();

  constructor(window: RecordedWindow, run: string, folder: string, seeds: number) {
    this.window = window;
    this.run = run;
    this.seeds = Array.from({ length: seeds }, (_, index) => index);
    this.files = new EvidenceFiles(folder, window, seeds);
  }

  /** All seeds; from memory if it was done before. */
  async runs(configuration: Configuration, progress?: (share: number) => void): Promise<SimulatedRuns> {
    const key = keyOf(configuration);
    const known = this.simulated.get(key);
    if (known !== undefined) return known.runs;
    // Each has a file of its own, that nothing writes again.
    const name = this.simulated.size === 0 ? 'present' : `changed-${this.simulated.size}`;
    const file = this.files.writeScenario(name, configuration);
    const runs = await simulate(file, { wantsBottlenecks: true, ...(progress === undefined ? {} : { progress }) });
    this.simulated.set(key, { file, runs });
    return runs;
  }

  /** Why not every task that fits a machine now would fit one of these; empty if all do. */
  misfits(present: Configuration, changed: Configuration): string {
    const [before, after] = [createFitTest(present.machines), createFitTest(changed.machines)];
    const lost = this.window.tasks.filter((task) => {
      const request = { ...task, gpuModels: [] };
      return before(request) && !after(request);
    }).length;
    return lost === 0 ? '' : `${lost} of ${this.window.tasks.length} tasks would fit no machine any more`;
  }

  findings(bottlenecks: Findings['bottlenecks']): Findings {
    const { tasks, estimateRatios } = this.window;
    const distinct = (of: (task: (typeof tasks)[number]) => unknown): boolean => new Set(tasks.map(of)).size > 1;
    const sizes = [...new Set(tasks.map(({ cpuMilli }) => Math.max(1, cpuMilli)))];
    return {
      ...{ bottlenecks, estimateRatios },
      hasPriorities: distinct(({ priority }) => priority),
      hasTenants: distinct(({ tenant }) => tenant),
      hasLargeTasks: Math.max(...sizes) >= 2 * Math.min(...sizes),
      hasWideTasks: tasks.some(({ machineCount }) => machineCount > 1),
    };
  }

  /** Of these configurations, which were simulated, the present first. */
  evidence(configurations: readonly Configuration[], fidelity: number): Evidence {
    const { fromMicros, untilMicros, tasks, estimated, metrics } = this.window;
    const [present] = configurations;
    const simulated = configurations.flatMap((one) => this.simulated.get(keyOf(one)) ?? []);
    const digest = createHash('sha256');
    for (const { runs } of simulated) for (const each of runs.digests) digest.update(`${each}\n`);
    const named = simulated.map(({ file }) => file);
    const isRetrained = configurations.some((one) => one.isRetrained);
    const hasPower = configurations.some(({ power }) => power !== undefined);
    return {
      ...{ run: this.run, fromMicros, untilMicros, tasks: tasks.length, fidelity, seeds: this.seeds },
      measured: metrics,
      files: this.files.files.filter(
        ({ file }) => !file.endsWith('.yaml') || file.endsWith('calibration.yaml') || named.includes(file),
      ),
      digest: digest.digest('hex'),
      present: present === undefined ? '' : rulesDigest(present),
      commands: named.map((file) => `npx sira run ${relative(process.cwd(), file) || file}`),
      assumptions: [
        'tasks arrive as in blocks of the window, drawn by seed, whatever became of those before them',
        'work takes on every agent what it took live, whatever runs beside it; every agent takes every function',
        'messages and agents take what they took in the window, whatever the load',
        'no machine fails, and no task is cancelled',
        ...(estimated === 0 ? [] : [`${estimated} tasks whose work never completed take what was estimated`]),
        ...(isRetrained
          ? ['the corrected estimates know the window that they are tried on, by one number a class']
          : []),
        hasPower
          ? 'machines draw what their agents declare, on average'
          : 'machines draw what a common server processor does, since no agent declares its power',
      ],
    };
  }
}
