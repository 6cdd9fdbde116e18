// The fleet over time: one sample a second, the latest quarter of an hour, for the console's charts and for whoever has no
// Prometheus. Waiting and placed tasks, ends by outcome and decisions since the sample before, resources in use.

import { RingBuffer } from '../../base/ring-buffer.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { Activity } from './activity.ts';
import { placedCount } from './views.ts';

export const samplesKept = 900;
export const sampleIntervalMillis = 1000;

export interface Sample {
  readonly timeMicros: number;
  readonly waiting: number;
  readonly placed: number;
  readonly agentsReady: number;
  readonly agentsAlive: number;
  /** Shares of what living agents have, 0…1. */
  readonly cpuUsed: number;
  readonly memoryUsed: number;
  readonly gpuUsed: number;
  /** Since the sample before. */
  readonly decisions: number;
  readonly completed: number;
  /** Failed, dropped and cancelled. */
  readonly lost: number;
}

export class Samples {
  readonly kept = new RingBuffer<Sample>(samplesKept);
  private readonly live: LiveKernel;
  private readonly activity: Activity;
  private readonly timer: NodeJS.Timeout;
  private readonly listeners = new Set<(sample: Sample) => void>();
  private decisions = 0;
  private completed = 0;
  private lost = 0;

  constructor(live: LiveKernel, activity: Activity) {
    this.live = live;
    this.activity = activity;
    activity.listen(({ kind, data }) => {
      if (kind === 'decision') this.decisions++;
      const { state, outcome } = data as { state?: string; outcome?: string };
      if (kind !== 'task' || state !== 'ended') return;
      if (outcome === 'completed') this.completed++;
      else this.lost++;
    });
    this.timer = setInterval(() => this.take(), sampleIntervalMillis);
  }

  close(): void {
    clearInterval(this.timer);
  }

  listen(listener: (sample: Sample) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take(): void {
    this.activity.sweep();
    const { registry, scheduler } = this.live.kernel.control;
    const { cluster } = scheduler;
    const total = { cpu: 0, cpuFree: 0, memory: 0, memoryFree: 0, gpu: 0, gpuFree: 0 };
    let agentsReady = 0;
    let agentsAlive = 0;
    for (let row = 0; row < cluster.machineCount; row++) {
      if (registry.takesWork(row)) agentsReady++;
      if (registry.state(row) === 'dead') continue;
      agentsAlive++;
      total.cpu += cluster.cpuCapacityMilli[row] as number;
      total.cpuFree += cluster.cpuFreeMilli[row] as number;
      total.memory += cluster.memoryCapacityMib[row] as number;
      total.memoryFree += cluster.memoryFreeMib[row] as number;
      total.gpu += (cluster.gpuCount[row] as number) * 1000;
      total.gpuFree += cluster.gpuFreeMilli[row] as number;
    }
    const sample: Sample = {
      timeMicros: this.live.now(),
      waiting: scheduler.queueLength,
      placed: placedCount(this.live),
      agentsReady,
      agentsAlive,
      cpuUsed: used(total.cpu, total.cpuFree),
      memoryUsed: used(total.memory, total.memoryFree),
      gpuUsed: used(total.gpu, total.gpuFree),
      decisions: this.decisions,
      completed: this.completed,
      lost: this.lost,
    };
    this.decisions = 0;
    this.completed = 0;
    this.lost = 0;
    if (this.kept.isFull) this.kept.shift();
    this.kept.push(sample);
    for (const listener of this.listeners) listener(sample);
  }
}

function used(total: number, free: number): number {
  return total === 0 ? 0 : Math.min(1, Math.max(0, 1 - free / total));
}
