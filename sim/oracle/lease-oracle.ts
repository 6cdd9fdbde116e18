// The promise of leases, kept by both sides. The agent: when its lease has run out, it no longer works. The kernel: it
// declares nobody dead before the lease is over, and dispatches a task anew only after its former agent said that the
// attempt is over, came back without it, or lost its lease. The oracle keeps its own account of the leases, from what the
// kernel has heard: by the kernel's clock, as it goes on after pauses, and by the world's, which no wall clock moves.

import type {
  AgentRegistered,
  AgentStateChanged,
  Dispatch,
  Effect,
  HeartbeatsRecorded,
} from '../../core/kernel/effects.ts';
import type { AgentDisconnected, AgentHello, Heartbeats, InputBody } from '../../core/kernel/inputs.ts';
import type { JournalReport } from '../../core/kernel/journal.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { WorldObserver } from '../world/observer.ts';
import { withRoom } from './column.ts';
import type { PhysicalWork, PhysicalWorkListener, PhysicalWorks } from './physical-work.ts';
import type { Fail } from './violation.ts';

export class LeaseOracle implements WorldObserver, PhysicalWorkListener {
  private readonly works: PhysicalWorks;
  /** As the kernel has last said. */
  private leaseMicros: number;
  private readonly heartbeatMicros: number;
  private readonly clockErrorMicros: number;
  private readonly fail: Fail;
  // By agent number. A lease is over once time is beyond its end; a dead agent has none.
  private readonly leaseEnd: number[] = [];
  /** In the world's time, which alone the agent can know: after an outage it is not what the kernel grants, but what it had. */
  private readonly trueEnd: number[] = [];
  private readonly incarnation: number[] = [];
  private readonly dead: boolean[] = [];
  private readonly connection: number[] = [];
  // By task: the attempt that owns it, as far as the kernel knows, whose it is, and whether its agent said that it is over.
  private owner = new Int32Array(0);
  private ownerAgent = new Int32Array(0);
  private ownerIncarnation = new Int32Array(0);
  private ownerOver = new Uint8Array(0);
  private readonly grace: number[] = [];
  private hello: AgentHello | undefined;
  private closed: AgentDisconnected | undefined;
  private batch: Heartbeats | undefined;
  /** The last batch's agents. A fleet without change sends the same array again: then one time stands for all their leases. */
  private fleet: Int32Array | undefined;
  private fleetEnd = 0;
  private fleetTrueEnd = 0;
  private readonly inFleet: boolean[] = [];
  /** How far the time of inputs is ahead of the world's: that of each process, by the last input before it. */
  private readonly clocks: { readonly after: number; readonly aheadMicros: number }[] = [];
  private recoveredAheadMicros = 0;
  /** Of the input that is told of now. */
  private aheadMicros = 0;

