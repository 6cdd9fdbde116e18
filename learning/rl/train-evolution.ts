// One training by evolution, from its document and a seed to an exported policy: features measured under the placement to be corrected,
// generations that all play the same runs, checkpoints that a later call goes on from to the same weights, the mean exported
// that plays validation runs best. Writes nothing; whoever calls decides where results go.

import { toBase64 } from '../../core/base/base64.ts';
import { RandomStream } from '../../core/base/random.ts';
import { placementFeatureCount, placementSchema } from '../../core/policy/placement-features.ts';
import { type PolicyArtifact, writePolicyArtifact } from '../../core/policy/policy-artifact.ts';
import { type PolicyFeature, type PolicyLineage, policyFormat } from '../../core/policy/policy-manifest.ts';
import type { WholeRuns } from '../env/whole-runs.ts';
import { type EvolutionState, SeparableCmaEs } from './evolution.ts';
import { PlacementScaler } from './placement-scaler.ts';

export interface EvolutionSettings {
  /** Members of a generation. */
  readonly population: number;
  /** Runs that each of them plays. */
  readonly runs: number;
  /** Deviation of each weight at first, in units of the fallback's score. */
  readonly sigma: number;
  /** Runs under the fallback on which features are measured. */
  readonly measuredRuns: number;
}

export interface EvolutionRow {
  readonly iteration: number;
  /** Runs played so far. */
  readonly steps: number;
  /** Mean of the metric over the generation; NaN at the begin. */
  readonly training: number;
  /** Of the mean, on validation runs; NaN where it was not judged. */
  readonly validation: number;
  readonly sigma: number;
}

export interface EvolutionCheckpoint {
  readonly features: readonly PolicyFeature[];
  readonly varying: readonly number[];
  readonly curve: readonly EvolutionRow[];
  readonly state: EvolutionState;
  readonly best: BestMean;
}

export interface BestMean {
  readonly iteration: number;
  /** Mean of the metric on validation runs. */
  readonly validation: number;
  readonly weights: readonly number[];
}

export interface EvolutionPlan {
  readonly name: string;
  readonly iterations: number;
  readonly checkpointEvery: number;
  readonly validationRuns: number;
  readonly settings: EvolutionSettings;
  readonly shield: { readonly featuresOutsideMax: number; readonly candidatesOutsideMax: number };
  readonly candidatesMax: number;
}

export interface EvolutionOptions {
  readonly seed: number;
  lineage(curve: readonly EvolutionRow[], evaluation: Readonly<Record<string, number>>): PolicyLineage;
  readonly checkpoint?: EvolutionCheckpoint | undefined;
  onIteration?(row: EvolutionRow): void;
  onCheckpoint?(checkpoint: EvolutionCheckpoint): void;
}

export interface EvolutionResult {
  readonly curve: readonly EvolutionRow[];
  readonly best: BestMean;
  artifact(evaluation: Readonly<Record<string, number>>): PolicyArtifact;
}

/** Seeds of validation runs: beyond those that training draws, which have 32 bits. */
export const validationSeed = 2 ** 33;

