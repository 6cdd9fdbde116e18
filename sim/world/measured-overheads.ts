// A calibration at work in a world: it draws for each attempt the times that messages and agents take beyond its service, and keeps how
// much work runs on each host. All draws are from a stream of its own, so that nothing else of the run changes.

import { RandomStream } from '../../core/base/random.ts';
import type { AgentMessage } from '../../core/client/agent-client.ts';
import type { Dispatch } from '../../core/kernel/effects.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import { atShare, type Calibration, drawOf, type MeasuredTrips } from './calibration.ts';

interface Trip {
  readonly machine: number;
  readonly outMicros: number;
  readonly acceptMicros: number;
  readonly totalMicros: number;
  /** The agent did something else when it was dispatched. */
  readonly isBehind: boolean;
  /** Of the total, what passed before the work. */
  spentMicros: number;
}

export class MeasuredOverheads {
  readonly lanes: number;
  private readonly calibration: Calibration;
  private readonly random: RandomStream;
  /** Service has a stream of its own: it is the same whatever the policy. */
  private readonly serviceRandom: RandomStream;
  private readonly trips = new Map<number, Trip>();
  /** Attempts that each machine has, and work that each host runs. */
  private readonly held: number[];
  private readonly running: number[];
  private readonly hostOf: readonly number[];
  private readonly machinesOf: readonly (readonly number[])[];

  constructor(calibration: Calibration, machines: readonly MachineSpec[], seed: number) {
    this.calibration = calibration;
    this.lanes = calibration.lanes;
    this.random = new RandomStream(seed, 'overheads');
    this.serviceRandom = new RandomStream(seed, 'measured service');
    const hosts = new Map<string, number[]>();
    machines.forEach(({ name, host }, index) => {
      const key = host === undefined ? `machine ${name}` : `host ${host}`;
      const group = hosts.get(key);
      if (group === undefined) hosts.set(key, [index]);
      else group.push(index);
    });
    this.machinesOf = [...hosts.values()];
    const hostOf: number[] = [];
    this.machinesOf.forEach((group, host) => {
      for (const machine of group) hostOf[machine] = host;
    });
    this.hostOf = hostOf;
    this.held = machines.map(() => 0);
    this.running = this.machinesOf.map(() => 0);
  }

  /** What a task truly takes with nothing beside it. */
  trueMicros(task: WorkloadTask): number {
    const measured = this.calibration.service[task.taskClass ?? ''];
    if (measured === undefined || task.durationMicros === Number.POSITIVE_INFINITY) return task.durationMicros;
    return Math.max(1, Math.round(task.durationMicros * drawOf(measured.ratio, this.serviceRandom)));
  }

  /** From the kernel's decision until the agent has the dispatch. */
  dispatchMicros(machine: number, { attempt }: Dispatch): number {
    const known = this.trips.get(attempt);
    if (known !== undefined) return known.outMicros;
    const { trips } = this.calibration;
    const held = this.held[machine] as number;
    const measured: MeasuredTrips | undefined = trips[Math.min(held, trips.length - 1)];
    if (measured === undefined) return 0;
    // One draw for both: a slow agent is slow to accept and slow to report.
    const share = this.random.nextFloat();
    const isBehind = this.lanes > 0 && held >= this.lanes;
    const roundMicros = atShare(measured.acceptMicros, share);
    const outMicros = isBehind ? 0 : Math.round(roundMicros / 2);
    const totalMicros = Math.round(atShare(measured.totalMicros, share));
    const acceptMicros = isBehind ? 0 : Math.round(roundMicros) - outMicros;
    this.trips.set(attempt, { machine, outMicros, acceptMicros, totalMicros, isBehind, spentMicros: outMicros });
    this.held[machine]!++;
    return outMicros;
  }

  /** An agent that had other work to end spends all of the overhead before it begins. */
  setUpMicros(attempt: number): number {
    const trip = this.trips.get(attempt);
    if (trip === undefined || !trip.isBehind) return 0;
    const micros = Math.max(0, trip.totalMicros - trip.spentMicros);
    trip.spentMicros += micros;
    return micros;
  }

  /** From when an agent has something to say until the kernel has it. */
  saidMicros(message: AgentMessage): number {
    if (message.kind !== 'dispatchAccepted' && message.kind !== 'taskFinished') return 0;
    const trip = this.trips.get(message.attempt);
    if (trip === undefined) return 0;
    if (message.kind === 'dispatchAccepted') return trip.acceptMicros;
    return Math.max(0, trip.totalMicros - trip.spentMicros);
  }

  /** The kernel has the result, or wants the work no longer. */
  forgotten({ attempt }: { readonly attempt: number }): void {
    const trip = this.trips.get(attempt);
    if (trip === undefined) return;
    this.trips.delete(attempt);
    this.held[trip.machine]!--;
  }

  /** A machine has crashed. */
  lost(machine: number): void {
    for (const [attempt, trip] of this.trips) if (trip.machine === machine) this.forgotten({ attempt });
  }

  /** Work has begun on these machines: the paces that change. */
  begun(machines: readonly number[]): readonly (readonly [machine: number, pace: number])[] {
    return this.count(machines, 1);
  }

  ended(machines: readonly number[]): readonly (readonly [machine: number, pace: number])[] {
    return this.count(machines, -1);
  }

  private count(machines: readonly number[], change: number): (readonly [number, number])[] {
    const paces: (readonly [number, number])[] = [];
    const { contention } = this.calibration;
    for (const machine of machines) {
      const host = this.hostOf[machine] as number;
      this.running[host]! += change;
      const others = Math.max(0, (this.running[host] as number) - 1);
      const pace = contention[Math.min(others, contention.length - 1)] ?? 1;
      for (const neighbour of this.machinesOf[host] as readonly number[]) paces.push([neighbour, pace]);
    }
    return paces;
  }
}
