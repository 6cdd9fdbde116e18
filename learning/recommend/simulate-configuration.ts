// Runs the scenario of a configuration on its seeds, in this thread, and keeps what comparisons need.

import { BottleneckAnalysis, type Bottlenecks } from '../../core/telemetry/bottlenecks.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { runExperiment } from '../../sim/experiment/run-experiment.ts';

export interface SimulatedRuns {
  /** By name of the metric, a value a seed; null where a run has none. */
  readonly metrics: Readonly<Record<string, readonly (number | null)[]>>;
  /** Of the kernel's effects, one a run. */
  readonly digests: readonly string[];
  /** Where the time went in the simulated runs, if it was asked for. */
  readonly bottlenecks: Bottlenecks | undefined;
}

export interface SimulateOptions {
  readonly wantsBottlenecks?: boolean;
  readonly progress?: (share: number) => void;
}

/** Throws what loading and running scenarios throws. */
export async function simulate(file: string, options: SimulateOptions = {}): Promise<SimulatedRuns> {
  const scenario = loadScenario(file);
  const analysis = new BottleneckAnalysis();
  const records = await runExperiment(scenario, {
    workers: 0,
    progress: options.progress,
    ...(options.wantsBottlenecks === true ? { rows: async (batch) => analysis.add(batch) } : {}),
  });
  const names = [...new Set(records.flatMap(({ metrics }) => Object.keys(metrics)))];
  return {
    metrics: Object.fromEntries(names.map((name) => [name, records.map(({ metrics }) => metrics[name] ?? null)])),
    digests: records.map(({ digest }) => digest),
    bottlenecks: analysis.result(),
  };
}
