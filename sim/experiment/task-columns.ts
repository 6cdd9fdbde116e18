// One row a task of the workload, in columns that grow: what happened to it, for metrics, files and explanations. About 90
// bytes a task, none of them in the garbage-collected heap, so that a million tasks fit.

import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { TextColumn } from './text-column.ts';

/** Outcome codes in the `outcome` column. */
export const outcomeNames = ['unfinished', 'completed', 'failed', 'dropped', 'cancelled', 'refused'] as const;

export class TaskColumns {
  count = 0;
  arrivalMicros = new Float64Array(1024);
  /** First start of work, −1 if there was none. */
  startMicros = new Float64Array(1024);
  endMicros = new Float64Array(1024);
  /** True run time on a machine of speed 1. */
  durationMicros = new Float64Array(1024);
  estimateMicros = new Float64Array(1024);
  /** Leading machine of the last start, the world's index, −1 for none. */
  machine = new Int32Array(1024);
  attempts = new Int32Array(1024);
  priority = new Int32Array(1024);
  /** Index into `tenants`. */
  tenant = new Int32Array(1024);
  /** 1 for the members of gangs. */
  ofGang = new Uint8Array(1024);
  outcome = new Uint8Array(1024);
  /** 1 while the task waits to be begun, for the first time or again. */
  waiting = new Uint8Array(1024);
  /** Index into `requests`. */
  request = new Int32Array(1024);
  readonly names = new TextColumn();
  readonly requests: ResourceRequest[] = [];
  readonly tenants: string[] = [];
  private readonly requestIndex = new Map<ResourceRequest, number>();
  private readonly tenantIndex = new Map<string, number>();

  add(task: WorkloadTask, nowMicros: number): void {
    if (this.count === this.machine.length) this.grow();
    const row = this.count++;
    let request = this.requestIndex.get(task.request);
    if (request === undefined) {
      request = this.requests.push(task.request) - 1;
      this.requestIndex.set(task.request, request);
    }
    this.arrivalMicros[row] = nowMicros;
    this.startMicros[row] = -1;
    this.endMicros[row] = -1;
    this.durationMicros[row] = task.durationMicros;
    this.estimateMicros[row] = task.estimateMicros;
    this.machine[row] = -1;
    this.request[row] = request;
    this.priority[row] = task.priority;
    this.tenant[row] = this.indexOfTenant(task.tenant);
    this.ofGang[row] = task.gang === undefined ? 0 : 1;
    this.names.push(task.name);
  }

  requestOf(row: number): ResourceRequest {
    return this.requests[this.request[row] as number] as ResourceRequest;
  }

  private indexOfTenant(tenant: string): number {
    const known = this.tenantIndex.get(tenant);
    if (known !== undefined) return known;
    const index = this.tenants.push(tenant) - 1;
    this.tenantIndex.set(tenant, index);
    return index;
  }

  private grow(): void {
    const length = this.machine.length * 2;
    const float = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(length);
      grown.set(old);
      return grown;
    };
    const int = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(length);
      grown.set(old);
      return grown;
    };
    this.arrivalMicros = float(this.arrivalMicros);
    this.startMicros = float(this.startMicros);
    this.endMicros = float(this.endMicros);
    this.durationMicros = float(this.durationMicros);
    this.estimateMicros = float(this.estimateMicros);
    this.machine = int(this.machine);
    this.attempts = int(this.attempts);
    this.request = int(this.request);
    this.priority = int(this.priority);
    this.tenant = int(this.tenant);
    const byte = (old: Uint8Array): Uint8Array<ArrayBuffer> => {
      const grown = new Uint8Array(length);
      grown.set(old);
      return grown;
    };
    this.outcome = byte(this.outcome);
    this.waiting = byte(this.waiting);
    this.ofGang = byte(this.ofGang);
  }
}
