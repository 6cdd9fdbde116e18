// The promise: what physically runs on a machine never exceeds its CPU, its memory, or a device's thousand thousandths, and
// runs only on machines and devices that its request allows. Judged by the work itself, not by the kernel's books.

import { deviceCountMax } from '../../core/scheduler/cluster-state.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { PhysicalWork, PhysicalWorkListener } from './physical-work.ts';
import type { Fail } from './violation.ts';

export class CapacityOracle implements WorldObserver, PhysicalWorkListener {
  private readonly specs: readonly MachineSpec[];
  private readonly fail: Fail;
  private readonly cpuMilli: Float64Array;
  private readonly memoryMib: Float64Array;
  private readonly deviceMilli: Int32Array;
  /** By submission; workloads share request objects between tasks. */
  private readonly requests: (ResourceRequest | undefined)[] = [undefined];

  constructor(specs: readonly MachineSpec[], fail: Fail) {
    this.specs = specs;
    this.fail = fail;
    this.cpuMilli = new Float64Array(specs.length);
    this.memoryMib = new Float64Array(specs.length);
    this.deviceMilli = new Int32Array(specs.length * deviceCountMax);
  }

  taskArrived(submission: number, task: WorkloadTask): void {
    this.requests[submission] = task.request;
  }

  begun(work: PhysicalWork, nowMicros: number): void {
    const { machines, dispatch } = work;
    const request = this.requests[dispatch.submission];
    if (request === undefined) this.broken('work begins that nobody submitted', work, nowMicros);
    if (machines.length !== request.machineCount || dispatch.deviceMasks.length !== machines.length) {
      this.broken(`work that asks for ${request.machineCount} machines begins on ${machines.length}`, work, nowMicros);
    }
    for (let position = 0; position < machines.length; position++) {
      const machine = machines[position] as number;
      const spec = this.specs[machine];
      if (spec === undefined) this.broken('work begins on a machine that does not exist', work, nowMicros);
      if (machines.indexOf(machine) !== position) this.broken(`work spans ${spec.name} twice`, work, nowMicros);
      const cpuMilli = (this.cpuMilli[machine] as number) + request.cpuMilli;
      const memoryMib = (this.memoryMib[machine] as number) + request.memoryMib;
      if (cpuMilli > spec.cpuMilli)
        this.broken(`${cpuMilli} of ${spec.cpuMilli} CPU milli run on ${spec.name}`, work, nowMicros);
      if (memoryMib > spec.memoryMib)
        this.broken(`${memoryMib} of ${spec.memoryMib} MiB run on ${spec.name}`, work, nowMicros);
      this.cpuMilli[machine] = cpuMilli;
      this.memoryMib[machine] = memoryMib;
      this.takeDevices(work, request, spec, machine, dispatch.deviceMasks[position] as number, nowMicros);
    }
  }

  gone(work: PhysicalWork): void {
    const { machines, dispatch } = work;
    const request = this.requests[dispatch.submission] as ResourceRequest;
    for (let position = 0; position < machines.length; position++) {
      const machine = machines[position] as number;
      this.cpuMilli[machine] = (this.cpuMilli[machine] as number) - request.cpuMilli;
      this.memoryMib[machine] = (this.memoryMib[machine] as number) - request.memoryMib;
      let mask = dispatch.deviceMasks[position] as number;
      for (let device = machine * deviceCountMax; mask !== 0; mask >>>= 1, device++) {
        if ((mask & 1) !== 0) this.deviceMilli[device] = (this.deviceMilli[device] as number) - request.gpuMilli;
      }
    }
  }

  private takeDevices(
    work: PhysicalWork,
    request: ResourceRequest,
    spec: MachineSpec,
    machine: number,
    mask: number,
    nowMicros: number,
  ): void {
    let taken = 0;
    for (let rest = mask, device = 0; rest !== 0; rest >>>= 1, device++) {
      if ((rest & 1) === 0) continue;
      taken++;
      if (device >= spec.gpuCount)
        this.broken(`device ${device} of the ${spec.gpuCount} of ${spec.name} is taken`, work, nowMicros);
      const index = machine * deviceCountMax + device;
      const milli = (this.deviceMilli[index] as number) + request.gpuMilli;
      if (milli > 1000) this.broken(`${milli} of 1000 milli run on device ${device} of ${spec.name}`, work, nowMicros);
      this.deviceMilli[index] = milli;
    }
    if (taken !== request.gpuCount)
      this.broken(`work that asks for ${request.gpuCount} devices got ${taken} on ${spec.name}`, work, nowMicros);
    if (taken > 0 && request.gpuModels.length > 0 && !request.gpuModels.includes(spec.gpuModel)) {
      this.broken(
        `work that asks for ${request.gpuModels.join(' or ')} runs on ${spec.gpuModel} of ${spec.name}`,
        work,
        nowMicros,
      );
    }
  }

  private broken(what: string, { dispatch }: PhysicalWork, nowMicros: number): never {
    this.fail('capacity', what, nowMicros, dispatch);
  }
}
