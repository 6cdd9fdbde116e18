// A calibration as a file that people can read: YAML, microseconds, a quantile table for each distribution. What is read is checked,
// so that a slip of the hand does not become a simulated cluster.

import { readFileSync } from 'node:fs';
import { Document, isScalar, parse, visit } from 'yaml';
import { SiraError } from '../../core/base/errors.ts';
import { type Calibration, calibrationShares } from '../world/calibration.ts';

const format = 'sira calibration 1';

export function calibrationText({ lanes, trips, contention, service }: Calibration, from: string): string {
  const head = [
    `How long agents, messages and work took live: ${from}`,
    'lanes: pieces of work that an agent does at once, 0 if as many as there is room for',
    'trips: beyond the service, by how many tasks the agent had already; microseconds at each share',
    'contention: how much longer work takes with 0, 1, 2 ... others on its host',
    'service: measured time, with nothing beside it, over the estimate, by class of task',
  ].map((line) => `# ${line}\n`);
  const fields = { format, shares: calibrationShares, lanes, trips, contention, service };
  const document = new Document(fields);
  visit(document, {
    Seq(_, list) {
      if (list.items.every(isScalar)) list.flow = true;
    },
  });
  return head.join('') + document.toString({ flowCollectionPadding: false, lineWidth: 0 });
}

/** Throws SIRA_FILE_MISSING, SIRA_YAML_MALFORMED, SIRA_SCENARIO_INVALID. */
export function readCalibration(file: string): Calibration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new SiraError(
      'SIRA_FILE_MISSING',
      'there is no such calibration',
      { file },
      'Write one with `sira calibrate`.',
    );
  }
  let fields: unknown;
  try {
    fields = parse(text);
  } catch (error) {
    throw new SiraError('SIRA_YAML_MALFORMED', error instanceof Error ? error.message : String(error), { file });
  }
  const problem = problemOf(fields);
  if (problem !== undefined) throw new SiraError('SIRA_SCENARIO_INVALID', problem, { file });
  const { lanes, trips, contention, service } = fields as Calibration;
  return { lanes, trips, contention, service };
}

function problemOf(fields: unknown): string | undefined {
  if (!isObject(fields) || fields.format !== format) return `it is not a calibration ("format: ${format}")`;
  const { shares, lanes, trips, contention, service } = fields;
  if (!Array.isArray(shares) || shares.join() !== calibrationShares.join())
    return `the shares of the quantiles are ${calibrationShares.join(', ')}`;
  if (!Number.isSafeInteger(lanes) || (lanes as number) < 0) return 'lanes is a whole number, 0 or more';
  if (!Array.isArray(trips)) return 'trips is a list';
  for (const [index, trip] of trips.entries()) {
    if (!isObject(trip) || trip.held !== index)
      return `trips[${index}] is that of an agent which has ${index} tasks already`;
    for (const name of ['acceptMicros', 'totalMicros'])
      if (!areQuantiles(trip[name])) return `trips[${index}].${name} holds a rising number for each share, 0 or more`;
  }
  const isPace = (each: unknown): boolean => typeof each === 'number' && Number.isFinite(each) && each > 0;
  if (!Array.isArray(contention) || contention.length === 0 || !contention.every(isPace))
    return 'contention is a list of numbers above 0, one at least';
  if (!isObject(service)) return 'service has a table for each class';
  for (const [name, measured] of Object.entries(service))
    if (!isObject(measured) || !areQuantiles(measured.ratio))
      return `service.${name}.ratio holds a rising number for each share`;
  return undefined;
}

function areQuantiles(values: unknown): boolean {
  if (!Array.isArray(values) || values.length !== calibrationShares.length) return false;
  let before = 0;
  return values.every((value) => {
    const rises = typeof value === 'number' && Number.isFinite(value) && value >= before;
    before = value as number;
    return rises;
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
