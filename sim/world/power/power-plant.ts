// The power of all machines of a world: their meters, and who sleeps. A machine without work falls asleep after the model's time,
// or when it is told to; work that is given to it wakes it, and begins when it is awake. Its agent stays reachable: a network card
// answers for it, so that leases go on. A crash switches the machine off; what starts again is on.

import { assert } from '../../../core/base/assert.ts';
import type { Dispatch } from '../../../core/kernel/effects.ts';
import type { ResourceRequest } from '../../../core/scheduler/request.ts';
import { eventPriority } from '../../engine/priority.ts';
import type { Simulation } from '../../engine/simulation.ts';
import type { MachineSpec } from '../../workload/workload.ts';
import type { WorkPower } from '../machine-world.ts';
import { type EnergyAccount, MachineMeter, type MeterMark, type PowerState } from './machine-meter.ts';
import { type PowerModel, ratingOf } from './power-model.ts';

/** What the plant needs of the world around it. */
export interface PlantWorld {
  readonly simulation: Simulation;
  /** The machines that a dispatch spans. */
  machinesOf(leader: number, dispatch: Dispatch): readonly number[];
  /** Told of each change of a machine's state. */
  machinePower(machine: number, state: PowerState): void;
}

interface MeteredWork {
  readonly request: ResourceRequest;
  readonly machines: readonly number[];
  readonly marks: readonly MeterMark[];
}

export class PowerPlant implements WorkPower {
  private readonly model: PowerModel;
  private readonly world: PlantWorld;
  private readonly meters: readonly MachineMeter[];
  /** Pieces of work that run on each machine, or wait until it is awake. */
  private readonly users: Int32Array;
  /** When each machine last had work, or was switched on. */
  private readonly idleSinceMicros: Float64Array;
  private readonly wakesAtMicros: Float64Array;
  private readonly running = new Map<number, MeteredWork>();
  /** What open tasks ask for, by submission. */
  private readonly requests = new Map<number, ResourceRequest>();
  private readonly wakeHandler: number;
  private readonly idleHandler: number;

  constructor(machines: readonly MachineSpec[], model: PowerModel, world: PlantWorld) {
    const { simulation } = world;
    this.model = model;
    this.world = world;
    const { watts = 0, wakeWatts = 0 } = model.sleep ?? {};
    this.meters = machines.map((spec) => new MachineMeter(ratingOf(spec, model), spec.cpuMilli, watts, wakeWatts));
    this.users = new Int32Array(machines.length);
    this.idleSinceMicros = new Float64Array(machines.length);
    this.wakesAtMicros = new Float64Array(machines.length);
    this.wakeHandler = simulation.defineHandler('machine is awake', (machine) => this.awake(machine));
    this.idleHandler = simulation.defineHandler('machine idles', (machine) => this.sleepIfIdle(machine));
  }

  stateOf(machine: number): PowerState {
    return this.meter(machine).state;
  }

  /** Watts of all machines now. */
  get watts(): number {
    let watts = 0;
    for (const meter of this.meters) watts += meter.watts;
    return watts;
  }

  /** What each machine took since the world began. */
  readAccounts(): EnergyAccount[] {
    return this.meters.map((meter) => meter.read(this.world.simulation.nowMicros));
  }

  /** All machines together. */
  readAll(): EnergyAccount {
    const sum = { idleJoules: 0, workJoules: 0, sleepJoules: 0, wakeJoules: 0, asleepMicros: 0, wakeUps: 0 };
    for (const account of this.readAccounts()) {
      sum.idleJoules += account.idleJoules;
      sum.workJoules += account.workJoules;
      sum.sleepJoules += account.sleepJoules;
      sum.wakeJoules += account.wakeJoules;
      sum.asleepMicros += account.asleepMicros;
      sum.wakeUps += account.wakeUps;
    }
    return sum;
  }

  sleep(machine: number): void {
    if (this.model.sleep !== undefined && this.stateOf(machine) === 'on' && this.users[machine] === 0)
      this.change(machine, 'asleep');
  }

