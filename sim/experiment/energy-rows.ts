// Energy of simulated machines as rows of telemetry: what each took since the sample before, idling, asleep, waking, and in all. What
// tasks took is told with their results.

import type { RowSink } from '../../core/telemetry/rows.ts';
import type { EnergyAccount } from '../world/power/machine-meter.ts';

const microsPerSecond = 1_000_000;

export interface MeteredPlant {
  /** By machine, since the world began. */
  readAccounts(): readonly EnergyAccount[];
}

export class EnergyRows {
  private readonly run: string;
  private readonly sink: RowSink;
  private readonly machineNames: readonly string[];
  private before: readonly EnergyAccount[] = [];
  private beforeMicros = 0;

  constructor(run: string, sink: RowSink, machineNames: readonly string[]) {
    this.run = run;
    this.sink = sink;
    this.machineNames = machineNames;
  }

  sample(plant: MeteredPlant, nowMicros: number): void {
    if (nowMicros <= this.beforeMicros) return;
    const seconds = (nowMicros - this.beforeMicros) / microsPerSecond;
    const accounts = plant.readAccounts();
    accounts.forEach((account, machine) => {
      const before = this.before[machine];
      const agent = this.machineNames[machine] ?? `${machine}`;
      const idle = account.idleJoules - (before?.idleJoules ?? 0);
      const sleep = account.sleepJoules - (before?.sleepJoules ?? 0);
      const wake = account.wakeJoules - (before?.wakeJoules ?? 0);
      const work = account.workJoules - (before?.workJoules ?? 0);
      this.add(agent, 'idle', idle, seconds, nowMicros);
      this.add(agent, 'sleep', sleep, seconds, nowMicros);
      this.add(agent, 'wake', wake, seconds, nowMicros);
      this.add(agent, 'machine', idle + sleep + wake + work, seconds, nowMicros);
    });
    this.before = accounts;
    this.beforeMicros = nowMicros;
  }

  private add(agent: string, source: string, joules: number, seconds: number, time: number): void {
    if (joules === 0) return;
    const watts = joules / seconds;
    this.sink.add('energy', { time, run: this.run, agent, source, attempt: 0, joules, watts, seconds });
  }
}
