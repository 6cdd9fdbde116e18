// Reads Batsim's JSON workloads (Dutot et al., JSSPP 2016) whose profiles are delays. A job spans `res` machines of one CPU; its
// walltime is the estimate, and is not enforced.

import { LineCounter, parseDocument } from 'yaml';
import { SiraError } from '../../core/base/errors.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import { describeCounted } from './describe.ts';
import { jsonNumber } from './field-number.ts';
import { RequestInterner, type Trace, type TraceTask } from './trace.ts';
import { readTraceFile } from './trace-file.ts';

type Json = Readonly<Record<string, unknown>>;

/** The jobs in the file's order. Throws `SIRA_FILE_MISSING` and `SIRA_TRACE_MALFORMED`. */
export function readBatsimJobs(file: string): Trace {
  const text = readTraceFile(file);
  const document = parseJson(file, text);
  try {
    return readJobs(document);
  } catch (error) {
    if (!(error instanceof SiraError) || error.place.field === undefined) throw error;
    // Lines are looked up only now: a parser that keeps them is many times slower than JSON.parse.
    const place = { file, line: lineOf(text, error.place.field), field: error.place.field };
    throw new SiraError(error.code, error.message, place, error.remedy);
  }
}

function readJobs(document: unknown): Trace {
  const root = asObject(document, 'the document');
  const profiles = asObject(root.profiles, 'profiles');
  if (!Array.isArray(root.jobs)) throw malformed('there is no list of jobs', 'jobs');
  const requests = new RequestInterner();
  const delays = new Map<string, number>();
  let late = 0;
  const tasks = root.jobs.map((value: unknown, index): TraceTask => {
    const path = `jobs.${index}`;
    const job = asObject(value, path);
    if (typeof job.id !== 'number' && typeof job.id !== 'string')
      throw malformed('the id is neither a number nor a text', `${path}.id`);
    const machineCount = jsonNumber(job.res, 1, { field: `${path}.res` });
    if (!Number.isSafeInteger(machineCount)) throw malformed(`${machineCount} is not a whole number`, `${path}.res`);
    const durationMicros = delayMicros(profiles, job.profile, `${path}.profile`, delays);
    // Batsim lets a job have no walltime, or −1.
    const walltime =
      job.walltime === undefined || job.walltime === -1
        ? undefined
        : jsonNumber(job.walltime, 0, { field: `${path}.walltime` });
    const estimateMicros = walltime === undefined ? undefined : Math.round(walltime * microsPerSecond);
    if (estimateMicros !== undefined && estimateMicros < durationMicros) late++;
    return {
      name: String(job.id),
      arrivalMicros: Math.round(jsonNumber(job.subtime, 0, { field: `${path}.subtime` }) * microsPerSecond),
      request: requests.intern({ cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount }),
      durationMicros,
      estimateMicros,
      priority: 0,
      tenant: 'default',
    };
  });
  return {
    tasks,
    notes: late === 0 ? [] : [`${describeCounted(late, 'job')} would outlast the walltime; none is killed for it.`],
  };
}

function delayMicros(profiles: Json, name: unknown, field: string, known: Map<string, number>): number {
  if (typeof name !== 'string' || profiles[name] === undefined)
    throw malformed(`there is no profile ${JSON.stringify(name)}`, field);
  const before = known.get(name);
  if (before !== undefined) return before;
  const profile = asObject(profiles[name], `profiles.${name}`);
  if (profile.type !== 'delay') {
    const detail = `the profile is of type ${JSON.stringify(profile.type)}; only "delay" is read`;
    throw new SiraError(
      'SIRA_TRACE_MALFORMED',
      detail,
      { field },
      'Give the job a delay profile: other types need a model of the platform.',
    );
  }
  const micros = Math.round(jsonNumber(profile.delay, 0, { field: `profiles.${name}.delay` }) * microsPerSecond);
  known.set(name, micros);
  return micros;
}

function asObject(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('an object is needed', field);
  return value as Json;
}

function malformed(detail: string, field: string): SiraError {
  return new SiraError('SIRA_TRACE_MALFORMED', detail, { field });
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = new LineCounter();
    const first = parseDocument(text, { lineCounter: lines }).errors[0];
    const line = first === undefined ? undefined : lines.linePos(first.pos[0]).line;
    throw new SiraError('SIRA_TRACE_MALFORMED', `the file is not valid JSON: ${(error as Error).message}`, {
      file,
      line,
    });
  }
}

/** The 1-based line of the field, or of the nearest part that holds it. JSON is YAML, whose parser keeps positions. */
function lineOf(text: string, field: string): number | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const dot = field.startsWith('profiles.') ? [field.slice(9).replace(/\.delay$/, '')] : field.split('.').slice(1);
  const path: (string | number)[] = [field.split('.', 1)[0] as string, ...dot];
  for (; path.length > 0; path.pop()) {
    const steps = path.map((step) => (/^\d+$/.test(String(step)) ? Number(step) : step));
    const node = document.getIn(steps, true) as { range?: readonly number[] } | undefined;
    if (node?.range !== undefined) return lines.linePos(node.range[0] as number).line;
  }
  return undefined;
}