export function trainByEvolution(plan: EvolutionPlan, runs: WholeRuns, options: EvolutionOptions): EvolutionResult {
  const { settings } = plan;
  const { checkpoint } = options;
  const { features, varying } = checkpoint ?? measureFeatures(runs, settings.measuredRuns, options.seed);
  const evolution = new SeparableCmaEs(
    new Array<number>(varying.length).fill(0),
    settings.sigma,
    settings.population,
    options.seed,
  );
  const curve: EvolutionRow[] = [...(checkpoint?.curve ?? [])];
  if (checkpoint !== undefined) evolution.restore(checkpoint.state);
  const sign = runs.isMoreBetter ? -1 : 1;
  const artifactOf = (weights: ArrayLike<number>, lineage: PolicyLineage): PolicyArtifact =>
    linearPolicy(plan, runs, features, varying, weights, lineage);
  const unknown = options.lineage([], {});
  const mean = (weights: ArrayLike<number>, seeds: readonly number[]): number => {
    const artifact = toBase64(writePolicyArtifact(artifactOf(weights, unknown)));
    let sum = 0;
    for (const seed of seeds) sum += Object.values(runs.play(seed, artifact))[0]!;
    return sum / seeds.length;
  };
  const validationSeeds = Array.from({ length: plan.validationRuns }, (_, index) => validationSeed + index);
  let best: BestMean;
  const judge = (iteration: number): number => {
    const validation = mean(evolution.mean, validationSeeds);
    if (sign * validation < sign * best.validation) best = { iteration, validation, weights: [...evolution.mean] };
    return validation;
  };
  const note = (row: EvolutionRow): void => {
    curve.push(row);
    options.onIteration?.(row);
  };
  if (checkpoint === undefined) {
    best = { iteration: 0, validation: sign * Number.POSITIVE_INFINITY, weights: [...evolution.mean] };
    note({ iteration: 0, steps: 0, training: Number.NaN, validation: judge(0), sigma: evolution.sigma });
  } else best = checkpoint.best;
  for (let iteration = evolution.generation + 1; iteration <= plan.iterations; iteration++) {
    const random = new RandomStream(options.seed, `runs of generation ${iteration}`);
    const seeds = Array.from({ length: settings.runs }, () => random.nextUint32());
    const members = evolution.ask();
    const sums = new Float64Array(members.length);
    // Run by run, so that each is drawn once.
    for (const seed of seeds) for (const [index, weights] of members.entries()) sums[index]! += mean(weights, [seed]);
    const means = [...sums].map((sum) => sum / seeds.length);
    evolution.tell(
      members,
      means.map((value) => sign * value),
    );
    const isCheckpoint = iteration % plan.checkpointEvery === 0 || iteration === plan.iterations;
    const training = means.reduce((sum, value) => sum + value, 0) / means.length;
    const validation = isCheckpoint ? judge(iteration) : Number.NaN;
    note({
      iteration,
      steps: iteration * settings.population * settings.runs,
      training,
      validation,
      sigma: evolution.sigma,
    });
    if (isCheckpoint) options.onCheckpoint?.({ features, varying, curve: [...curve], state: evolution.save(), best });
  }
  return { curve, best, artifact: (evaluation) => artifactOf(best.weights, options.lineage(curve, evaluation)) };
}

function measureFeatures(
  runs: WholeRuns,
  count: number,
  seed: number,
): Pick<EvolutionCheckpoint, 'features' | 'varying'> {
  const scaler = new PlacementScaler();
  const random = new RandomStream(seed, 'measured runs');
  for (let run = 0; run < count; run++) runs.measure(random.nextUint32(), (row) => scaler.add(row));
  return { features: scaler.features(), varying: scaler.varying };
}

/** One layer without a bias: a weight for each feature that varies. */
function linearPolicy(
  plan: EvolutionPlan,
  { fallback }: WholeRuns,
  features: readonly PolicyFeature[],
  varying: readonly number[],
  weights: ArrayLike<number>,
  lineage: PolicyLineage,
): PolicyArtifact {
  const kernel = new Float32Array(placementFeatureCount);
  for (const [index, feature] of varying.entries()) kernel[feature] = weights[index]!;
  return {
    manifest: {
      format: policyFormat,
      name: plan.name,
      schema: placementSchema,
      network: { kind: 'candidate-mlp', activation: 'relu', widths: [placementFeatureCount, 1] },
      features,
      shield: {
        fallback,
        candidatesMax: plan.candidatesMax,
        ...plan.shield,
        operationsMax: plan.candidatesMax * placementFeatureCount,
      },
      lineage,
    },
    layers: [{ inputs: placementFeatureCount, outputs: 1, kernel, bias: new Float32Array(1) }],
  };
}
