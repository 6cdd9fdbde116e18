// Which stretches of a life are played event by event: those around every change of what works and what does not. Between them
// nothing changes: the same machines are up, the network is sound, no queue stands. There every request is served, which the
// study does not take on trust: control stretches drawn from the calm are played as well, and a test plays a whole span both ways.

import { assert } from '../../../core/base/assert.ts';
import { RandomStream } from '../../../core/base/random.ts';
import { microsPerMinute, microsPerSecond } from '../../../core/base/time.ts';
import type { DrawnFault } from './draw-faults.ts';

export interface Window {
  /** The world begins, with requests that fill it and are not counted. */
  readonly beginMicros: number;
  /** Requests that come from here on are counted, … */
  readonly fromMicros: number;
  /** … until here at least: the window goes on until everything is as calm as before. */
  readonly untilMicros: number;
  /** Drawn from the calm. */
  readonly isControl: boolean;
}

/** A request that came so long before a fault has ended when it strikes. */
const beforeMicros = 30 * microsPerSecond;
const afterMicros = 80 * microsPerSecond;
const warmUpMicros = 40 * microsPerSecond;
/** What is judged by the last results of each machine needs a history. */
const historyMicros = 30 * microsPerMinute;
/** Worlds begin in step with the heartbeats. */
const grainMicros = microsPerSecond;

/** Rising and apart; what overlaps is one. */
export function planWindows(faults: readonly DrawnFault[], spanMicros: number): Window[] {
  const changes: Window[] = faults.flatMap(({ effect, atMicros, forMicros }) => {
    const endMicros = atMicros + forMicros;
    if (effect === 'down' || effect === 'cut')
      return [around(atMicros, atMicros, warmUpMicros), around(endMicros, endMicros, warmUpMicros)];
    return [around(atMicros, endMicros, effect === 'slow' ? historyMicros : warmUpMicros)];
  });
  changes.sort((left, right) => left.beginMicros - right.beginMicros);
  const windows: Window[] = [];
  for (const change of changes) {
    if (change.fromMicros >= spanMicros) continue;
    const next = { ...change, untilMicros: Math.min(change.untilMicros, spanMicros) };
    const last = windows.at(-1);
    if (last === undefined || next.beginMicros > last.untilMicros) windows.push(next);
    else {
      // The begin of what follows is simulated anyway.
      const fromMicros = Math.min(last.fromMicros, Math.max(next.fromMicros, last.beginMicros + warmUpMicros));
      windows[windows.length - 1] = {
        ...last,
        fromMicros,
        untilMicros: Math.max(last.untilMicros, next.untilMicros),
      };
    }
  }
  return windows;
}

/** `count` stretches of the calm, each of `lengthMicros`, drawn from the seed. */
export function drawControls(
  windows: readonly Window[],
  spanMicros: number,
  seed: number,
  count: number,
  lengthMicros: number,
): Window[] {
  const random = new RandomStream(seed, 'availability.controls');
  const controls: Window[] = [];
  const isCalm = (begin: number, until: number): boolean =>
    windows.every((window) => until <= window.fromMicros || begin >= window.untilMicros);
  for (let tries = 0; controls.length < count && tries < 20 * count; tries++) {
    const begin = grain(random.nextFloat() * (spanMicros - warmUpMicros - lengthMicros));
    const until = begin + warmUpMicros + lengthMicros;
    if (!isCalm(begin, until)) continue;
    controls.push({ beginMicros: begin, fromMicros: begin + warmUpMicros, untilMicros: until, isControl: true });
  }
  return controls.sort((left, right) => left.beginMicros - right.beginMicros);
}

function around(firstMicros: number, lastMicros: number, leadMicros: number): Window {
  const fromMicros = grain(Math.max(0, firstMicros - beforeMicros));
  const beginMicros = Math.max(0, fromMicros - leadMicros);
  assert(beginMicros % grainMicros === 0, 'worlds begin in step with the heartbeats');
  return { beginMicros, fromMicros, untilMicros: grain(lastMicros + afterMicros), isControl: false };
}

function grain(micros: number): number {
  return grainMicros * Math.floor(micros / grainMicros);
}
