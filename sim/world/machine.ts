// A simulated machine: it runs the agent library and the work that the kernel dispatches to it. Work takes its true duration,
// times the machine's present slowness; a crash loses it, a hang delays it.

import { type FaultSwitch, noFaults } from '../../core/base/fault-points.ts';
import { AgentClient, type ToAgent } from '../../core/client/agent-client.ts';
import type { Dispatch } from '../../core/kernel/effects.ts';
import type { AgentDisconnected, AttemptReference } from '../../core/kernel/inputs.ts';
import { eventPriority } from '../engine/priority.ts';
import type { MachineSpec } from '../workload/workload.ts';
import { AgentClock } from './agent-clock.ts';
import { capabilitiesOf } from './machine-capabilities.ts';
import type { MachineWorld } from './machine-world.ts';
import type { WorkEnd } from './observer.ts';
import type { PowerState } from './power/machine-meter.ts';
import type { RunningWork } from './running-work.ts';

export class Machine {
  readonly index: number;
  readonly spec: MachineSpec;
  readonly agent: AgentClient;
  /** Service times are multiplied by it for work that begins now. */
  slowness = 1;
  /** Machine time for a microsecond of work, as what runs beside it has it now. */
  private pace = 1;
  /** Dispatched to a machine whose lanes are all taken. */
  private readonly waiting: { readonly dispatch: Dispatch; readonly cameMicros: number }[] = [];
  /** Called before the machine, or its agent's registration, changes: whoever put off telling the agent something does it now. */
  beforeChange: () => void = () => {};
  /** What the agent takes for the time. */
  readonly clock = new AgentClock();
  private readonly world: MachineWorld;
  private readonly running = new Map<number, RunningWork>();
  /** Work that begins when its machines are awake. */
  private readonly waking = new Map<number, { readonly dispatch: Dispatch; isReady: boolean }>();
  private up = false;
  /** When the agent wants to be woken, by its own clock. */
  private wakeMicros = Number.POSITIVE_INFINITY;
  private hungSinceMicros = -1;
  /** The kernel has said whether it should sleep. */
  private isAsked = false;

  constructor(
    index: number,
    spec: MachineSpec,
    retryMicros: number,
    world: MachineWorld,
    faults: FaultSwitch = noFaults,
  ) {
    this.index = index;
    this.spec = spec;
    this.world = world;
    const resources = {
      cpuMilli: spec.cpuMilli,
      memoryMib: spec.memoryMib,
      gpuCount: spec.gpuCount,
      gpuModel: spec.gpuModel,
    };
    this.agent = new AgentClient(
      {
        gateway: 0,
        name: spec.name,
        resources,
        capabilities: { ...capabilitiesOf(spec), ...spec.skills },
        attributes: {
          gpuModel: spec.gpuModel,
          ...(spec.host === undefined ? {} : { host: spec.host }),
          ...spec.attributes,
        },
        retryMicros,
      },
      {
        send: (message) => world.send(index, message),
        startWork: (dispatch) => this.startWork(dispatch),
        stopWork: (reference) => this.stopWork(reference, 'stopped'),
        power: (awake) => this.setPower(awake),
        wakeAt: (timeMicros) => {
          this.wakeMicros = timeMicros;
          this.scheduleWake();
        },
      },
      faults,
    );
  }

  get responsive(): boolean {
    return this.up && this.hungSinceMicros < 0;
  }

  start(): void {
    if (this.up) return;
    this.beforeChange();
    this.up = true;
    this.hungSinceMicros = -1;
    this.world.machineUp?.(this.index, true);
    this.agent.start(this.shownMicros);
  }

  get isUp(): boolean {
    return this.up;
  }

  /** One more interval has passed: the agent looks at its lease. */
  tick(nowMicros: number, intervalMicros: number): void {
    this.agent.tick(this.clock.at(nowMicros), intervalMicros);
  }

  /** A heartbeat that was sent at this time has been recorded. */
  leaseRenewed(sentMicros: number, leaseMicros?: number): void {
    this.agent.leaseRenewed(this.clock.at(sentMicros), leaseMicros);
  }

  /** The agent's clock jumps ahead, or runs at another rate from now on. */
  disturbClock(jumpMicros: number, rate: number | undefined): void {
    this.beforeChange();
    const now = this.world.simulation.nowMicros;
    if (jumpMicros > 0) this.clock.jump(jumpMicros, now);
    if (rate !== undefined) this.clock.run(rate, now);
    // What it waits for comes at another time now.
    if (this.wakeMicros !== Number.POSITIVE_INFINITY) this.scheduleWake();
  }

  /** The agent's connection broke, and there is another one: it says what it runs. */
  reconnect(): void {
    if (this.responsive) this.agent.reconnected(this.shownMicros);
  }

  /** The agent takes no new work, and says so. */
  drain(): void {
    if (this.responsive) this.agent.drain(this.shownMicros);
  }

