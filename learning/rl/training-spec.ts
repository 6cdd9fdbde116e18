// A training as data: the environment, the algorithm and its settings, the heuristic that it starts from. The document is YAML, held
// to training.schema.json; whoever has it and a seed can train the same policy again.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { DocumentKind } from '../../core/documents/check-command.ts';
import { compileSchema, schemaProblems } from '../../core/documents/schema-problems.ts';
import { YamlSource } from '../../core/documents/yaml-source.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import type { EnvironmentSpec } from '../env/catalogue.ts';
import { isOfWholeRuns, type WholeRunsFields, type WholeRunsSpec, wholeRunsSpec } from '../env/whole-runs-catalogue.ts';
import type { PpoSettings } from './ppo.ts';
import type { EvolutionSettings } from './train-evolution.ts';

export interface TrainingSpec {
  readonly name: string;
  readonly description: string;
  readonly environment: EnvironmentSpec;
  /** Environments stepped together. */
  readonly environments: number;
  readonly iterations: number;
  /** Iterations between checkpoints, each of which is judged on validation episodes. */
  readonly checkpointEvery: number;
  readonly validationEpisodes: number;
  readonly imitation: { readonly teacher: string; readonly iterations: number };
  readonly ppo: PpoSettings;
  readonly shield: { readonly featuresOutsideMax: number; readonly candidatesOutsideMax: number };
  /** The document. */
  readonly file: string;
  readonly source: string;
  /** Where its relative paths start. */
  readonly folder: string;
}

/** A training by evolution. */
export interface EvolutionSpec extends Pick<TrainingSpec, 'name' | 'description' | 'iterations' | 'checkpointEvery'> {
  readonly runs: WholeRunsSpec;
  readonly validationRuns: number;
  readonly evolution: EvolutionSettings;
  readonly shield: TrainingSpec['shield'];
  readonly file: string;
  readonly source: string;
  readonly folder: string;
}

/** As the document has it: what is left out has a default. */
interface TrainingFields {
  readonly name: string;
  readonly description?: string;
  readonly environment: EnvironmentSpec | WholeRunsFields;
  readonly environments?: number;
  readonly iterations: number;
  readonly checkpointEvery?: number;
  readonly validationEpisodes?: number;
  readonly imitation?: { readonly teacher: string; readonly iterations: number };
  readonly ppo?: Partial<Omit<PpoSettings, 'weights'>> & {
    readonly clip?: number;
    readonly entropy?: number;
    readonly valueWeight?: number;
  };
  readonly evolution?: Partial<EvolutionSettings>;
  readonly shield?: { readonly featuresOutsideMax?: number; readonly candidatesOutsideMax?: number };
}

/** Absolute path of the published schema. */
export function trainingSchemaFile(): string {
  return join(projectRoot(), 'learning', 'rl', 'training.schema.json');
}

/** A training by PPO. Throws the document's first problem: SIRA_FILE_MISSING, SIRA_YAML_MALFORMED or SIRA_SCENARIO_INVALID. */
export function readTraining(file: string): TrainingSpec {
  const spec = readAnyTraining(file);
  if ('runs' in spec) throw new SiraError('SIRA_SCENARIO_INVALID', 'its environment is not stepped', { file });
  return spec;
}

/** Throws as {@link readTraining}. */
export function readAnyTraining(file: string): TrainingSpec | EvolutionSpec {
  const [problem] = trainingProblems(file);
  if (problem !== undefined) throw problem;
  const source = new YamlSource(file);
  const fields = source.value as TrainingFields;
  return isOfWholeRuns(fields.environment)
    ? evolutionSpec(fields, fields.environment, source, file)
    : steppedSpec(fields, fields.environment, source, file);
}

function evolutionSpec(
  fields: TrainingFields,
  environment: WholeRunsFields,
  { text }: YamlSource,
  file: string,
): EvolutionSpec {
  return {
    name: fields.name,
    description: fields.description ?? '',
    runs: wholeRunsSpec(environment),
    iterations: fields.iterations,
    checkpointEvery: fields.checkpointEvery ?? 10,
    validationRuns: fields.validationEpisodes ?? 20,
    evolution: { population: 12, runs: 2, sigma: 1.5, measuredRuns: 6, ...fields.evolution },
    shield: { featuresOutsideMax: 0.03, candidatesOutsideMax: 0.1, ...fields.shield },
    file: resolve(file),
    source: text,
    folder: dirname(resolve(file)),
  };
}

