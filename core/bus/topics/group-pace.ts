// When a message may enter a group's hands: at once, not before its time (exclusive groups, where it holds back those behind it),
// and at original speed not before the one before it was delivered and the time that lay between the two has passed, capped.

import type { GroupMode, ReplaySpeed, TopicMessage } from './topic-protocol.ts';

export class GroupPace {
  private readonly waitsInOrder: boolean;
  private readonly isOriginal: boolean;
  private readonly gapMicrosMax: number;
  /** The message before, −1: none since the beginning; when it was published; when it was delivered, Infinity: not yet. */
  private offset = -1;
  private publishMicros = 0;
  private leftMicros = 0;

  constructor(mode: GroupMode, speed: ReplaySpeed, gapMicrosMax: number) {
    this.waitsInOrder = mode === 'exclusive';
    this.isOriginal = speed === 'original';
    this.gapMicrosMax = gapMicrosMax;
  }

  /** Begins anew: the next message may enter at once. */
  restart(): void {
    this.offset = -1;
  }

  /** The earliest time at which the next message may enter. */
  timeOf(message: TopicMessage): number {
    const inOrder = this.waitsInOrder ? message.deliverAtMicros : -1;
    if (!this.isOriginal || this.offset < 0) return inOrder;
    const gap = Math.min(Math.max(0, message.publishMicros - this.publishMicros), this.gapMicrosMax);
    return Math.max(inOrder, this.leftMicros + gap);
  }

  entered(message: TopicMessage): void {
    this.offset = message.offset;
    this.publishMicros = message.publishMicros;
    if (this.isOriginal) this.leftMicros = Number.POSITIVE_INFINITY;
  }

  /** A message was delivered, or dropped. */
  left(offset: number, nowMicros: number): void {
    if (offset === this.offset && this.leftMicros === Number.POSITIVE_INFINITY) this.leftMicros = nowMicros;
  }
}

/** Wait after attempt `attempts` failed: doubled with each, capped, shortened by a random share of up to `jitter`. */
export function backoffMicros(
  attempts: number,
  floorMicros: number,
  ceilingMicros: number,
  jitter: number,
  random: number,
): number {
  let wait = floorMicros;
  for (let failed = 1; failed < attempts && wait < ceilingMicros; failed++) wait *= 2;
  wait = Math.min(wait, ceilingMicros);
  return Math.max(1, Math.round(wait - wait * jitter * random));
}
