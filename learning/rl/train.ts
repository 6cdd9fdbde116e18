// One training, from its document and a seed to an exported policy: features measured, a heuristic imitated, PPO, checkpoints that a
// later call goes on from to the same weights, the checkpoint exported that plays validation episodes best. Writes nothing; whoever
// calls decides where results go.

import { RandomStream } from '../../core/base/random.ts';
import type { PolicyArtifact } from '../../core/policy/policy-artifact.ts';
import type { PolicyLineage } from '../../core/policy/policy-manifest.ts';
import { type OpenedEnvironment, openEnvironment } from '../env/catalogue.ts';
import { VectorEnvironment } from '../env/vector-environment.ts';
import { exportPolicy } from './export-policy.ts';
import { FeatureScaler } from './feature-scaler.ts';
import { lineageOf } from './lineage.ts';
import { chooserOf, meanOfFirst, playEpisodes } from './play-policy.ts';
import type { PolicyGradient } from './policy-gradient.ts';
import { Ppo, type PpoState } from './ppo.ts';
import type { TrainingSpec } from './training-spec.ts';

/** One row an iteration; `validation` is NaN where no checkpoint was judged. */
export interface CurveRow {
  readonly iteration: number;
  readonly steps: number;
  /** Mean of the metric over the episodes that ended, NaN if none did. */
  readonly training: number;
  readonly validation: number;
  readonly entropy: number;
  readonly divergence: number;
  readonly explainedVariance: number;
  /** Of evolution, which has no entropy: how far members differ. */
  readonly sigma?: number | undefined;
}

export interface Checkpoint {
  readonly iteration: number;
  readonly imitation: readonly number[];
  readonly curve: readonly CurveRow[];
  readonly state: PpoState;
  /** The best by validation so far. */
  readonly best: { readonly iteration: number; readonly validation: number; readonly policy: readonly number[] };
}

export interface TrainingOptions {
  readonly seed: number;
  readonly gradient: PolicyGradient;
  /** As it is to be recorded. */
  readonly command: string;
  /** To go on from. */
  readonly checkpoint?: Checkpoint | undefined;
  onIteration?(row: CurveRow): void;
  onCheckpoint?(checkpoint: Checkpoint): void;
}

export interface TrainingResult {
  readonly artifact: PolicyArtifact;
  readonly curve: readonly CurveRow[];
  readonly best: { readonly iteration: number; readonly validation: number };
  /** The exported policy on the tests: name of the metric, mean, and each episode's. */
  readonly metric: string;
  readonly testMean: number;
  readonly tests: readonly number[];
  readonly steps: number;
}

/** Seeds of validation episodes: beyond those that training draws, which have 32 bits. */
const validationSeed = 2 ** 33;

export function train(spec: TrainingSpec, options: TrainingOptions): TrainingResult {
  const opened = openEnvironment(spec.environment, spec.folder);
  const trainer = new Trainer(spec, opened, options);
  trainer.run();
  return trainer.result();
}

class Trainer {
  private readonly spec: TrainingSpec;
  private readonly opened: OpenedEnvironment;
  private readonly options: TrainingOptions;
  private readonly ppo: Ppo;
  private readonly scaler: FeatureScaler;
  /** Where policies are judged. */
  private readonly stage: ReturnType<OpenedEnvironment['create']>;
  private readonly curve: CurveRow[] = [];
  private readonly imitation: number[] = [];
  private best: Checkpoint['best'] = { iteration: 0, validation: Number.POSITIVE_INFINITY, policy: [] };
  /** Whether a larger metric is better: rewards say so, metrics of schedules are costs. */
  private readonly sign: 1 | -1;

  constructor(spec: TrainingSpec, opened: OpenedEnvironment, options: TrainingOptions) {
    this.spec = spec;
    this.opened = opened;
    this.options = options;
    this.stage = opened.create();
    this.sign = spec.environment.kind === 'cart-pole' ? -1 : 1;
    const environments = Array.from({ length: spec.environments }, () => opened.create());
    const vector = new VectorEnvironment(environments, new RandomStream(options.seed, 'training episodes'));
    this.scaler = new FeatureScaler(this.stage.featureNames);
    this.ppo = new Ppo(vector, spec.ppo, this.scaler, options.gradient, options.seed);
  }