function steppedSpec(
  fields: TrainingFields,
  environment: EnvironmentSpec,
  source: YamlSource,
  file: string,
): TrainingSpec {
  const { clip = 0.2, entropy = 0.001, valueWeight = 0.5, ...ppo } = fields.ppo ?? {};
  return {
    name: fields.name,
    description: fields.description ?? '',
    environment,
    environments: fields.environments ?? 16,
    iterations: fields.iterations,
    checkpointEvery: fields.checkpointEvery ?? 10,
    validationEpisodes: fields.validationEpisodes ?? 20,
    imitation: fields.imitation ?? { teacher: '', iterations: 0 },
    ppo: {
      steps: 256,
      epochs: 4,
      minibatch: 512,
      learningRate: 3e-3,
      discount: 0.99,
      lambda: 0.95,
      gradientNormMax: 0.5,
      rewardMax: 10,
      advantageMax: 4,
      divergenceMax: 0.05,
      hidden: [16, 8],
      valueHidden: [32, 32],
      ...ppo,
      weights: { clip, entropy, value: valueWeight },
    },
    shield: {
      featuresOutsideMax: fields.shield?.featuresOutsideMax ?? 0.12,
      candidatesOutsideMax: fields.shield?.candidatesOutsideMax ?? 0.1,
    },
    file: resolve(file),
    source: source.text,
    folder: dirname(resolve(file)),
  };
}

/** Everything that is wrong with the document; empty if it is sound. */
export function trainingProblems(file: string): readonly SiraError[] {
  let source: YamlSource;
  try {
    source = new YamlSource(file);
  } catch (error) {
    if (error instanceof SiraError) return [error];
    throw error;
  }
  if (source.problems.length > 0) return source.problems;
  const problems = schemaProblems(source, compileSchema(trainingSchemaFile()));
  if (problems.length > 0) return problems;
  return [...overlaps(source), ...wrongAlgorithm(source), ...missingFiles(source)];
}

/** A test on jobs that training saw would be no test. */
function overlaps(source: YamlSource): SiraError[] {
  const { environment } = source.value as TrainingFields;
  if (environment.kind !== 'batch') return [];
  const { ranges, tests } = environment;
  return tests.starts.flatMap((start, index) => {
    const range = ranges.find(({ first, count }) => start < first + count && first < start + tests.size);
    if (range === undefined) return [];
    const detail = `the test window at job ${start} shares jobs with the training's range from ${range.first}`;
    const place = source.place(['environment', 'tests', 'starts', index]);
    return [new SiraError('SIRA_SCENARIO_INVALID', detail, place, 'Train on other jobs than the tests have.')];
  });
}

/** Whole runs have no steps for PPO, and the others no end that evolution could wait for. */
function wrongAlgorithm(source: YamlSource): SiraError[] {
  const { environment, evolution, ppo, imitation } = source.value as TrainingFields;
  const isWhole = isOfWholeRuns(environment);
  const wrong = isWhole
    ? ppo === undefined
      ? imitation === undefined
        ? ''
        : 'imitation'
      : 'ppo'
    : evolution === undefined
      ? ''
      : 'evolution';
  if (wrong === '') return [];
  const detail = `an environment of the kind ${environment.kind} is not trained by \`${wrong}\``;
  return [new SiraError('SIRA_SCENARIO_INVALID', detail, source.place([wrong]), 'Leave it out.')];
}

function missingFiles(source: YamlSource): SiraError[] {
  const { environment } = source.value as TrainingFields;
  return (['trace', 'sequences', 'nodes', 'pods', 'requests', 'world'] as const).flatMap((field) => {
    const name = (environment as { readonly [name: string]: unknown })[field] as string | undefined;
    if (name === undefined || existsSync(resolve(dirname(source.file), name))) return [];
    const place = source.place(['environment', field]);
    return [new SiraError('SIRA_FILE_MISSING', `there is no such file: ${name}`, place)];
  });
}

export const trainingDocument: DocumentKind = {
  name: 'training',
  fields: [
    'name',
    'description',
    'environment',
    'environments',
    'iterations',
    'imitation',
    'ppo',
    'evolution',
    'shield',
  ],
  check(file, context) {
    const problems = trainingProblems(file);
    for (const problem of problems) context.printError(problem);
    if (problems.length > 0) return undefined;
    const spec = readAnyTraining(file);
    if ('runs' in spec)
      return `${spec.runs.kind}, ${spec.iterations} generations of ${spec.evolution.population} × ${spec.evolution.runs} runs`;
    const { environment, environments, iterations, ppo } = spec;
    return `${environment.kind}, ${iterations} iterations of ${environments} × ${ppo.steps} steps`;
  },
};
