// What an artifact says about itself: the network's shape, the features that it looks at and how they were distributed in
// training, the shield's bounds, and where the policy comes from. A manifest is plain data; who may run the policy, and
// signatures, are decided elsewhere.

import { SiraError } from '../base/errors.ts';
import { distributionBinsMax, type InputDistribution } from './input-distribution.ts';

export const policyFormat = 'sira-policy/1';

/** One input of the network, and its distribution in training. */
export interface PolicyFeature {
  readonly name: string;
  /** The network sees (value − mean)/deviation. */
  readonly mean: number;
  /** Above 0. */
  readonly deviation: number;
  /** What was seen in training: values beyond these bounds count as outside. */
  readonly minimum: number;
  readonly maximum: number;
  /** Of the tasks that were chosen in training, each once, for the watch after promotion; left out where nobody counted. */
  readonly distribution?: InputDistribution | undefined;
}

/** What keeps a learned policy from doing harm. */
export interface PolicyShield {
  /** Name of the queue order that decides where the network may not: when inputs are outside of the training's distribution, or
   *  the budget is spent. */
  readonly fallback: string;
  /** Candidates that the network ranks, at most: the first so many by the fallback's order. */
  readonly candidatesMax: number;
  /** A candidate with more than this share of features outside of their bounds is outside of the distribution. */
  readonly featuresOutsideMax: number;
  /** A decision with more than this share of such candidates is the fallback's. */
  readonly candidatesOutsideMax: number;
  /** Multiplications and additions of one decision, at most. */
  readonly operationsMax: number;
}

/** Where a policy comes from: enough to train it again. */
export interface PolicyLineage {
  /** The command that trained it. */
  readonly command: string;
  readonly seed: number;
  /** SHA-256, hex, of the training's configuration as it was read. */
  readonly configSha256: string;
  /** SHA-256, hex, of the data that it was trained on, by name. */
  readonly dataSha256: Readonly<Record<string, string>>;
  readonly codeVersion: string;
  /** SHA-256, hex, of the artifacts that it was made from. */
  readonly parents: readonly string[];
  /** The training's curve: columns of equal length. */
  readonly curve: Readonly<Record<string, readonly number[]>>;
  /** Measured results by name, of the training's own evaluation. */
  readonly evaluation: Readonly<Record<string, number>>;
}

export interface PolicyManifest {
  readonly format: typeof policyFormat;
  readonly name: string;
  /** Who computes the features, and what a score means: `queue-order/1` ranks waiting tasks, larger runs first. */
  readonly schema: string;
  readonly network: {
    /** The same layers for each candidate (the "kernel network" of Mao et al., SC 2020). */
    readonly kind: 'candidate-mlp';
    /** Of all layers but the last. */
    readonly activation: 'relu';
    /** Width of the input, of each hidden layer, and of the output, which is 1. */
    readonly widths: readonly number[];
  };
  readonly features: readonly PolicyFeature[];
  readonly shield: PolicyShield;
  readonly lineage: PolicyLineage;
}

/** Widest layer, most layers: a bound on what reading an artifact may cost. */
export const layerWidthMax = 1024;
export const layersMax = 16;

/** SIRA_POLICY_INVALID with the field, unless `value` is a sound manifest. */
export function checkManifest(value: unknown): PolicyManifest {
  const manifest = object(value, 'manifest');
  if (manifest.format !== policyFormat)
    throw invalidPolicy(`format is ${JSON.stringify(manifest.format)}, not ${JSON.stringify(policyFormat)}`);
  text(manifest.name, 'name');
  text(manifest.schema, 'schema');
  const network = object(manifest.network, 'network');
  if (network.kind !== 'candidate-mlp' || network.activation !== 'relu')
    throw invalidPolicy('network is not a candidate-mlp with relu');
  const widths = list(network.widths, 'network.widths');
  if (widths.length < 2 || widths.length > layersMax + 1)
    throw invalidPolicy(`network.widths: ${widths.length} widths`);
  for (const width of widths)
    if (!Number.isInteger(width) || (width as number) < 1 || (width as number) > layerWidthMax)
      throw invalidPolicy(`network.widths: ${String(width)} is no width from 1 to ${layerWidthMax}`);
  if (widths.at(-1) !== 1) throw invalidPolicy('network.widths: the last layer gives one score');
  const features = list(manifest.features, 'features');
  if (features.length !== widths[0])
    throw invalidPolicy(`features: ${features.length}, but the network takes ${String(widths[0])}`);
  for (const [index, entry] of features.entries()) checkFeature(object(entry, `features[${index}]`), index);
  checkShield(object(manifest.shield, 'shield'));
  checkLineage(object(manifest.lineage, 'lineage'));
  return manifest as unknown as PolicyManifest;
}