  run(): void {
    const { spec, options, ppo } = this;
    this.begin();
    for (let iteration = this.curve.length; iteration < spec.iterations; iteration++) {
      const report = ppo.iterate(iteration / spec.iterations);
      const { steps, entropy, divergence, explainedVariance } = report;
      const isCheckpoint = (iteration + 1) % spec.checkpointEvery === 0 || iteration + 1 === spec.iterations;
      const validation = isCheckpoint ? this.judge(iteration + 1) : Number.NaN;
      const training =
        report.episodes.length === 0 ? Number.NaN : meanOfFirst(report.episodes.map((episode) => episode.metrics));
      const row = { iteration: iteration + 1, steps, training, validation, entropy, divergence, explainedVariance };
      this.curve.push(row);
      options.onIteration?.(row);
      if (!isCheckpoint) continue;
      options.onCheckpoint?.(this.checkpoint());
      // As a training does that goes on from this checkpoint.
      ppo.resetEnvironments();
    }
  }

  result(): TrainingResult {
    const { spec, opened, ppo, stage, curve, best } = this;
    ppo.policy.parameters.set(best.policy);
    const tests = playEpisodes(stage, chooserOf(this.exported()), opened.tests);
    const testMean = meanOfFirst(tests, opened.weight);
    const [metric] = Object.keys(tests[0]!) as [string];
    return {
      artifact: this.exported({ [`${metric}Test`]: testMean, [`${metric}Validation`]: this.sign * best.validation }),
      curve,
      best: { iteration: best.iteration, validation: this.sign * best.validation },
      metric,
      testMean,
      tests: tests.map((metrics) => metrics[metric]!),
      steps: spec.iterations * spec.environments * spec.ppo.steps,
    };
  }

  private begin(): void {
    const { spec, options, ppo } = this;
    const { checkpoint } = options;
    if (checkpoint !== undefined) {
      this.curve.push(...checkpoint.curve);
      this.imitation.push(...checkpoint.imitation);
      this.best = checkpoint.best;
      ppo.restore(checkpoint.state);
      return;
    }
    const teacher = spec.imitation.teacher === '' ? this.opened.fallback : spec.imitation.teacher;
    ppo.measureFeatures(teacher);
    for (let step = 0; step < spec.imitation.iterations; step++) this.imitation.push(ppo.imitate(teacher));
    ppo.resetEnvironments();
  }

  /** Plays the present policy on the validation episodes, and keeps it if it is the best so far. */
  private judge(iteration: number): number {
    const { spec, opened, stage, ppo } = this;
    const begin = Array.from(
      { length: spec.validationEpisodes },
      (_, index) => (environment: typeof stage) => environment.reset(validationSeed + index),
    );
    const value = meanOfFirst(playEpisodes(stage, chooserOf(this.exported()), begin), opened.weight);
    const cost = this.sign * value;
    if (cost < this.best.validation) this.best = { iteration, validation: cost, policy: [...ppo.policy.parameters] };
    return value;
  }

  private checkpoint(): Checkpoint {
    const { curve, imitation, best, ppo } = this;
    return { iteration: curve.length, imitation: [...imitation], curve: [...curve], state: ppo.save(), best };
  }

  private exported(evaluation: Readonly<Record<string, number>> = {}): PolicyArtifact {
    const { spec, opened, ppo, scaler, stage } = this;
    return exportPolicy(ppo.policy, scaler, {
      spec,
      schema: stage.schema,
      candidatesMax: stage.candidatesMax,
      fallback: opened.fallback,
      lineage: this.lineage(evaluation),
    });
  }

  private lineage(evaluation: Readonly<Record<string, number>>): PolicyLineage {
    const { spec, opened, options, curve } = this;
    return lineageOf({ ...options, source: spec.source, files: opened.files, curve, evaluation });
  }
}
