// Reads anybody's CSV by a column map: the scenario says which column is what, and in which unit times are. Columns that are
// not mapped ask for nothing. How to write the map stands in the README, "Bring your own trace".

import { SiraError } from '../../core/base/errors.ts';
import { microsPerMilli, microsPerSecond } from '../../core/base/time.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { type CsvRow, readCsvRows } from './csv-rows.ts';
import { describeCounted } from './describe.ts';
import type { CsvColumns, WorkloadSource } from './spec.ts';
import { RequestInterner, splitModels, type Trace, type TraceTask } from './trace.ts';

const unitMicros = { s: microsPerSecond, ms: microsPerMilli, us: 1 } as const;

/** The tasks in the file's order. Throws `SIRA_FILE_MISSING` and `SIRA_TRACE_MALFORMED`. */
export function readCsvTasks(source: WorkloadSource & { readonly format: 'csv' }): Trace {
  const { file, columns } = source;
  const { timeUnit, ...named } = columns;
  const required = Object.values(named).filter((name) => name !== undefined);
  const unit = unitMicros[timeUnit];
  const requests = new RequestInterner();
  const tasks: TraceTask[] = [];
  let widened = 0;
  readCsvRows(file, required, (row) => {
    const { request, asked } = readRequest(row, columns);
    if (asked !== request.gpuMilli) widened++;
    tasks.push({
      name: columns.name === undefined ? `row-${row.line}` : row.text(columns.name),
      // Any zero of time will do, the start of the stream is set to the first arrival.
      arrivalMicros: Math.round(row.number(columns.arrival, Number.NEGATIVE_INFINITY) * unit),
      request: requests.intern(request),
      durationMicros: Math.round(row.number(columns.duration, 0) * unit),
      estimateMicros: readEstimate(row, columns.estimate, unit),
      priority: columns.priority === undefined ? 0 : row.number(columns.priority, Number.NEGATIVE_INFINITY),
      tenant: (columns.tenant === undefined ? '' : row.text(columns.tenant)) || 'default',
      ...(columns.taskClass === undefined ? {} : { taskClass: row.text(columns.taskClass) }),
      checkpointMicros:
        columns.checkpoint === undefined ? undefined : Math.round(optional(row, columns.checkpoint, 0) * unit),
      gang: readGang(row, columns),
    });
  });
  const notes =
    widened === 0
      ? []
      : [`${describeCounted(widened, 'row')} with shares of several GPUs: whole ones are asked for instead.`];
  return { tasks, notes };
}

/** An empty field or −1 is unknown. */
function readEstimate(row: CsvRow, column: string | undefined, unit: number): number | undefined {
  if (column === undefined || row.text(column) === '' || row.text(column) === '-1') return undefined;
  return Math.round(row.number(column, 0) * unit);
}

/** An empty name is no gang; the size is a whole number from 1. */
function readGang(row: CsvRow, columns: CsvColumns): TraceTask['gang'] {
  if (columns.gang === undefined || columns.gangSize === undefined) return undefined;
  const name = row.text(columns.gang);
  return name === '' ? undefined : { name, size: row.integer(columns.gangSize, 1) };
}

function readRequest(row: CsvRow, columns: CsvColumns): { readonly request: ResourceRequest; readonly asked: number } {
  const gpus = readGpus(row, columns);
  const request: ResourceRequest = {
    cpuMilli: readCpuMilli(row, columns),
    memoryMib: optional(row, columns.memoryMib, 0),
    gpuCount: gpus.count,
    gpuMilli: gpus.count > 1 ? 1000 : gpus.milli,
    gpuModels: gpus.count === 0 || columns.gpuModels === undefined ? [] : splitModels(row.text(columns.gpuModels)),
    machineCount: columns.machineCount === undefined ? 1 : row.integer(columns.machineCount, 1),
  };
  return { request, asked: gpus.milli };
}

function readCpuMilli(row: CsvRow, columns: CsvColumns): number {
  if (columns.cpuMilli !== undefined) return optional(row, columns.cpuMilli, 0);
  return Math.round(optional(row, columns.cpuCores, 0) * 1000);
}

/** A count below 1, as some traces have it, is a share of one GPU. */
function readGpus(row: CsvRow, columns: CsvColumns): { readonly count: number; readonly milli: number } {
  const milli = columns.gpuMilli === undefined ? undefined : optional(row, columns.gpuMilli, 0);
  if (milli !== undefined && (milli > 1000 || !Number.isSafeInteger(milli))) {
    const detail = `${milli} is not a whole number of thousandths of one GPU, 0 to 1000`;
    throw new SiraError('SIRA_TRACE_MALFORMED', detail, row.place(columns.gpuMilli as string));
  }
  const count =
    columns.gpuCount === undefined ? (milli === undefined || milli === 0 ? 0 : 1) : optional(row, columns.gpuCount, 0);
  if (count === 0) return { count: 0, milli: 0 };
  if (count < 1 && milli === undefined) return { count: 1, milli: Math.max(1, Math.round(count * 1000)) };
  if (!Number.isSafeInteger(count)) {
    throw new SiraError(
      'SIRA_TRACE_MALFORMED',
      `${count} is not a whole number of GPUs`,
      row.place(columns.gpuCount as string),
    );
  }
  // A count without a share, where the file has a column for it, asks for whole GPUs.
  return { count, milli: milli === undefined || milli === 0 ? 1000 : milli };
}

/** The column's number, or `fallback` if it is not mapped or the field is empty. */
function optional(row: CsvRow, column: string | undefined, fallback: number): number {
  return column === undefined || row.text(column) === '' ? fallback : row.number(column, 0);
}
