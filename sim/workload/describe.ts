// Words for the notes of a report: what a request asks for, and numbers as people read them.

import type { ResourceRequest } from '../../core/scheduler/request.ts';

/** `8 whole GPUs (G2 or T4), 120 CPUs, 720 GiB`; `16 machines of 1 CPU`. */
export function describeRequest(request: ResourceRequest): string {
  const parts: string[] = [];
  if (request.gpuCount > 0) {
    const share =
      request.gpuMilli === 1000
        ? `${request.gpuCount} whole`
        : `${request.gpuMilli} thousandths of ${request.gpuCount}`;
    const models = request.gpuModels.length === 0 ? '' : ` (${request.gpuModels.join(' or ')})`;
    parts.push(`${share} ${request.gpuCount === 1 ? 'GPU' : 'GPUs'}${models}`);
  }
  if (request.cpuMilli > 0) parts.push(`${request.cpuMilli / 1000} ${request.cpuMilli === 1000 ? 'CPU' : 'CPUs'}`);
  if (request.memoryMib > 0) parts.push(`${Number((request.memoryMib / 1024).toPrecision(4))} GiB`);
  const each = parts.length === 0 ? 'nothing' : parts.join(', ');
  return request.machineCount === 1 ? each : `${request.machineCount} machines of ${each}`;
}

/** A count with its digits in groups: `159,000`. */
export function describeCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 job`, `12,000 jobs`. */
export function describeCounted(count: number, noun: string): string {
  return `${describeCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