  crash(): void {
    if (!this.up) return;
    this.beforeChange();
    this.up = false;
    for (const { dispatch } of [...this.waiting]) this.stopWork(dispatch, 'lost');
    for (const work of [...this.running.values()]) this.stopWork(work.dispatch, 'lost');
    for (const { dispatch } of [...this.waking.values()]) this.stopWork(dispatch, 'lost');
    if (this.hungSinceMicros >= 0) this.world.machineHung(this.index, false);
    this.hungSinceMicros = -1;
    this.world.machineUp?.(this.index, false);
  }

  hang(): void {
    if (!this.responsive) return;
    this.beforeChange();
    this.hungSinceMicros = this.world.simulation.nowMicros;
    for (const work of this.running.values()) this.unschedule(work);
    this.world.machineHung(this.index, true);
  }

  /** Ends a hang: work goes on where it stood, unless the lease has run out meanwhile. */
  resume(heartbeatIntervalMicros: number): void {
    if (this.hungSinceMicros < 0) return;
    this.beforeChange();
    const now = this.world.simulation.nowMicros;
    const hungMicros = now - this.hungSinceMicros;
    this.hungSinceMicros = -1;
    this.tick(now, heartbeatIntervalMicros);
    this.world.machineHung(this.index, false);
    for (const work of [...this.running.values()]) {
      work.endMicros += hungMicros;
      work.saveMicros += hungMicros;
      if (work.failed) this.finish(work, 'failed');
      else this.schedule(work);
    }
    for (const { dispatch, isReady } of [...this.waking.values()]) if (isReady) this.machinesAwake(dispatch.attempt);
    this.agent.wake(this.shownMicros);
  }

  receive(message: ToAgent): void {
    if (!this.responsive) return;
    if (message.kind === 'agentRegistered' || message.kind === 'agentRefused') this.beforeChange();
    this.agent.receive(message, this.shownMicros);
  }

  wake(): void {
    if (!this.responsive) return;
    if (this.shownMicros >= this.wakeMicros) this.wakeMicros = Number.POSITIVE_INFINITY;
    this.agent.wake(this.shownMicros);
  }

  /** The machines of work that waited for them are awake. */
  machinesAwake(attempt: number): void {
    const work = this.waking.get(attempt);
    if (work === undefined) return;
    work.isReady = true;
    if (!this.responsive) return;
    this.waking.delete(attempt);
    this.takeLane(work.dispatch);
  }

  /** The event of an end of work came, or of a checkpoint before it; or its machines are awake, and it begins. */
  endWork(attempt: number): void {
    const work = this.running.get(attempt);
    if (work === undefined) {
      this.machinesAwake(attempt);
      return;
    }
    if (work.saveMicros < work.endMicros) this.save(work);
    else {
      const end = this.world.endOf?.(this.index, work.dispatch);
      this.finish(work, end?.fails === true ? 'failed' : 'completed', end?.joules);
    }
  }

  /** The work cannot go on: another of its machines is gone. */
  failWork(attempt: number): void {
    const work = this.running.get(attempt);
    if (work === undefined) return;
    if (this.responsive) this.finish(work, 'failed');
    else work.failed = true;
  }

  /** What the kernel hears when the agent's process dies and its system closes the connection. */
  get closing(): AgentDisconnected | undefined {
    const { agent, currentIncarnation: incarnation, currentConnection: connection } = this.agent;
    if (!this.up || !this.agent.beats || !this.agent.hasGrace) return undefined;
    return { kind: 'agentDisconnected', agent, incarnation, connection };
  }

  get runningCount(): number {
    return this.running.size;
  }

  /** What runs goes on at this pace, and what begins later goes at it. */
  setPace(pace: number): void {
    if (pace === this.pace) return;
    const ratio = pace / this.pace;
    this.pace = pace;
    const now = this.hungSinceMicros >= 0 ? this.hungSinceMicros : this.world.simulation.nowMicros;
    for (const work of this.running.values()) {
      this.unschedule(work);
      work.endMicros = later(now, work.endMicros, work.startedMicros, ratio);
      work.saveMicros = later(now, work.saveMicros, work.startedMicros, ratio);
      if (this.hungSinceMicros < 0) this.schedule(work);
    }
  }

  runningDispatches(): Dispatch[] {
    return [...this.running.values()].map((work) => work.dispatch);
  }

  /** Its machine has fallen asleep or is awake: the kernel is told if it had asked. */
  powerChanged(state: PowerState): void {
    if (this.isAsked && this.responsive && (state === 'on' || state === 'asleep'))
      this.agent.powerChanged(state === 'on');
  }

  private setPower(awake: boolean): void {
    const { plant } = this.world;
    if (plant === undefined) return;
    this.isAsked = true;
    const state = plant.stateOf(this.index);
    if (state === (awake ? 'on' : 'asleep')) this.powerChanged(state);
    else if (awake) plant.wake(this.index);
    else plant.sleep(this.index);
  }

  private get shownMicros(): number {
    return this.clock.at(this.world.simulation.nowMicros);
  }

  private scheduleWake(): void {
    const { simulation, agentWakeHandler } = this.world;
    const timeMicros = this.clock.trueTimeOf(this.wakeMicros, simulation.nowMicros);
    simulation.schedule(timeMicros, eventPriority.timer, agentWakeHandler, this.index, undefined);
  }

