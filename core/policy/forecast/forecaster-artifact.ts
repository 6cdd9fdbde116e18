// A forecaster as one file: safetensors with the members' numbers, and in its metadata what they mean. The same model always gives the
// same bytes, and reading gives the same bits; what does not belong together is refused.
//
// Metadata: `format` (`sira-forecaster/1`), `manifest` (JSON) and `members` (JSON: of each member all that is not a tensor). Tensors:
// `offsets` [levels, horizon], and `members.N.NAME`, N from 0: float64, those of a GRU's network float32.

import { fromBase64 } from '../../base/base64.ts';
import { SiraError } from '../../base/errors.ts';
import { TensorView } from '../../tensor/tensor-view.ts';
import { readSafetensors, writeSafetensors } from '../../tensor/wire/safetensors.ts';
import { canonicalJson } from '../policy-artifact.ts';
import {
  type ForecasterManifest,
  type ForecasterModel,
  forecasterFormat,
  forecastTargets,
  type MemberModel,
} from './forecaster-model.ts';
import { LagFeatures } from './lag-features.ts';

/** The file's extension. */
export const forecasterExtension = '.forecaster.safetensors';

type Numbers = Float64Array | Float32Array;
type Tensors = ReadonlyMap<string, TensorView>;

const networkTensors = ['input', 'recurrent', 'inputBias', 'recurrentBias', 'output', 'outputBias'] as const;
const sizes = ['period', 'seasonCount', 'hiddenSize', 'horizon'] as const;

export function writeForecasterArtifact({ manifest, members, offsets }: ForecasterModel): Uint8Array {
  checkManifest(manifest);
  const tensors = new Map<string, TensorView>();
  const add: AddTensor = (name, values, shape = [values.length]) => {
    for (const value of values) if (!Number.isFinite(value)) throw invalid(`${name} holds a number that is not finite`);
    tensors.set(name, TensorView.from(values instanceof Float32Array ? 'float32' : 'float64', shape, [...values]));
  };
  add('offsets', offsets, [manifest.levels.length, manifest.horizon]);
  const described = members.map((member, index) => describe(member, `members.${index}`, add));
  const metadata = new Map([
    ['format', forecasterFormat],
    ['manifest', canonicalJson(manifest)],
    ['members', canonicalJson(described)],
  ]);
  return writeSafetensors({ tensors, metadata });
}

type AddTensor = (name: string, values: Numbers, shape?: readonly number[]) => void;

/** Adds the member's tensors; answers the rest of it. */
function describe(member: MemberModel, at: string, add: AddTensor): object {
  switch (member.kind) {
    case 'season': {
      const { season, ...rest } = member;
      add(`${at}.season`, season);
      return rest;
    }
    case 'lag-linear': {
      const { coefficients, history, ...rest } = member;
      add(`${at}.coefficients`, coefficients, [rest.steps.length, coefficients.length / rest.steps.length]);
      add(`${at}.history`, history);
      return rest;
    }
    case 'holt-winters': {
      const { constants, state, ...rest } = member;
      add(`${at}.constants`, constants);
      add(`${at}.state`, state);
      return rest;
    }
    case 'gru': {
      const { network, window, ...rest } = member;
      for (const name of networkTensors) add(`${at}.${name}`, network[name]);
      add(`${at}.window`, window);
      return { ...rest, network: Object.fromEntries(sizes.map((name) => [name, network[name]])) };
    }
  }
}

/** SIRA_TENSOR_INVALID if `bytes` are no safetensors file, SIRA_POLICY_INVALID if they are no forecaster. */
export function readForecasterArtifact(bytes: Uint8Array): ForecasterModel {
  const { tensors, metadata } = readSafetensors(bytes);
  const manifest = checkManifest(parse(metadata.get('manifest')));
  const described = parse(metadata.get('members'));
  if (!Array.isArray(described) || described.length === 0) throw invalid('it has no members');
  const members = described.map((member, index) => readMember(record(member), `members.${index}`, tensors, manifest));
  const offsets = numbers(tensors, 'offsets', manifest.levels.length * manifest.horizon);
  return { manifest, members, offsets };
}

/** The forecaster that a profile carries, in base64; errors as {@link readForecasterArtifact}. */
export function forecasterOf(text: string): ForecasterModel {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw invalid('it is no base64');
  return readForecasterArtifact(bytes);
}

