// The kernel: one entry, `handle(input, effects)`, behind which the control machine and the broker work. It owns no clock,
// socket, file or thread; all that it knows came in as inputs, all that it does goes out as effects, and a digest over them
// says whether two kernels did the same. Timers are kernel state: before each input the due ones fire in (deadline, id) order.

import { assert, unreachable } from '../base/assert.ts';
import { Digest, type DigestState } from '../base/digest.ts';
import { FaultPoints } from '../base/fault-points.ts';
import { type RandomState, RandomStream } from '../base/random.ts';
import { Broker, type BrokerSnapshot } from '../bus/broker.ts';
import type { BrokerEffect, BrokerInput } from '../bus/broker-protocol.ts';
import { refusalOf } from '../bus/refusal.ts';
import { createKernelSettings } from '../config/kernel-setting-table.ts';
import type { ChangeReason, SettingsState } from '../config/settings.ts';
import { type DiscoveryQuery, type DiscoveryResult, discover } from '../registry/discovery.ts';
import type { Profile } from '../scheduler/framework.ts';
import { Control, type ControlOutput, controlTimers } from './control.ts';
import type { ControlSnapshot } from './control-snapshot.ts';
import { digestEffect } from './effect-digest.ts';
import type { Effect, EffectSink, TaskEnded } from './effects.ts';
import { endsSubscriber, endsSubscription, endsTopic, submitterOf } from './ends-topic.ts';
import type { Input, SettingsAssigned } from './inputs.ts';
import { brokerSettingsOf, isCopied, type KernelSettings } from './kernel-settings.ts';
import { PendingEnds, type PendingEndsState } from './pending-ends.ts';

export { endsSubscriber, endsSubscription, endsTopic };

export interface KernelCounts {
  readonly inputs: number;
  readonly timers: number;
  readonly effects: number;
  readonly placements: number;
}

export interface KernelSnapshot {
  readonly version: 1;
  readonly nowMicros: number;
  readonly sequence: number;
  readonly wishedWakeMicros: number | null;
  readonly counts: KernelCounts;
  readonly controlDigest: DigestState;
  readonly brokerDigest: DigestState;
  readonly random: RandomState;
  /** Where fault points are armed: the state of their stream. */
  readonly faultPoints?: RandomState | undefined;
  readonly publishCount: number;
  readonly pendingEnds: PendingEndsState;
  readonly settings: SettingsState;
  readonly control: ControlSnapshot;
  readonly broker: BrokerSnapshot;
}

const producerName = 'kernel';

export class Kernel implements ControlOutput {
  readonly control: Control;
  readonly settings: KernelSettings;
  /** Those of the state machine, armed by the setting `faults.seed`. */
  readonly faultPoints: FaultPoints;
  private readonly broker: Broker;
  private readonly random: RandomStream;
  private readonly controlDigest = new Digest();
  private readonly brokerDigest = new Digest();
  private sink: EffectSink = [];
  private nowMicros = 0;
  private sequence = 0;
  private wishedWakeMicros = Number.POSITIVE_INFINITY;
  /** No timer is due before this; set anew after each input, since nothing else moves a deadline. */
  private nextDueMicros = Number.NEGATIVE_INFINITY;
  private inputCount = 0;
  private timerCount = 0;
  private effectCount = 0;
  private publishCount = 0;
  private readonly pendingEnds = new PendingEnds();
  private refusedByBroker = false;
  private readonly brokerSink = {
    push: (effect: BrokerEffect): void => {
      if ((effect.kind === 'published' || effect.kind === 'refused') && isKernel(effect))
        this.refusedByBroker = effect.kind === 'refused';
      else this.record(effect, this.brokerDigest);
    },
  };

  /** `seed` feeds the kernel's own random stream (ties drawn at random). */
  constructor(profile: Profile, settings: KernelSettings, seed: number) {
    this.settings = settings;
    this.random = new RandomStream(seed, 'kernel');
    this.faultPoints = new FaultPoints(settings.get('faults.seed'), 'kernel');
    this.control = new Control(profile, settings, this.random, this, this.faultPoints, seed);
    this.broker = new Broker(brokerSettingsOf(settings), this.faultPoints);
  }

  /** True if the shell should close this instant with `instantEnded`: something waits for the scheduler. */
  get awaitsInstantEnd(): boolean {
    return this.control.awaitsInstantEnd;
  }

  /** Of the last input, and how many there were. */
  get clockMicros(): number {
    return this.nowMicros;
  }

  get lastSequence(): number {
    return this.sequence;
  }

  /** When the kernel last asked to be woken, `Infinity` if it waits for nothing: a shell that begins anew must know. */
  get wakeMicros(): number {
    return this.wishedWakeMicros;
  }

  get counts(): KernelCounts {
    return {
      inputs: this.inputCount,
      timers: this.timerCount,
      effects: this.effectCount,
      placements: this.control.scheduler.attemptsBegun,
    };
  }

  /** Digest over all effects so far, 16 hex digits. */
  get digest(): string {
    return this.bothDigests().toHex();
  }

