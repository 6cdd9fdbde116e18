// Fault points: places inside the product where a rare path can be taken on purpose, so that simulation reaches in minutes what
// operation reaches in years (FoundationDB's BUGGIFY, flow/include/flow/Buggify.h: a point is armed in a run with one probability,
// and an armed point fires with another). What a point does must be within what its code promises anyway: a batch of one record, a
// retry that comes early, a cache that has forgotten. Which points are armed follows from a seed alone. Parts are handed their
// points by constructor; those inside the kernel's state machine belong to its state (the seed is a setting, the stream is in the
// snapshot), so that a replay takes the same paths. Disarmed, a point costs one test.

import { assert } from './assert.ts';
import { type RandomState, RandomStream } from './random.ts';

/** Every fault point: what happens when it fires. */
export const faultPointTable = {
  'log.oneRecord': 'a batch takes one record, although more wait',
  'log.earlyRoll': 'a segment is closed after a batch, although it is not full',
  'log.earlyMark': 'the last batch gets its proof at once',
  'log.shortRead': 'a read ends after its first record',
  'log.lostPlaces': 'sequential readers have to find their place anew',
  'log.lostIndexes': 'indices of closed segments are dropped from memory',
  'journal.snapshotNow': 'a snapshot is taken after any input',
  'journal.snapshotLate': 'a snapshot that is due waits for the next input',
  'journal.pause': 'no more inputs are taken, as if too many were held',
  'journal.oneHeld': 'inputs are refused while anything is held',
  'agent.retrySoon': 'an answer is missed after a fraction of the time',
  'agent.helloAgain': 'an agent that is registered says hello once more',
  'agent.acceptTwice': 'an acceptance is said twice',
  'submitter.retrySoon': 'an answer is missed after a fraction of the time',
  'submitter.acknowledgeNow': 'an end is acknowledged by itself',
  'submitter.acknowledgeLate': 'a due acknowledgement waits once more',
  'submitter.reconnect': 'everything unacknowledged is asked for again',
  'submitter.notSettled': 'answered submissions are not mentioned',
  'scheduler.shortCycle': 'a cycle ends after a placement; the next input goes on',
  'scheduler.lostScores': 'all columns of scores are computed anew',
  'admission.full': 'a submission is refused as if the queue were full',
  'dispatch.repeatSoon': 'a dispatch or a stop is repeated after a fraction of the time',
  'bus.creditOne': 'a subscription that has something in flight gets no more',
  'bus.topicFull': 'a topic that holds something has no room',
  'bus.redeliverNow': 'the oldest unacknowledged message is delivered again at once',
  'registry.sweepNow': 'the overdue are looked for with a batch of heartbeats',
  'kernel.wakeEarly': 'the kernel asks to be woken before anything is due',
} as const;

export type FaultPointName = keyof typeof faultPointTable;

/** What a part asks at each of its points. */
export interface FaultSwitch {
  /** True: take the rare path now. */
  fires(name: FaultPointName): boolean;
}

/** Nothing is armed. */
export const noFaults: FaultSwitch = Object.freeze({ fires: () => false });

/** Share of the points that are armed in a run, and how often an armed one fires: one of these. */
const armedShare = 0.35;
const probabilities = [0.005, 0.05, 0.2, 0.5] as const;

export class FaultPoints implements FaultSwitch {
  /** Times that each point has fired since the points were armed. */
  readonly fired = new Map<FaultPointName, number>();
  private armed: ReadonlyMap<FaultPointName, number> | undefined;
  private random = new RandomStream(0, 'fault points');

  /** `seed` decides what is armed, 0 arms nothing; `part` keeps the parts of one run apart. */
  constructor(seed: number, part: string) {
    this.arm(seed, part);
  }

  get isArmed(): boolean {
    return this.armed !== undefined;
  }

  /** By name: the probability with which the point fires; those that are not armed are left out. */
  get probabilities(): ReadonlyMap<FaultPointName, number> {
    return this.armed ?? new Map();
  }

  arm(seed: number, part: string): void {
    assert(Number.isSafeInteger(seed) && seed >= 0, 'a seed is a whole number');
    if (seed === 0) {
      this.disarm();
      return;
    }
    const draw = new RandomStream(seed, `fault points are armed: ${part}`);
    const armed = new Map<FaultPointName, number>();
    for (const name of Object.keys(faultPointTable) as FaultPointName[]) {
      // Both are drawn for every point, so that a new one leaves the others as they were.
      const isArmed = draw.nextFloat() < armedShare;
      const probability = probabilities[draw.nextBelow(probabilities.length)] as number;
      if (isArmed) armed.set(name, probability);
    }
    this.armed = armed;
    this.random = new RandomStream(seed, `fault points: ${part}`);
  }

  /** From now on nothing fires. */
  disarm(): void {
    this.armed = undefined;
  }

  fires(name: FaultPointName): boolean {
    if (this.armed === undefined) return false;
    const probability = this.armed.get(name);
    if (probability === undefined || this.random.nextFloat() >= probability) return false;
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
    return true;
  }

  /** Of the stream; what is armed follows from the seed. Undefined if nothing is armed. */
  save(): RandomState | undefined {
    return this.isArmed ? this.random.save() : undefined;
  }

  restore(state: RandomState | undefined): void {
    assert((state !== undefined) === this.isArmed, 'points are restored as they were armed');
    if (state !== undefined) this.random.restore(state);
  }
}
