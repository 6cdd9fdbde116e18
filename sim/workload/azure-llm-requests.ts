// Reads Microsoft's Azure LLM inference traces (Patel et al., Splitwise, ISCA 2024): `TIMESTAMP,ContextTokens,GeneratedTokens`.
// A request becomes a task on a share of one GPU; its run time is prompt tokens over the speed of reading them plus output
// tokens over the speed of making them, so batching inside a model server is not modelled.

import { SiraError } from '../../core/base/errors.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { readCsvRows } from './csv-rows.ts';
import type { WorkloadSource } from './spec.ts';
import { parseTimestampMicros } from './timestamp.ts';
import type { Trace, TraceTask } from './trace.ts';

/** The requests in the file's order. Throws `SIRA_FILE_MISSING` and `SIRA_TRACE_MALFORMED`. */
export function readAzureLlmRequests(source: WorkloadSource & { readonly format: 'azure-llm' }): Trace {
  const request: ResourceRequest = {
    cpuMilli: 0,
    memoryMib: source.memoryMib,
    gpuCount: 1,
    gpuMilli: source.gpuMilli,
    gpuModels: [],
    machineCount: 1,
  };
  const tasks: TraceTask[] = [];
  readCsvRows(source.file, ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'], (row) => {
    const text = row.text('TIMESTAMP');
    const arrivalMicros = parseTimestampMicros(text);
    if (arrivalMicros === undefined) {
      const detail = `"${text}" is not a time such as 2023-11-16 18:17:03.98`;
      throw new SiraError('SIRA_TRACE_MALFORMED', detail, row.place('TIMESTAMP'));
    }
    const seconds =
      row.integer('ContextTokens', 0) / source.promptTokensPerSecond +
      row.integer('GeneratedTokens', 0) / source.outputTokensPerSecond;
    tasks.push({
      name: `request-${tasks.length + 1}`,
      arrivalMicros,
      request,
      durationMicros: Math.round(seconds * microsPerSecond),
      estimateMicros: undefined,
      priority: 0,
      tenant: 'default',
    });
  });
  const note =
    `Run times are made from tokens: ${source.promptTokensPerSecond} prompt and ${source.outputTokensPerSecond} output tokens ` +
    `a second on ${source.gpuMilli} thousandths of a GPU.`;
  return { tasks, notes: [note] };
}