  /** Wakes a machine that sleeps. Returns when it will be awake; undefined if it is, or is off. */
  wake(machine: number): number | undefined {
    const { simulation } = this.world;
    const state = this.stateOf(machine);
    if (state === 'waking') return this.wakesAtMicros[machine] as number;
    if (state !== 'asleep') return undefined;
    const atMicros = simulation.nowMicros + (this.model.sleep?.wakeMicros ?? 0);
    this.wakesAtMicros[machine] = atMicros;
    this.change(machine, 'waking');
    simulation.schedule(atMicros, eventPriority.world, this.wakeHandler, machine, undefined);
    return atMicros;
  }

  taskArrived(submission: number, request: ResourceRequest): void {
    this.requests.set(submission, request);
  }

  taskGone(submission: number): void {
    this.requests.delete(submission);
  }

  machineUp(machine: number, up: boolean): void {
    if (!up) {
      if (this.stateOf(machine) !== 'off') this.change(machine, 'off');
      return;
    }
    assert(this.stateOf(machine) === 'off', 'only what is off is switched on');
    this.change(machine, 'on');
    this.idles(machine);
  }

  claim(leader: number, dispatch: Dispatch): number | undefined {
    let readyMicros: number | undefined;
    for (const machine of this.world.machinesOf(leader, dispatch)) {
      this.users[machine] = (this.users[machine] as number) + 1;
      const awakeMicros = this.wake(machine);
      if (awakeMicros !== undefined) readyMicros = Math.max(readyMicros ?? 0, awakeMicros);
    }
    return readyMicros;
  }

  begin(leader: number, dispatch: Dispatch): void {
    const now = this.world.simulation.nowMicros;
    const request = this.requests.get(dispatch.submission);
    assert(request !== undefined, 'work begins only for a task whose submitter awaits its end');
    const machines = this.world.machinesOf(leader, dispatch).filter((machine) => this.stateOf(machine) === 'on');
    const marks = machines.map((machine) => this.meter(machine).begin(request, now));
    this.running.set(dispatch.attempt, { request, machines, marks });
  }

  end(leader: number, dispatch: Dispatch): number {
    const now = this.world.simulation.nowMicros;
    const work = this.running.get(dispatch.attempt);
    this.running.delete(dispatch.attempt);
    let joules = 0;
    work?.machines.forEach((machine, position) => {
      joules += this.meter(machine).end(work.request, work.marks[position] as MeterMark, now);
    });
    for (const machine of this.world.machinesOf(leader, dispatch)) {
      const users = (this.users[machine] as number) - 1;
      this.users[machine] = users;
      if (users === 0 && this.stateOf(machine) === 'on') this.idles(machine);
    }
    return joules;
  }

  private meter(machine: number): MachineMeter {
    return this.meters[machine] as MachineMeter;
  }

  private change(machine: number, state: PowerState): void {
    this.meter(machine).change(state, this.world.simulation.nowMicros);
    this.world.machinePower(machine, state);
  }

  private awake(machine: number): void {
    // It may have crashed meanwhile, and even have come back and slept.
    if (this.stateOf(machine) !== 'waking' || this.wakesAtMicros[machine] !== this.world.simulation.nowMicros) return;
    this.change(machine, 'on');
    if (this.users[machine] === 0) this.idles(machine);
  }

  private idles(machine: number): void {
    const now = this.world.simulation.nowMicros;
    const afterMicros = this.model.sleep?.afterMicros ?? Number.POSITIVE_INFINITY;
    this.idleSinceMicros[machine] = now;
    if (afterMicros === Number.POSITIVE_INFINITY) return;
    this.world.simulation.schedule(now + afterMicros, eventPriority.world, this.idleHandler, machine, undefined);
  }

  private sleepIfIdle(machine: number): void {
    const afterMicros = this.model.sleep?.afterMicros ?? Number.POSITIVE_INFINITY;
    if ((this.idleSinceMicros[machine] as number) + afterMicros === this.world.simulation.nowMicros)
      this.sleep(machine);
  }
}