  /** The same as two signed 32-bit integers. */
  get digestWords(): readonly [number, number] {
    return this.bothDigests().words();
  }

  /** Finds agents by capability, filters and cosine similarity. A read: it is answered from the state as it is, and not journaled. */
  discover(query: DiscoveryQuery): DiscoveryResult {
    return discover(this.control.registry, query, this.nowMicros);
  }

  /** Takes one input and pushes its effects, in order. `input` is not kept. */
  handle(input: Input, effects: EffectSink): void {
    assert(input.timeMicros >= this.nowMicros, 'time does not run backwards');
    assert(input.sequence === this.sequence + 1, 'inputs come in one order without gaps');
    this.sink = effects;
    this.sequence = input.sequence;
    this.inputCount++;
    const now = input.timeMicros;
    this.nowMicros = now;
    if (this.wishedWakeMicros <= now) this.wishedWakeMicros = Number.POSITIVE_INFINITY;
    const { body } = input;
    const { control } = this;
    // A pause is no silence of the fleet: what came due in it is put off before anything fires.
    if (body.kind === 'resumed') {
      this.broker.extendDeadlines(body.pausedMicros);
      control.resumed(body.pausedMicros, now);
    }
    if (this.nextDueMicros <= now) this.fireDue(now);
    switch (body.kind) {
      case 'taskSubmitted':
        control.taskSubmitted(body, now);
        break;
      case 'dispatchAccepted':
        control.dispatchAccepted(body, now);
        break;
      case 'taskFinished':
        control.taskFinished(body, now);
        break;
      case 'taskProgressed':
        control.taskProgressed(body);
        break;
      case 'instantEnded':
        control.instantEnded(now);
        break;
      case 'heartbeats':
        control.heartbeats(body, now);
        break;
      case 'agentHello':
        control.agentHello(body, now);
        break;
      case 'agentDraining':
        control.agentDraining(body, now);
        break;
      case 'agentDisconnected':
        control.agentDisconnected(body, now);
        break;
      case 'agentPowerChanged':
        control.scaling?.agentSaid(body, now);
        break;
      case 'taskCancelled':
        control.taskCancelled(body, now);
        break;
      case 'settingChanged':
        this.changeSettings({ [body.name]: body.value }, { ...body, atMicros: now });
        break;
      case 'settingsAssigned':
        this.changeSettings(body.values, { ...body, atMicros: now });
        break;
      case 'policyCommanded':
        control.policyCommanded(body, now);
        break;
      case 'resumed':
      case 'timeReached':
        break;
      case 'subscribe': {
        const submitter = submitterOf(body.topic);
        // Whom there is no room for is not answered, and asks again.
        if (submitter < 0 || control.intake.meet(submitter, now)) this.brokerInput({ ...body, timeMicros: now });
        break;
      }
      case 'unsubscribe':
      case 'publish':
      case 'acknowledge':
      case 'subscriberConnected':
      case 'subscriberDisconnected':
      case 'request':
      case 'reply':
        this.brokerInput({ ...body, timeMicros: now });
        break;
      default:
        unreachable(body);
    }
    this.wishWake();
  }

  emit(effect: Effect): void {
    this.record(effect, this.controlDigest);
  }

  publishEnd(submitter: number, ended: TaskEnded): void {
    if (this.pendingEnds.has(submitter) || !this.publish(submitter, ended)) this.pendingEnds.add(submitter, ended);
  }

  /** A submitter's own subscription may be lost or late; an end published before it would be kept for nobody. */
  openEnds(submitter: number): void {
    this.broker.handle(
      {
        kind: 'subscribe',
        timeMicros: this.nowMicros,
        subscriber: endsSubscriber(submitter),
        subscription: endsSubscription(submitter),
        topic: endsTopic(submitter),
        mode: 'exclusive',
        start: 'earliest',
        inFlightMax: 0,
      },
      this.brokerSink,
    );
  }

  forgetEnds(submitter: number): boolean {
    return !this.pendingEnds.has(submitter) && this.broker.retire(endsTopic(submitter), endsSubscription(submitter));
  }

  /** The whole state as plain data; {@link Kernel.restore} makes a kernel from it that goes on identically. */
  save(): KernelSnapshot {
    return {
      version: 1,
      nowMicros: this.nowMicros,
      sequence: this.sequence,
      wishedWakeMicros: this.wishedWakeMicros === Number.POSITIVE_INFINITY ? null : this.wishedWakeMicros,
      counts: this.counts,
      controlDigest: this.controlDigest.save(),
      brokerDigest: this.brokerDigest.save(),
      random: this.random.save(),
      ...(this.faultPoints.isArmed ? { faultPoints: this.faultPoints.save() } : {}),
      publishCount: this.publishCount,
      pendingEnds: this.pendingEnds.save(),
      settings: this.settings.snapshot(),
      control: this.control.save(),
      broker: this.broker.save(),
    };
  }

