// A trace as read: the tasks that somebody recorded or wrote down, before durations are bounded, arrivals rescaled and
// estimates made. Its length is the file's; endless streams are made from it later.

import type { GangReference } from '../../core/scheduler/gangs.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';

export interface TraceTask {
  readonly name: string;
  /** Whole microseconds since a start of the trace's own. */
  readonly arrivalMicros: number;
  /** Shared between tasks that ask for the same. */
  readonly request: ResourceRequest;
  /** Whole microseconds of run time, 0 if it never ran. */
  readonly durationMicros: number;
  /** What the submitter said the run time would be, whole microseconds; `undefined` if the trace does not tell. */
  readonly estimateMicros: number | undefined;
  readonly priority: number;
  readonly tenant: string;
  /** None if the trace does not tell. */
  readonly taskClass?: string | undefined;
  readonly checkpointMicros?: number | undefined;
  readonly gang?: GangReference | undefined;
}

export interface Trace {
  /** In the file's order. */
  readonly tasks: readonly TraceTask[];
  /** What the reader skipped, mended or assumed; one sentence each. */
  readonly notes: readonly string[];
}

/** Shares one object between equal requests, so that a million tasks hold a few hundred of them. */
export class RequestInterner {
  private readonly known = new Map<string, ResourceRequest>();

  intern(request: ResourceRequest): ResourceRequest {
    const { cpuMilli, memoryMib, gpuCount, gpuMilli, gpuModels, machineCount } = request;
    const key = `${cpuMilli} ${memoryMib} ${gpuCount} ${gpuMilli} ${machineCount} ${gpuModels.join('|')}`;
    const shared = this.known.get(key);
    if (shared !== undefined) return shared;
    this.known.set(key, request);
    return request;
  }
}

/** The alternatives of `A|B`; none for the empty text. */
export function splitModels(text: string): readonly string[] {
  return text === '' ? [] : text.split('|').map((name) => name.trim());
}
