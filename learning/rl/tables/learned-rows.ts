// What the trained policies reach: on Lublin-1 through the kernel and its messages, shield included, on DeepRM in its environment.

import { join } from 'node:path';
import { toBase64 } from '../../../core/base/base64.ts';
import type { ShieldCounts } from '../../../core/policy/shield.ts';
import type { LearnedOrder } from '../../../core/scheduler/plugins/learned.ts';
import { boundedSlowdownMean, runBatch } from '../../../reports/tables/batch-run.ts';
import { windowsOf } from '../../../reports/tables/table-2.ts';
import { scenarioOf } from '../../../reports/tables/table-job.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { openEnvironment } from '../../env/catalogue.ts';
import { chooserOf, meanOfFirst, playEpisodes } from '../play-policy.ts';
import { readTraining } from '../training-spec.ts';
import { type PublishedPolicy, publishedPolicies } from './published-policies.ts';

export interface LearnedRow {
  readonly training: string;
  readonly seed: number;
  readonly command: string;
  /** Mean over the test's windows, or over its jobs. */
  readonly mean: number;
  /** Of each window; none for DeepRM. */
  readonly windows: readonly number[];
  /** Of the training's own evaluation, in its environment. */
  readonly validation: number;
  readonly shield: ShieldCounts | null;
}

/** The kernel's runs of one policy on the ten windows. */
export function batchRow(training: 'lublin' | 'lublin-backfill', policy: PublishedPolicy): LearnedRow {
  const scenario = scenarioOf('lublin');
  const profile = {
    ...scenario.policies[0]!,
    name: 'learned',
    order: 'learned',
    backfill: training === 'lublin' ? ('none' as const) : ('never' as const),
    artifact: toBase64(policy.bytes),
  };
  const shield: ShieldCounts = { decisions: 0, outside: 0, overBudget: 0, broken: 0 };
  const windows = windowsOf('lublin').map((seed) => {
    const inputs = openInputs(scenario, seed);
    const jobs = runBatch({ ...scenario, policies: [profile] }, inputs, 'learned', seed, (world) => {
      const { shieldCounts } = world.host.kernel.control.scheduler.parts.order as LearnedOrder;
      for (const name of Object.keys(shield) as (keyof ShieldCounts)[]) shield[name] += shieldCounts[name];
    });
    return boundedSlowdownMean(jobs);
  });
  return {
    ...rowOf(training, policy),
    mean: windows.reduce((sum, value) => sum + value, 0) / windows.length,
    windows,
    shield,
  };
}

/** All seeds of DeepRM, and its heuristics by name. */
export function deepRmRows(): { readonly rows: LearnedRow[]; readonly heuristics: Readonly<Record<string, number>> } {
  const spec = readTraining(join(projectRoot(), 'scenarios', 'training', 'deep-rm.yaml'));
  const opened = openEnvironment(spec.environment, spec.folder);
  const environment = opened.create();
  const rows = publishedPolicies('deep-rm').map((policy): LearnedRow => {
    const episodes = playEpisodes(environment, chooserOf(policy.artifact), opened.tests);
    return { ...rowOf('deep-rm', policy), mean: meanOfFirst(episodes, opened.weight), windows: [], shield: null };
  });
  const heuristics = Object.fromEntries(
    environment.teachers.map((teacher) => {
      const episodes = playEpisodes(environment, (stage) => stage.choiceOf(teacher), opened.tests);
      return [teacher, meanOfFirst(episodes, opened.weight)];
    }),
  );
  return { rows, heuristics };
}

function rowOf(training: string, { seed, artifact }: PublishedPolicy): Omit<LearnedRow, 'mean' | 'windows' | 'shield'> {
  const { command, evaluation } = artifact.manifest.lineage;
  const validation = Object.entries(evaluation).find(([name]) => name.endsWith('Validation'))![1];
  return { training, seed, command, validation };
}
