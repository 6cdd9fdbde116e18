// Reads the Standard Workload Format of the Parallel Workloads Archive (Chapin et al., JSSPP 1999): 18 fields a line, comments
// after `;`, −1 for unknown. Every processor is taken for a machine of one CPU, so a job spans as many machines as it needs.
// As in RLScheduler's published table (Zhang et al., SC 2020), processors are the larger of allocated and requested, an unknown
// requested time is the run time, jobs come by job number, and jobs that ran for no time are no jobs at all.

import { type ErrorPlace, SiraError } from '../../core/base/errors.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import { describeCount, describeCounted } from './describe.ts';
import { fieldInteger, fieldNumber } from './field-number.ts';
import { RequestInterner, type Trace, type TraceTask } from './trace.ts';
import { readTraceFile } from './trace-file.ts';

const fieldNames = [
  'job number',
  'submit time',
  'wait time',
  'run time',
  'allocated processors',
  'average CPU time',
  'used memory',
];
const requestedProcessors = 7;
const requestedTime = 8;
const userNumber = 11;
const fieldCount = 18;

export interface SwfWindow {
  readonly file: string;
  readonly firstJob: number;
  readonly jobCount: number;
}

interface Job extends TraceTask {
  readonly number: number;
}

/**
 * The jobs of the window by job number: `firstJob` counts from 1 over the jobs that ran, `jobCount` 0 takes all that follow.
 * Throws `SIRA_FILE_MISSING`, `SIRA_TRACE_MALFORMED`, and `SIRA_SCENARIO_INVALID` if the window begins after the last job.
 */
export function readSwfJobs(source: SwfWindow): Trace {
  const { file, firstJob, jobCount } = source;
  const requests = new RequestInterner();
  const jobs: Job[] = [];
  let without = 0;
  for (const [index, text] of readTraceFile(file).split('\n').entries()) {
    const content = text.split(';', 1)[0]?.trim() ?? '';
    if (content === '') continue;
    const job = readJob(content.split(/\s+/), { file, line: index + 1 }, requests);
    if (job === undefined) without++;
    else jobs.push(job);
  }
  jobs.sort((a, b) => a.number - b.number);

  const notes: string[] = [];
  if (without > 0) notes.push(`${describeCounted(without, 'job')} without run time or processors left out.`);
  const window = jobCount === 0 ? jobs.slice(firstJob - 1) : jobs.slice(firstJob - 1, firstJob - 1 + jobCount);
  if (window.length === 0 && jobs.length > 0) {
    const detail = `the window begins at job ${firstJob}, but the trace has ${jobs.length}`;
    throw new SiraError('SIRA_SCENARIO_INVALID', detail, { field: 'workload.firstJob' }, 'Begin the window earlier.');
  }
  if (window.length < jobs.length)
    notes.push(
      `A window of ${describeCount(window.length)} jobs from job ${firstJob} of ${describeCount(jobs.length)}.`,
    );
  if (window.length < jobCount)
    notes.push(`The trace ends ${describeCounted(jobCount - window.length, 'job')} before the window does.`);
  return { tasks: window, notes };
}

function readJob(fields: readonly string[], line: ErrorPlace, requests: RequestInterner): Job | undefined {
  if (fields.length !== fieldCount) {
    throw new SiraError('SIRA_TRACE_MALFORMED', `the line has ${fields.length} fields, SWF has ${fieldCount}`, line);
  }
  const place = (index: number, name = fieldNames[index] as string): ErrorPlace => ({
    ...line,
    field: `${index + 1} (${name})`,
  });
  const number = fieldInteger(fields[0] as string, 0, place(0));
  const submitSeconds = fieldNumber(fields[1] as string, 0, place(1));
  const runSeconds = fieldNumber(fields[3] as string, -1, place(3));
  const allocated = fieldInteger(fields[4] as string, -1, place(4));
  const requested = fieldInteger(
    fields[requestedProcessors] as string,
    -1,
    place(requestedProcessors, 'requested processors'),
  );
  const requestedSeconds = fieldNumber(fields[requestedTime] as string, -1, place(requestedTime, 'requested time'));
  const processors = Math.max(allocated, requested);
  if (runSeconds <= 0 || processors <= 0) return undefined;
  const user = fields[userNumber] as string;
  return {
    number,
    name: String(number),
    arrivalMicros: Math.round(submitSeconds * microsPerSecond),
    request: requests.intern({
      cpuMilli: 1000,
      memoryMib: 0,
      gpuCount: 0,
      gpuMilli: 0,
      gpuModels: [],
      machineCount: processors,
    }),
    durationMicros: Math.round(runSeconds * microsPerSecond),
    // 0 seconds cannot be an estimate of a job that ran; it is as unknown as −1.
    estimateMicros: Math.round((requestedSeconds > 0 ? requestedSeconds : runSeconds) * microsPerSecond),
    priority: 0,
    tenant: user === '-1' ? 'default' : `user-${user}`,
  };
}
