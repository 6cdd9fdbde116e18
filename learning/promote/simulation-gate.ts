// The simulation gate: incumbent and candidate play a suite of scenarios on the same seeds, and the judge says whether the
// candidate may go on. The suite is what scenarios/gate holds; which policies its files name does not matter.

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { runExperiment } from '../../sim/experiment/run-experiment.ts';
import type { RunRecord } from '../../sim/experiment/run-record.ts';
import { type GuardEvidence, type Judgement, judge, type PairedMetric, type ScenarioEvidence } from './judge.ts';

export interface GateOptions {
  /** Folder of the suite. */
  readonly suite: string;
  /** Seeds of each scenario; its own if left out. */
  readonly seeds?: number | undefined;
  readonly workers?: number | undefined;
  readonly progress?: ((scenario: string, share: number) => void) | undefined;
}

export interface GateReport extends Judgement {
  readonly incumbent: string;
  readonly candidate: string;
  /** Over everything that the verdict rests on: the same code, suite and policies give the same. */
  readonly digest: string;
}

/** What the candidate may not worsen, whatever it improves. */
const guards: readonly (
  | { readonly metric: string; readonly ratioMax: number; readonly riseMax?: undefined }
  | { readonly metric: string; readonly riseMax: number; readonly ratioMax?: undefined }
)[] = [
  { metric: 'slowdownP99', ratioMax: 1.25 },
  { metric: 'waitP99Seconds', ratioMax: 1.5 },
  { metric: 'completionMeanSeconds', ratioMax: 1.05 },
  { metric: 'starvedTasks', riseMax: 1 },
  { metric: 'droppedTasks', riseMax: 1 },
  { metric: 'energyKilowattHours', ratioMax: 1.05 },
];

const minimumScenarios = 8;

export type GatePolicy = Omit<Profile, 'typicalTasks'>;

/** Throws what loading and running scenarios throws; SIRA_SCENARIO_INVALID if the suite has fewer than eight. */
export async function simulationGate(
  incumbent: GatePolicy,
  candidate: GatePolicy,
  options: GateOptions,
): Promise<GateReport> {
  const files = readdirSync(options.suite)
    .filter((file) => file.endsWith('.yaml'))
    .sort((left, right) => (left < right ? -1 : 1));
  if (files.length < minimumScenarios)
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      `a suite has at least ${minimumScenarios} scenarios, this one ${files.length}`,
      {
        file: options.suite,
      },
    );
  const evidence: ScenarioEvidence[] = [];
  const digest = createHash('sha256');
  for (const file of files) {
    const loaded = loadScenario(join(options.suite, file));
    const scenario = {
      ...loaded,
      policies: [
        { ...incumbent, name: 'incumbent' },
        { ...candidate, name: 'candidate' },
      ],
      baseline: 'incumbent',
      seeds: options.seeds === undefined ? loaded.seeds : loaded.seeds.slice(0, options.seeds),
      guards: [],
    };
    const records = await runExperiment(scenario, {
      workers: options.workers,
      progress: (share) => options.progress?.(basename(file, '.yaml'), share),
    });
    for (const record of records) digest.update(`${file} ${record.policy} ${record.seed} ${record.digest}\n`);
    evidence.push(evidenceOf(basename(file, '.yaml'), records, loaded.objective));
  }
  return { ...judge(evidence), incumbent: incumbent.name, candidate: candidate.name, digest: digest.digest('hex') };
}

function evidenceOf(scenario: string, records: readonly RunRecord[], objective: string): ScenarioEvidence {
  const of = (policy: string, metric: string): (number | null)[] =>
    records.filter((record) => record.policy === policy).map(({ metrics }) => metrics[metric] ?? null);
  const paired = (metric: string): PairedMetric => ({
    metric,
    incumbent: of('incumbent', metric),
    candidate: of('candidate', metric),
  });
  const known = guards.filter(({ metric }) => records.some(({ metrics }) => (metrics[metric] ?? null) !== null));
  return {
    scenario,
    objective: paired(objective),
    guards: known.map((guard): GuardEvidence => ({ ...guard, ...paired(guard.metric) })),
  };
}
