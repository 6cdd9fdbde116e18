// Samples of agents' load: a row for each agent whose state, capacity or use has changed since its last row, and now and then
// one for every agent, so that a reader need not go back to the beginning. An idle fleet of ten thousand costs one comparison an
// agent.

import type { Kernel } from '../kernel/kernel.ts';
import type { RowSink } from './rows.ts';

/** Every so many samples, all agents are told. */
const samplesPerFullRound = 60;
/** What a row tells, and when it was told. */
const fieldCount = 9;

export class LoadSampler {
  private readonly run: string;
  private readonly sink: RowSink;
  private told = new Float64Array(0);
  private sampleCount = 0;

  constructor(run: string, sink: RowSink) {
    this.run = run;
    this.sink = sink;
  }

  sample(kernel: Kernel, nowMicros: number): void {
    const all = this.sampleCount++ % samplesPerFullRound === 0;
    for (let row = 0; row < kernel.control.scheduler.cluster.machineCount; row++)
      this.tell(kernel, row, all, nowMicros);
  }

  /** One agent's row: `always`, or if it has changed. */
  tell(kernel: Kernel, row: number, always: boolean, nowMicros: number): void {
    const { registry, scheduler } = kernel.control;
    const { cluster } = scheduler;
    this.reach(cluster.machineCount);
    const cpu = cluster.cpuCapacityMilli[row] as number;
    const memory = cluster.memoryCapacityMib[row] as number;
    const gpu = (cluster.gpuCount[row] as number) * 1000;
    const cpuUsed = cpu - (cluster.cpuFreeMilli[row] as number);
    const memoryUsed = memory - (cluster.memoryFreeMib[row] as number);
    const gpuUsed = gpu - (cluster.gpuFreeMilli[row] as number);
    const running = cluster.allocationCount[row] as number;
    const toldMicros = this.told[row * fieldCount + fieldCount - 1];
    // One row for an agent and an instant.
    if (toldMicros === nowMicros) return;
    const changed = this.note(row, [
      registry.stateNumber[row] as number,
      running,
      cpu,
      cpuUsed,
      memory,
      memoryUsed,
      gpu,
      gpuUsed,
    ]);
    if (!changed && !always) return;
    this.told[row * fieldCount + fieldCount - 1] = nowMicros;
    this.sink.add('agent_load', {
      time: nowMicros,
      run: this.run,
      agent: registry.names[row] ?? `${row}`,
      state: registry.state(row),
      running,
      cpu_capacity_milli: cpu,
      cpu_used_milli: cpuUsed,
      memory_capacity_mib: memory,
      memory_used_mib: memoryUsed,
      gpu_capacity_milli: gpu,
      gpu_used_milli: gpuUsed,
    });
  }

  /** True if one of the fields differs from what was told last. */
  private note(row: number, fields: readonly number[]): boolean {
    let changed = false;
    for (let index = 0; index < fields.length; index++) {
      const at = row * fieldCount + index;
      if (this.told[at] === fields[index]) continue;
      this.told[at] = fields[index] as number;
      changed = true;
    }
    return changed;
  }

  private reach(rows: number): void {
    if (rows * fieldCount <= this.told.length) return;
    const grown = new Float64Array(Math.max(64, rows * 2) * fieldCount).fill(Number.NaN);
    grown.set(this.told);
    this.told = grown;
  }
}
