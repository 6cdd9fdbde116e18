// What the machines truly do, integrated over time: GPU and CPU in use, tasks running and waiting. Physical truth, seen from
// the work that begins and ends, not the kernel's opinion.

import type { ResourceRequest } from '../../core/scheduler/request.ts';

/** Integrals since the start of the run, in unit · microseconds. */
export interface UsageIntegrals {
  readonly timeMicros: number;
  readonly gpuMilli: number;
  readonly cpuMilli: number;
  readonly running: number;
  readonly waiting: number;
}

export class Usage {
  gpuMilli = 0;
  cpuMilli = 0;
  running = 0;
  waiting = 0;
  private lastMicros = 0;
  private gpuIntegral = 0;
  private cpuIntegral = 0;
  private runningIntegral = 0;
  private waitingIntegral = 0;

  workStarted(request: ResourceRequest, machines: number, nowMicros: number): void {
    this.advance(nowMicros);
    this.gpuMilli += request.gpuCount * request.gpuMilli * machines;
    this.cpuMilli += request.cpuMilli * machines;
    this.running++;
  }

  workEnded(request: ResourceRequest, machines: number, nowMicros: number): void {
    this.advance(nowMicros);
    this.gpuMilli -= request.gpuCount * request.gpuMilli * machines;
    this.cpuMilli -= request.cpuMilli * machines;
    this.running--;
  }

  /** A task begins (1) or ceases (−1) to wait. */
  changeWaiting(by: 1 | -1, nowMicros: number): void {
    this.advance(nowMicros);
    this.waiting += by;
  }

  at(nowMicros: number): UsageIntegrals {
    this.advance(nowMicros);
    return {
      timeMicros: nowMicros,
      gpuMilli: this.gpuIntegral,
      cpuMilli: this.cpuIntegral,
      running: this.runningIntegral,
      waiting: this.waitingIntegral,
    };
  }

  private advance(nowMicros: number): void {
    const elapsed = nowMicros - this.lastMicros;
    if (elapsed === 0) return;
    this.gpuIntegral += this.gpuMilli * elapsed;
    this.cpuIntegral += this.cpuMilli * elapsed;
    this.runningIntegral += this.running * elapsed;
    this.waitingIntegral += this.waiting * elapsed;
    this.lastMicros = nowMicros;
  }
}
