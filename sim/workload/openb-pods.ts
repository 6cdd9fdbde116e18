// Reads the pod lists of Alibaba's openb trace (2023): `name,cpu_milli,memory_mib,num_gpu,gpu_milli` and, but for the
// multigpu lists, `gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time` in seconds. The run time is deletion −
// scheduled; a pod that was never scheduled ran for zero time.

import { SiraError } from '../../core/base/errors.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import { type CsvRow, readCsvRows } from './csv-rows.ts';
import { describeCount } from './describe.ts';
import { RequestInterner, splitModels, type Trace, type TraceTask } from './trace.ts';

/** The pods in the file's order. Throws `SIRA_FILE_MISSING` and `SIRA_TRACE_MALFORMED`. */
export function readOpenbPods(file: string): Trace {
  const tasks: TraceTask[] = [];
  const requests = new RequestInterner();
  let neverScheduled = 0;
  let timed = true;
  readCsvRows(file, ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'], (row) => {
    timed = row.has('scheduled_time') && row.has('deletion_time') && row.has('creation_time');
    let durationMicros = 0;
    if (timed) {
      if (row.text('scheduled_time') === '') neverScheduled++;
      else durationMicros = runTimeMicros(row);
    }
    const gpuCount = row.integer('num_gpu', 0);
    tasks.push({
      name: row.text('name'),
      arrivalMicros: timed ? Math.round(row.number('creation_time', 0) * microsPerSecond) : 0,
      request: requests.intern({
        cpuMilli: row.integer('cpu_milli', 0),
        memoryMib: row.integer('memory_mib', 0),
        gpuCount,
        gpuMilli: gpuCount === 0 ? 0 : gpuMilliOf(row, gpuCount),
        gpuModels: gpuCount === 0 ? [] : splitModels(row.text('gpu_spec')),
        machineCount: 1,
      }),
      durationMicros,
      estimateMicros: undefined,
      priority: 0,
      tenant: 'default',
    });
  });
  const notes: string[] = [];
  if (!timed) notes.push('The pod list has no times: every pod arrives at 0 and runs for the shortest duration.');
  if (neverScheduled > 0) {
    notes.push(
      `${describeCount(neverScheduled)} of ${describeCount(tasks.length)} pods were never scheduled; they run for the shortest duration.`,
    );
  }
  return { tasks, notes };
}

function runTimeMicros(row: CsvRow): number {
  const scheduled = row.number('scheduled_time', 0);
  const deleted = row.number('deletion_time', 0);
  if (deleted < scheduled) {
    const detail = `the pod was deleted at ${deleted}, before it was scheduled at ${scheduled}`;
    throw new SiraError('SIRA_TRACE_MALFORMED', detail, row.place('deletion_time'));
  }
  return Math.round((deleted - scheduled) * microsPerSecond);
}

function gpuMilliOf(row: CsvRow, gpuCount: number): number {
  const gpuMilli = row.integer('gpu_milli', 1);
  if (gpuMilli > 1000) {
    throw new SiraError('SIRA_TRACE_MALFORMED', `${gpuMilli} is more than 1000, a whole GPU`, row.place('gpu_milli'));
  }
  return gpuCount > 1 ? 1000 : gpuMilli;
}