  /** A kernel that goes on where the snapshot was taken, under the profile of the kernel that saved it. */
  static restore(snapshot: KernelSnapshot, profile: Profile): Kernel {
    const settings = createKernelSettings();
    settings.restore(snapshot.settings);
    const kernel = new Kernel(profile, settings, 0);
    kernel.random.restore(snapshot.random);
    kernel.faultPoints.restore(snapshot.faultPoints);
    kernel.nowMicros = snapshot.nowMicros;
    kernel.sequence = snapshot.sequence;
    kernel.wishedWakeMicros = snapshot.wishedWakeMicros ?? Number.POSITIVE_INFINITY;
    kernel.inputCount = snapshot.counts.inputs;
    kernel.timerCount = snapshot.counts.timers;
    kernel.effectCount = snapshot.counts.effects;
    kernel.controlDigest.restore(snapshot.controlDigest);
    kernel.brokerDigest.restore(snapshot.brokerDigest);
    kernel.publishCount = snapshot.publishCount;
    kernel.pendingEnds.restore(snapshot.pendingEnds);
    kernel.control.restore(snapshot.control, snapshot.nowMicros);
    kernel.broker.restore(snapshot.broker);
    return kernel;
  }

  /** Fires the due timers in (deadline, id) order; the broker's come after control's at one deadline. A timer stands for its
   *  whole kind: it is due with the first of them, and does what is due of all. */
  private fireDue(now: number): void {
    for (;;) {
      let due = this.broker.nextDeadlineMicros();
      let timer: (typeof controlTimers)[number] | 'broker' = 'broker';
      for (let index = controlTimers.length - 1; index >= 0; index--) {
        const candidate = controlTimers[index] as (typeof controlTimers)[number];
        const deadline = this.control.nextDeadline(candidate);
        if (deadline > due) continue;
        due = deadline;
        timer = candidate;
      }
      if (due > now) return;
      this.timerCount++;
      if (timer === 'broker') this.broker.fireDue(now, this.brokerSink);
      else this.control.fire(timer, now);
    }
  }

  private wishWake(): void {
    let next = this.broker.nextDeadlineMicros();
    for (const timer of controlTimers) next = Math.min(next, this.control.nextDeadline(timer));
    this.nextDueMicros = next;
    if (next >= this.wishedWakeMicros) return;
    // Too early finds nothing due, and asks again.
    if (next > this.nowMicros + 1 && next !== Number.POSITIVE_INFINITY && this.faultPoints.fires('kernel.wakeEarly'))
      next = this.nowMicros + Math.ceil((next - this.nowMicros) / 2);
    // A shorter time-out may have been over before it was set.
    const timeMicros = Math.max(next, this.nowMicros);
    this.wishedWakeMicros = timeMicros;
    this.emit({ kind: 'wakeAt', timeMicros });
  }

  private changeSettings(values: SettingsAssigned['values'], { who, why, atMicros }: ChangeReason): void {
    const names = Object.keys(values);
    const before = this.settings.get('faults.seed');
    const status = this.settings.assign(values, { who, why, atMicros });
    const seed = this.settings.get('faults.seed');
    if (status.ok && (seed !== before || names.includes('faults.seed'))) this.faultPoints.arm(seed, 'kernel');
    const refusal = status.ok ? '' : status.reason;
    this.emit({ kind: 'settingAnswered', name: names.join(', '), version: this.settings.version, refusal });
    if (status.ok && names.some(isCopied)) {
      this.control.settingsChanged(atMicros);
      this.broker.configure(brokerSettingsOf(this.settings));
      // A topic may have room now.
      this.pendingEnds.publish(this.publish);
    }
  }

  private bothDigests(): Digest {
    const both = new Digest();
    for (const digest of [this.controlDigest, this.brokerDigest])
      for (const part of digest.save()) both.addInteger(part);
    return both;
  }

  private brokerInput(input: BrokerInput): void {
    // The kernel's own numbers would be used up by somebody else's.
    if ('producer' in input && input.producer === producerName) {
      this.record(refusalOf(input, 'producer name is reserved'), this.brokerDigest);
      return;
    }
    this.broker.handle(input, this.brokerSink);
    // Nothing else makes room in a topic.
    if (input.kind === 'acknowledge' || input.kind === 'unsubscribe') this.pendingEnds.publish(this.publish);
  }

  /** False if the topic is full. */
  private readonly publish = (submitter: number, payload: TaskEnded): boolean => {
    this.refusedByBroker = false;
    const sequence = this.publishCount + 1;
    this.broker.handle(
      {
        kind: 'publish',
        timeMicros: this.nowMicros,
        topic: endsTopic(submitter),
        producer: producerName,
        sequence,
        payload,
      },
      this.brokerSink,
    );
    if (!this.refusedByBroker) this.publishCount = sequence;
    return !this.refusedByBroker;
  };

  private record(effect: Effect, digest: Digest): void {
    this.effectCount++;
    digestEffect(digest, effect);
    this.sink.push(effect);
  }
}

function isKernel(effect: Extract<BrokerEffect, { kind: 'published' | 'refused' }>): boolean {
  return (effect.kind === 'published' ? effect.producer : effect.client) === producerName;
}
