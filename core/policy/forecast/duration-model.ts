// How long tasks of a class run, as forecast: a table of medians that was learned elsewhere and that the kernel looks up. A class is a
// task's own and how many accelerators it asks for; one that is not in the table is forecast by its class alone, one whose class is not
// by all. As one file: safetensors with `medianSeconds` [entries], and in its metadata `format` (`sira-durations/1`), `name`,
// `entries` (JSON: the keys, `class` or `class gpus`, the empty key for all) and `lineage` (JSON).

import { fromBase64 } from '../../base/base64.ts';
import { SiraError } from '../../base/errors.ts';
import { TensorView } from '../../tensor/tensor-view.ts';
import { readSafetensors, writeSafetensors } from '../../tensor/wire/safetensors.ts';
import { canonicalJson } from '../policy-artifact.ts';

export const durationsFormat = 'sira-durations/1';

/** The file's extension. */
export const durationsExtension = '.durations.safetensors';

export interface DurationModel {
  readonly name: string;
  /** Median seconds by key, above 0; the empty key stands for all that are not there. */
  readonly medianSeconds: ReadonlyMap<string, number>;
  readonly lineage: Readonly<Record<string, string>>;
}

/** The key of a class with its accelerators. */
export function durationKey(taskClass: string, gpuCount: number): string {
  return `${taskClass} ${gpuCount}`;
}

/** Seconds that such a task will run, as likely more as less. */
export function forecastSeconds({ medianSeconds }: DurationModel, taskClass: string, gpuCount: number): number {
  const own = medianSeconds.get(durationKey(taskClass, gpuCount)) ?? medianSeconds.get(taskClass);
  return own ?? (medianSeconds.get('') as number);
}

export function writeDurations({ name, medianSeconds, lineage }: DurationModel): Uint8Array {
  check(medianSeconds);
  const seconds = [...medianSeconds.values()];
  const metadata = new Map([
    ['format', durationsFormat],
    ['name', name],
    ['entries', canonicalJson([...medianSeconds.keys()])],
    ['lineage', canonicalJson(lineage)],
  ]);
  const tensors = new Map([['medianSeconds', TensorView.from('float64', [seconds.length], seconds)]]);
  return writeSafetensors({ tensors, metadata });
}

/** SIRA_TENSOR_INVALID if `bytes` are no safetensors file, SIRA_POLICY_INVALID if they hold no durations. */
export function readDurations(bytes: Uint8Array): DurationModel {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.get('format') !== durationsFormat)
    throw invalid(`its format is ${JSON.stringify(metadata.get('format'))}`);
  const keys = list(metadata.get('entries'));
  const seconds = tensors.get('medianSeconds')?.toElements() as number[] | undefined;
  if (seconds?.length !== keys.length) throw invalid(`${keys.length} keys, and ${seconds?.length ?? 0} durations`);
  const medianSeconds = new Map(keys.map((key, index) => [key, seconds[index] as number]));
  if (medianSeconds.size !== keys.length) throw invalid('a key stands twice');
  check(medianSeconds);
  return { name: metadata.get('name') ?? '', medianSeconds, lineage: record(metadata.get('lineage')) };
}

/** The durations that a profile carries, in base64; errors as {@link readDurations}. */
export function durationsOf(text: string): DurationModel {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw invalid('it is no base64');
  return readDurations(bytes);
}

function check(medianSeconds: ReadonlyMap<string, number>): void {
  if (!medianSeconds.has('')) throw invalid('it has no entry for all that it does not know');
  for (const [key, seconds] of medianSeconds)
    if (!(seconds > 0 && seconds < Number.POSITIVE_INFINITY)) throw invalid(`"${key}" runs for ${seconds} s`);
}

function list(text: string | undefined): string[] {
  const value = parse(text);
  if (!Array.isArray(value) || !value.every((key) => typeof key === 'string'))
    throw invalid('entries are no list of keys');
  return value;
}

function record(text: string | undefined): Readonly<Record<string, string>> {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) throw invalid('lineage is no object');
  return value as Readonly<Record<string, string>>;
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw invalid('its metadata is no JSON');
  }
}

function invalid(what: string): SiraError {
  return new SiraError('SIRA_POLICY_INVALID', `no forecast of durations: ${what}`);
}