  private finish(work: RunningWork, end: 'completed' | 'failed', joules?: number): void {
    const now = this.world.simulation.nowMicros;
    this.unschedule(work);
    this.running.delete(work.dispatch.attempt);
    const measured = this.world.plant?.end(this.index, work.dispatch);
    this.world.workEnded(this.index, work.dispatch, end);
    const queueMicros = Math.max(0, work.startedMicros - work.cameMicros);
    this.agent.workEnded(
      ...([work.dispatch, end, Math.max(0, now - work.startedMicros), this.shownMicros, measured ?? joules] as const),
      this.world.lanes === undefined ? undefined : queueMicros,
    );
    this.beginNext();
  }

  private beginNext(): void {
    while (this.hasLane) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.beginWork(next.dispatch, next.cameMicros);
    }
  }

  private get hasLane(): boolean {
    return this.running.size < (this.world.lanes ?? Number.POSITIVE_INFINITY);
  }

  private save(work: RunningWork): void {
    const { dispatch, slowness } = work;
    const everyMicros = dispatch.checkpoint?.everyMicros as number;
    const progressMicros = work.savedMicros + everyMicros;
    work.savedMicros = progressMicros;
    work.saveMicros += Math.ceil(everyMicros * slowness * this.pace);
    this.world.workSaved?.(this.index, dispatch, progressMicros);
    this.agent.workProgressed(dispatch, progressMicros);
    this.schedule(work);
  }

  private startWork(dispatch: Dispatch): void {
    const { simulation, workEndHandler } = this.world;
    const readyMicros = this.world.plant?.claim(this.index, dispatch);
    if (readyMicros === undefined) {
      this.takeLane(dispatch);
      return;
    }
    this.waking.set(dispatch.attempt, { dispatch, isReady: false });
    simulation.schedule(readyMicros, eventPriority.world, workEndHandler, this.index, dispatch.attempt);
  }

  private takeLane(dispatch: Dispatch): void {
    const now = this.world.simulation.nowMicros;
    if (this.hasLane) this.beginWork(dispatch, now);
    else this.waiting.push({ dispatch, cameMicros: now });
  }

  private beginWork(dispatch: Dispatch, cameMicros: number): void {
    const now = this.world.simulation.nowMicros;
    const startedMicros = now + (this.world.setUpMicros?.(dispatch) ?? 0);
    const { slowness, pace } = this;
    const { everyMicros, resumeMicros } = dispatch.checkpoint ?? {
      everyMicros: Number.POSITIVE_INFINITY,
      resumeMicros: 0,
    };
    const leftMicros = Math.max(0, this.world.durationMicros(dispatch, this.index) - resumeMicros);
    const work: RunningWork = {
      dispatch,
      ...{ cameMicros, startedMicros },
      endMicros: startedMicros + Math.ceil(leftMicros * slowness * pace),
      saveMicros: startedMicros + Math.ceil(everyMicros * slowness * pace),
      savedMicros: resumeMicros,
      slowness,
      eventId: -1,
      failed: false,
    };
    this.running.set(dispatch.attempt, work);
    this.world.plant?.begin(this.index, dispatch);
    this.schedule(work);
    this.world.workStarted(this.index, dispatch);
  }

  private stopWork(reference: AttemptReference, end: WorkEnd): void {
    const waking = this.waking.get(reference.attempt);
    if (waking !== undefined) {
      this.waking.delete(reference.attempt);
      this.world.plant?.end(this.index, waking.dispatch);
    }
    const work = this.running.get(reference.attempt);
    if (work === undefined) {
      const place = this.waiting.findIndex(({ dispatch }) => dispatch.attempt === reference.attempt);
      if (place < 0) return;
      this.world.plant?.end(this.index, (this.waiting[place] as (typeof this.waiting)[number]).dispatch);
      this.waiting.splice(place, 1);
      return;
    }
    this.unschedule(work);
    this.running.delete(reference.attempt);
    this.world.plant?.end(this.index, work.dispatch);
    this.world.workEnded(this.index, work.dispatch, end);
    this.beginNext();
  }

  private schedule(work: RunningWork): void {
    const timeMicros = Math.min(work.saveMicros, work.endMicros);
    if (timeMicros === Number.POSITIVE_INFINITY) return;
    work.eventId = this.world.simulation.schedule(
      timeMicros,
      eventPriority.world,
      this.world.workEndHandler,
      this.index,
      work.dispatch.attempt,
    );
  }

  private unschedule(work: RunningWork): void {
    if (work.eventId !== -1) this.world.simulation.cancel(work.eventId);
    work.eventId = -1;
  }
}

/** A time to come, moved as what is left of the work until then; work that is still being set up has all of it left. */
function later(now: number, timeMicros: number, startedMicros: number, ratio: number): number {
  const from = Math.max(now, startedMicros);
  return timeMicros === Number.POSITIVE_INFINITY
    ? timeMicros
    : from + Math.ceil(Math.max(0, timeMicros - from) * ratio);
}