  constructor(
    works: PhysicalWorks,
    heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number },
    clockErrorMicros: number,
    fail: Fail,
  ) {
    this.works = works;
    this.leaseMicros = heartbeat.leaseMicros;
    this.heartbeatMicros = heartbeat.intervalMicros;
    this.clockErrorMicros = clockErrorMicros;
    this.fail = fail;
  }

  kernelClock(aheadMicros: number): void {
    this.recoveredAheadMicros = aheadMicros;
  }

  kernelRecovered(_kernel: Kernel, { lastSequence }: JournalReport): void {
    const { clocks, recoveredAheadMicros } = this;
    // What a process handled and did not make durable never was.
    while (clocks.length > 0 && (clocks.at(-1)?.after as number) >= lastSequence) clocks.pop();
    clocks.push({ after: lastSequence, aheadMicros: recoveredAheadMicros });
  }

  /** Some that are released now were handled by a process that has died since, under its clock. */
  inputReleased({ sequence }: ReleasedInput): void {
    this.aheadMicros = this.clocks.findLast(({ after }) => after < sequence)?.aheadMicros ?? 0;
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    switch (input.kind) {
      case 'heartbeats':
        // Counts when the kernel has recorded it: timers that are due come first.
        this.batch = input;
        return;
      case 'taskFinished': {
        const { task, attempt, agent, incarnation } = input;
        if (this.owner[task] !== attempt || this.ownerAgent[task] !== agent) return;
        if (this.ownerIncarnation[task] === incarnation) this.ownerOver[task] = 1;
        return;
      }
      case 'agentHello':
        this.hello = input;
        return;
      case 'agentDisconnected':
        this.closed = input;
        this.connectionClosed(input, nowMicros);
        return;
      case 'resumed':
        this.settleFleet();
        for (let agent = 0; agent < this.leaseEnd.length; agent++) {
          const end = this.leaseEnd[agent] as number;
          // As if time had stood still; whose lease ran out meanwhile, and surely so, needs four heartbeats to be heard again.
          const extended = end + input.pausedMicros;
          const isOver = this.clockErrorMicros > 0 && end + this.clockErrorMicros < nowMicros;
          const heard = isOver ? nowMicros + 4 * this.heartbeatMicros : extended;
          this.leaseEnd[agent] = Math.max(Math.min(extended, heard), nowMicros);
        }
        return;
      default:
        return;
    }
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'heartbeatsRecorded') this.recorded(effect, nowMicros);
    else if (effect.kind === 'dispatch') this.dispatched(effect, nowMicros);
    else if (effect.kind === 'agentRegistered') this.registered(effect, nowMicros);
    else if (effect.kind === 'agentStateChanged' && effect.to === 'dead') this.died(effect, nowMicros);
    else if (effect.kind === 'agentStateChanged' && effect.reason === 'connection closed')
      this.disconnected(effect.agent, nowMicros);
  }

  begun(work: PhysicalWork, nowMicros: number): void {
    this.mayWork(work, nowMicros);
  }

  gone(): void {}

  machineHung(machine: number, hung: boolean, nowMicros: number): void {
    if (hung) return;
    for (const work of this.works.ledBy(machine)) this.mayWork(work, nowMicros);
  }

  /** The agent works on now: it must have its lease, and its present incarnation. */
  private mayWork({ dispatch }: PhysicalWork, nowMicros: number): void {
    const { agent } = dispatch;
    if (this.incarnation[agent] !== dispatch.incarnation) {
      this.fail(
        'leases',
        `agent ${agent} works on attempt ${dispatch.attempt} as its former incarnation ${dispatch.incarnation}`,
        nowMicros,
        dispatch,
      );
    }
    if (this.dead[agent] === true || nowMicros > this.trueEndOf(agent)) {
      this.fail(
        'leases',
        `agent ${agent} works on attempt ${dispatch.attempt} beyond its lease, which ended at ${this.trueEndOf(agent)} µs`,
        nowMicros,
        dispatch,
      );
    }
  }

  private recorded({ terms }: HeartbeatsRecorded, nowMicros: number): void {
    const { batch } = this;
    if (batch === undefined) return;
    this.batch = undefined;
    if (terms !== undefined) {
      // What was promised once is not taken back: each lease has its own end.
      this.settleFleet();
      this.leaseMicros = terms.leaseMicros;
      for (let index = 0; index < batch.count; index++) {
        const agent = batch.agents[index] as number;
        if (this.counts(batch, index)) this.grant(agent, nowMicros);
      }
      return;
    }
    if (batch.agents !== this.fleet) {
      this.settleFleet();
      this.formFleet(batch);
    }
    this.fleetEnd = nowMicros + this.leaseMicros;
    this.fleetTrueEnd = this.fleetEnd - this.aheadMicros;
    if (this.fleet !== undefined) return;
    for (let index = 0; index < batch.count; index++) {
      const agent = batch.agents[index] as number;
      if (!this.counts(batch, index)) continue;
      this.leaseEnd[agent] = this.fleetEnd;
      this.trueEnd[agent] = this.fleetTrueEnd;
    }
  }

  /** A lease from now on; what was promised once is not taken back. */
  private grant(agent: number, nowMicros: number): void {
    const end = nowMicros + this.leaseMicros;
    this.leaseEnd[agent] = Math.max(end, this.leaseEnd[agent] as number);
    this.trueEnd[agent] = Math.max(end - this.aheadMicros, this.trueEnd[agent] as number);
  }

  /** True if the kernel takes this heartbeat of the batch for one. */
  private counts(batch: Heartbeats, index: number): boolean {
    const agent = batch.agents[index] as number;
    return this.incarnation[agent] === batch.incarnations[index] && this.dead[agent] !== true;
  }

  /** The batch's agents share one time from now on, if each heartbeat of it counts. */
  private formFleet(batch: Heartbeats): void {
    if (batch.agents.length !== batch.count) return;
    for (let index = 0; index < batch.count; index++) if (!this.counts(batch, index)) return;
    this.fleet = batch.agents;
    for (const agent of batch.agents) this.inFleet[agent] = true;
  }

  /** Writes down for each agent what held for the whole fleet. */
  private settleFleet(): void {
    for (const agent of this.fleet ?? []) {
      this.leaseEnd[agent] = this.fleetEnd;
      this.trueEnd[agent] = this.fleetTrueEnd;
      this.inFleet[agent] = false;
    }
    this.fleet = undefined;
  }

  private trueEndOf(agent: number): number {
    return this.inFleet[agent] === true ? this.fleetTrueEnd : (this.trueEnd[agent] as number);
  }

  private registered(effect: AgentRegistered, nowMicros: number): void {
    const { agent, incarnation } = effect;
    this.settleFleet();
    const known = this.incarnation[agent];
    if (known !== undefined && incarnation < known)
      this.fail(
        'leases',
        `agent ${agent} is registered as incarnation ${incarnation}, older than ${known}`,
        nowMicros,
        { agent },
      );
    if (known === incarnation && this.dead[agent] === true)
      this.fail('leases', `agent ${agent} comes back to life as incarnation ${incarnation}`, nowMicros, { agent });
    const connection = this.hello?.connection ?? 0;
    // A new connection names what still runs; what it does not name is over.
    if (known === incarnation && connection > (this.connection[agent] as number)) this.reconnected(agent);
    if (known !== incarnation || connection > (this.connection[agent] as number)) this.connection[agent] = connection;
    this.incarnation[agent] = incarnation;
    this.dead[agent] = false;
    this.leaseMicros = effect.leaseMicros;
    this.grace[agent] = effect.disconnectGraceMicros ?? 0;
    if (known !== incarnation) {
      this.leaseEnd[agent] = 0;
      this.trueEnd[agent] = 0;
    }
    this.grant(agent, nowMicros);
  }

  /** Its lease ends sooner, as it was told when it registered, if that connection is the one that it has. */
  private connectionClosed({ agent, incarnation, connection }: AgentDisconnected, nowMicros: number): void {
    this.settleFleet();
    const grace = this.grace[agent] ?? 0;
    if (incarnation !== this.incarnation[agent] || connection < (this.connection[agent] as number) || grace === 0)
      return;
    this.leaseEnd[agent] = Math.min(this.leaseEnd[agent] as number, nowMicros + grace);
    this.trueEnd[agent] = Math.min(this.trueEnd[agent] as number, nowMicros - this.aheadMicros + grace);
  }

  /** The kernel says so only of who was said to be. */
  private disconnected(agent: number, nowMicros: number): void {
    const { closed } = this;
    const isPresent =
      closed?.agent === agent &&
      closed.incarnation === this.incarnation[agent] &&
      closed.connection >= (this.connection[agent] as number);
    if (isPresent && (this.grace[agent] ?? 0) > 0) return;
    this.fail('leases', `the kernel takes agent ${agent} for disconnected, which nobody said`, nowMicros, { agent });
  }

  private reconnected(agent: number): void {
    const running = new Set(this.hello?.running.map((reference) => reference.attempt));
    for (let task = 0; task < this.owner.length; task++) {
      if (this.ownerAgent[task] === agent && !running.has(this.owner[task] as number)) this.ownerOver[task] = 1;
    }
  }

  private died({ agent, reason }: AgentStateChanged, nowMicros: number): void {
    this.settleFleet();
    const end = this.leaseEnd[agent] as number;
    if (reason === 'lease expired' && nowMicros <= end) {
      this.fail('leases', `the kernel declares agent ${agent} dead before its lease ends at ${end} µs`, nowMicros, {
        agent,
      });
    }
    const trueEnd = this.trueEnd[agent] as number;
    if (reason === 'lease expired' && nowMicros - this.aheadMicros <= trueEnd) {
      const what = `the kernel declares agent ${agent} dead, by a clock that is wrong, before its lease ends at ${trueEnd} µs`;
      this.fail('leases', what, nowMicros - this.aheadMicros, { agent });
    }
    this.dead[agent] = true;
    const machine = this.works.machineOf(agent);
    if (this.works.isHung(machine)) return;
    for (const { dispatch } of this.works.ledBy(machine)) {
      if (dispatch.incarnation !== this.incarnation[agent]) continue;
      this.fail(
        'leases',
        `agent ${agent} works on attempt ${dispatch.attempt} beyond its lease, which ended at ${trueEnd} µs`,
        nowMicros - this.aheadMicros,
        dispatch,
      );
    }
  }

  private dispatched(effect: Dispatch, nowMicros: number): void {
    const { task, attempt, agent, incarnation } = effect;
    this.makeRoom(task);
    const former = this.owner[task] as number;
    if (former === attempt) return;
    const holder = this.ownerAgent[task] as number;
    if (
      former !== 0 &&
      this.ownerOver[task] === 0 &&
      this.incarnation[holder] === this.ownerIncarnation[task] &&
      this.dead[holder] !== true
    ) {
      const what = `task ${task} is dispatched as attempt ${attempt} while attempt ${former} of agent ${holder} may run`;
      this.fail('leases', what, nowMicros, effect);
    }
    this.owner[task] = attempt;
    this.ownerAgent[task] = agent;
    this.ownerIncarnation[task] = incarnation;
    this.ownerOver[task] = 0;
  }

  private makeRoom(task: number): void {
    if (task < this.owner.length) return;
    this.owner = withRoom(this.owner, task);
    this.ownerAgent = withRoom(this.ownerAgent, task);
    this.ownerIncarnation = withRoom(this.ownerIncarnation, task);
    this.ownerOver = withRoom(this.ownerOver, task);
  }
}