function readMember(
  fields: Readonly<Record<string, unknown>>,
  at: string,
  tensors: Tensors,
  manifest: ForecasterManifest,
): MemberModel {
  const { weight, kind, logarithm } = fields;
  if (typeof weight !== 'number' || !(weight > 0 && weight <= 1)) throw invalid(`${at} has no weight in (0, 1]`);
  if (kind === 'season') return { kind, weight, season: numbers(tensors, `${at}.season`) };
  if (typeof logarithm !== 'boolean') throw invalid(`${at} does not say whether it takes logarithms`);
  const common = { weight, logarithm, least: finite(fields.least, `${at}.least`) };
  if (kind === 'lag-linear') {
    const periods = counts(fields.periods, `${at}.periods`);
    const steps = counts(fields.steps, `${at}.steps`);
    if (steps.length === 0 || (steps.at(-1) as number) < manifest.horizon)
      throw invalid(`${at} has no coefficients for step ${manifest.horizon}`);
    const scale = finite(fields.scale, `${at}.scale`);
    const coefficients = numbers(tensors, `${at}.coefficients`, steps.length * LagFeatures.countOf({ periods }));
    const history = numbers(tensors, `${at}.history`, LagFeatures.historyOf({ periods }) + 1);
    return { kind, ...common, periods, steps, scale, coefficients, history };
  }
  if (kind === 'holt-winters') {
    const periods = counts(fields.periods, `${at}.periods`);
    const [count] = counts([finite(fields.count, `${at}.count`) + 1], `${at}.count`) as [number];
    const constants = numbers(tensors, `${at}.constants`, 4 + periods.length);
    const state = numbers(tensors, `${at}.state`, 3 + periods.reduce((sum, period) => sum + period, 0));
    return { kind, ...common, periods, constants, count: count - 1, state };
  }
  if (kind !== 'gru') throw invalid(`${at} is of kind ${JSON.stringify(kind)}`);
  const network = record(fields.network);
  const [period, seasonCount, hiddenSize, horizon] = counts(
    sizes.map((name) => network[name]),
    `${at}.network`,
  ) as [number, number, number, number];
  if (horizon < manifest.horizon) throw invalid(`${at} forecasts ${horizon} steps, not ${manifest.horizon}`);
  const gates = 3 * hiddenSize;
  const lengths = [period * gates, hiddenSize * gates, gates, gates, hiddenSize * horizon, horizon];
  const weights = Object.fromEntries(
    networkTensors.map((name, index) => [name, Float32Array.from(numbers(tensors, `${at}.${name}`, lengths[index]))]),
  ) as Record<(typeof networkTensors)[number], Float32Array>;
  const window = numbers(tensors, `${at}.window`, period * seasonCount);
  return { kind, ...common, network: { period, seasonCount, hiddenSize, horizon, ...weights }, window };
}

function checkManifest(value: unknown): ForecasterManifest {
  const manifest = record(value);
  if (manifest.format !== forecasterFormat) throw invalid(`format is ${JSON.stringify(manifest.format)}`);
  if (!forecastTargets.includes(manifest.target as never))
    throw invalid(`target is ${JSON.stringify(manifest.target)}, not one of ${forecastTargets.join(', ')}`);
  for (const name of ['name', 'unit'])
    if (typeof manifest[name] !== 'string' || manifest[name] === '') throw invalid(`${name} is missing`);
  counts([manifest.intervalMicros, manifest.horizon], 'intervalMicros and horizon');
  finite(manifest.lowerBound, 'lowerBound');
  const input = record(manifest.input);
  for (const name of ['mean', 'deviation', 'minimum', 'maximum']) finite(input[name], `input.${name}`);
  const { levels } = manifest;
  const isRising = Array.isArray(levels) && levels.every((level, at) => at === 0 || level > levels[at - 1]);
  if (!isRising || !levels.every((level) => typeof level === 'number' && level > 0 && level < 1))
    throw invalid('levels do not rise within (0, 1)');
  record(manifest.lineage);
  return manifest as unknown as ForecasterManifest;
}

function numbers(tensors: Tensors, name: string, length?: number): Float64Array {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw invalid(`tensor ${name} is missing`);
  const values = Float64Array.from(tensor.toElements() as number[]);
  if (values.length === 0 || (length !== undefined && values.length !== length))
    throw invalid(`tensor ${name} holds ${values.length} numbers${length === undefined ? '' : `, not ${length}`}`);
  for (const value of values) if (!Number.isFinite(value)) throw invalid(`${name} holds a number that is not finite`);
  return values;
}

function counts(value: unknown, name: string): number[] {
  if (!Array.isArray(value) || !value.every((one) => Number.isSafeInteger(one) && one >= 1))
    throw invalid(`${name} is no list of whole numbers above 0`);
  return value as number[];
}

function finite(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(`${name} is no finite number`);
  return value;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('a part of it is no object');
  return value as Readonly<Record<string, unknown>>;
}

function parse(text: string | undefined): unknown {
  if (text === undefined) throw invalid('its metadata is missing: it holds numbers, but no forecaster');
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('its metadata is no JSON');
  }
}

function invalid(what: string): SiraError {
  return new SiraError('SIRA_POLICY_INVALID', `not a forecaster that can run: ${what}`);
}
