// When a message may enter a group's hands: at once, not before its time (exclusive groups, where it holds back those behind it),
// and at original speed not before the time that lay between it and the one before it has passed, capped.

import type { GroupMode, ReplaySpeed, TopicMessage } from './topic-protocol.ts';

export class GroupPace {
  private readonly waitsInOrder: boolean;
  private readonly isOriginal: boolean;
  private readonly gapMicrosMax: number;
  /** Of the message before, −1: none since the beginning. */
  private publishMicros = -1;
  private entryMicros = 0;

  constructor(mode: GroupMode, speed: ReplaySpeed, gapMicrosMax: number) {
    this.waitsInOrder = mode === 'exclusive';
    this.isOriginal = speed === 'original';
    this.gapMicrosMax = gapMicrosMax;
  }

  /** Begins anew: the next message may enter at once. */
  restart(): void {
    this.publishMicros = -1;
  }

  /** The earliest time at which the next message may enter. */
  timeOf(message: TopicMessage): number {
    const inOrder = this.waitsInOrder ? message.deliverAtMicros : -1;
    if (!this.isOriginal || this.publishMicros < 0) return inOrder;
    const gap = Math.min(Math.max(0, message.publishMicros - this.publishMicros), this.gapMicrosMax);
    return Math.max(inOrder, this.entryMicros + gap);
  }

  entered(message: TopicMessage, nowMicros: number): void {
    if (!this.isOriginal) return;
    this.publishMicros = message.publishMicros;
    this.entryMicros = nowMicros;
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