function checkFeature(feature: Readonly<Record<string, unknown>>, index: number): void {
  const at = `features[${index}]`;
  text(feature.name, `${at}.name`);
  finite(feature.mean, `${at}.mean`);
  if (finite(feature.deviation, `${at}.deviation`) <= 0) throw invalidPolicy(`${at}.deviation is not above 0`);
  if (finite(feature.minimum, `${at}.minimum`) > finite(feature.maximum, `${at}.maximum`))
    throw invalidPolicy(`${at}: its minimum is above its maximum`);
  if (feature.distribution !== undefined) checkDistribution(feature.distribution, `${at}.distribution`);
}

function checkDistribution(value: unknown, at: string): void {
  const { edges, counts } = object(value, at);
  const values = list(edges, `${at}.edges`).map((edge) => finite(edge, `${at}.edges`));
  if (values.length < 1 || values.length >= distributionBinsMax)
    throw invalidPolicy(`${at}.edges: ${values.length} of them`);
  if (values.some((edge, index) => index > 0 && edge <= (values[index - 1] as number)))
    throw invalidPolicy(`${at}.edges do not rise`);
  const seen = list(counts, `${at}.counts`);
  if (seen.length !== values.length + 1) throw invalidPolicy(`${at}.counts: ${seen.length}, not ${values.length + 1}`);
  for (const count of seen)
    if (!Number.isSafeInteger(count) || (count as number) < 0) throw invalidPolicy(`${at}.counts: no whole number`);
}

function checkShield(shield: Readonly<Record<string, unknown>>): void {
  text(shield.fallback, 'shield.fallback');
  for (const name of ['candidatesMax', 'operationsMax']) {
    const bound = finite(shield[name], `shield.${name}`);
    if (!Number.isSafeInteger(bound) || bound < 1) throw invalidPolicy(`shield.${name} is no whole number above 0`);
  }
  for (const name of ['featuresOutsideMax', 'candidatesOutsideMax']) {
    const share = finite(shield[name], `shield.${name}`);
    if (share < 0 || share > 1) throw invalidPolicy(`shield.${name} is no share from 0 to 1`);
  }
}

function checkLineage(lineage: Readonly<Record<string, unknown>>): void {
  for (const name of ['command', 'configSha256', 'codeVersion']) text(lineage[name], `lineage.${name}`);
  finite(lineage.seed, 'lineage.seed');
  for (const sum of Object.values(object(lineage.dataSha256, 'lineage.dataSha256'))) text(sum, 'lineage.dataSha256');
  for (const parent of list(lineage.parents, 'lineage.parents')) text(parent, 'lineage.parents');
  for (const column of Object.values(object(lineage.curve, 'lineage.curve')))
    for (const value of list(column, 'lineage.curve')) finite(value, 'lineage.curve');
  for (const value of Object.values(object(lineage.evaluation, 'lineage.evaluation')))
    finite(value, 'lineage.evaluation');
}

export function invalidPolicy(detail: string): SiraError {
  return new SiraError('SIRA_POLICY_INVALID', detail);
}

function object(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidPolicy(`${field} is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidPolicy(`${field} is no list`);
  return value;
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw invalidPolicy(`${field} is no text`);
  return value;
}

function finite(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidPolicy(`${field} is no finite number`);
  return value;
}
