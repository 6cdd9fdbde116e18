// A training by evolution as `sira train` runs it: with its document, its files, and the tests at the end.

import { toBase64 } from '../../core/base/base64.ts';
import { writePolicyArtifact } from '../../core/policy/policy-artifact.ts';
import { openWholeRuns } from '../env/whole-runs-catalogue.ts';
import { lineageOf } from './lineage.ts';
import type { CurveRow, TrainingResult } from './train.ts';
import { type EvolutionCheckpoint, type EvolutionRow, trainByEvolution } from './train-evolution.ts';
import type { EvolutionSpec } from './training-spec.ts';

export interface EvolutionTrainingOptions {
  readonly seed: number;
  readonly command: string;
  readonly checkpoint?: EvolutionCheckpoint | undefined;
  onIteration?(row: CurveRow): void;
  onCheckpoint?(checkpoint: EvolutionCheckpoint): void;
}

/** Machines of a decision, at most. */
const candidatesMax = 16_384;

export function trainWholeRuns(spec: EvolutionSpec, options: EvolutionTrainingOptions): TrainingResult {
  const runs = openWholeRuns(spec.runs, spec.folder);
  const { name, iterations, checkpointEvery, validationRuns, shield, evolution: settings } = spec;
  const { files } = runs;
  const { command, seed } = options;
  const result = trainByEvolution(
    { name, iterations, checkpointEvery, validationRuns, settings, shield, candidatesMax },
    runs,
    {
      seed,
      lineage: (curve, evaluation) => lineageOf({ command, seed, source: spec.source, files, curve, evaluation }),
      checkpoint: options.checkpoint,
      onIteration: (row) => options.onIteration?.(asCurveRow(row)),
      ...(options.onCheckpoint === undefined ? {} : { onCheckpoint: options.onCheckpoint }),
    },
  );
  const { best, curve } = result;
  const text = toBase64(writePolicyArtifact(result.artifact({})));
  const played = runs.tests.map((test) => test.play(text));
  const [metric] = Object.keys(played[0]!) as [string];
  const tests = played.map((metrics) => metrics[metric]!);
  const testMean = tests.reduce((sum, value) => sum + value, 0) / tests.length;
  return {
    artifact: result.artifact({ [`${metric}Test`]: testMean, [`${metric}Validation`]: best.validation }),
    curve: curve.map(asCurveRow),
    best: { iteration: best.iteration, validation: best.validation },
    metric,
    testMean,
    tests,
    steps: curve.at(-1)!.steps,
  };
}

function asCurveRow(row: EvolutionRow): CurveRow {
  return { ...row, entropy: Number.NaN, divergence: Number.NaN, explainedVariance: Number.NaN };
}
