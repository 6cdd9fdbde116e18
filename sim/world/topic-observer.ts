// Who may watch a world of durable topics: oracles and counters. They see what the broker hears and says, in order, and when its
// process dies; they change nothing.

import type { TopicEffect, TopicInput, TopicsReport } from '../../core/bus/topics/topic-protocol.ts';

export interface TopicObserver {
  /** Before the broker handles it. */
  heard?(input: TopicInput, nowMicros: number): void;
  /** At once; file operations excepted. */
  said?(effect: TopicEffect, nowMicros: number): void;
  /** The process has died, with all that it remembered. */
  down?(nowMicros: number): void;
  /** The process stood still for so long, and goes on now. */
  paused?(byMicros: number, nowMicros: number): void;
  opened?(report: TopicsReport, nowMicros: number): void;
  /** An input came while nothing was taken. */
  lost?(input: TopicInput, nowMicros: number): void;
  /** A fault of the plan begins (`active`) or ends. */
  faultChanged?(fault: string, active: boolean, nowMicros: number): void;
}
