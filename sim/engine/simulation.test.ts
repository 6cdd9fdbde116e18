import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../core/base/assert.ts';
import { SiraError } from '../../core/base/errors.ts';
import { eventPriority } from './priority.ts';
import { defaultSimulationLimits, Simulation } from './simulation.ts';

/** A simulation whose one handler records what runs. */
function recorder(): { simulation: Simulation; handler: number; ran: [number, number][] } {
  const simulation = new Simulation(defaultSimulationLimits);
  const ran: [number, number][] = [];
  const handler = simulation.defineHandler('record', (target) => ran.push([simulation.nowMicros, target]));
  return { simulation, handler, ran };
}

function failureOf(run: () => void): SiraError {
  try {
    run();
  } catch (error) {
    if (error instanceof SiraError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('order', () => {
  test('events of one instant run by priority, then as scheduled', () => {
    const { simulation, handler, ran } = recorder();
    simulation.schedule(5, eventPriority.instantEnd, handler, 1, undefined);
    simulation.schedule(5, eventPriority.message, handler, 2, undefined);
    simulation.schedule(5, eventPriority.message, handler, 3, undefined);
    simulation.schedule(5, eventPriority.arrival, handler, 4, undefined);
    simulation.schedule(4, eventPriority.world, handler, 5, undefined);
    simulation.runUntil(10);
    expect(ran).toEqual([
      [4, 5],
      [5, 4],
      [5, 2],
      [5, 3],
      [5, 1],
    ]);
    expect(simulation.nowMicros).toBe(10);
    expect(simulation.eventCount).toBe(5);
  });

  test('a zero delay means the same timestamp, after what is scheduled already, before what is less urgent', () => {
    const simulation = new Simulation(defaultSimulationLimits);
    const ran: string[] = [];
    const reply = simulation.defineHandler('reply', (target) => ran.push(`reply ${target} at ${simulation.nowMicros}`));
    const ask = simulation.defineHandler('ask', (target) => {
      ran.push(`ask ${target} at ${simulation.nowMicros}`);
      simulation.schedule(simulation.nowMicros, eventPriority.message, reply, target, undefined);
    });
    const end = simulation.defineHandler('end', () => ran.push(`end at ${simulation.nowMicros}`));
    simulation.schedule(7, eventPriority.instantEnd, end, 0, undefined);
    simulation.schedule(7, eventPriority.message, ask, 1, undefined);
    simulation.schedule(7, eventPriority.message, ask, 2, undefined);
    simulation.runUntil(7);
    expect(ran).toEqual(['ask 1 at 7', 'ask 2 at 7', 'reply 1 at 7', 'reply 2 at 7', 'end at 7']);
  });

  test('any way of cutting the run into pieces runs the same events', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(50), fc.nat(3)), { maxLength: 100 }),
        fc.array(fc.nat(60), { maxLength: 10 }),
        (events, cuts) => {
          const whole = recorder();
          const pieces = recorder();
          for (const { simulation, handler } of [whole, pieces]) {
            events.forEach(([at, priority], index) => {
              simulation.schedule(at, priority, handler, index, undefined);
            });
          }
          whole.simulation.runUntil(60);
          for (const until of [...cuts, 60].sort((a, b) => a - b)) pieces.simulation.runUntil(until);
          expect(pieces.ran).toEqual(whole.ran);
        },
      ),
    );
  });
});

describe('control', () => {
  test('events up to and including the bound run, later ones wait', () => {
    const { simulation, handler, ran } = recorder();
    for (const at of [1, 2, 3]) simulation.schedule(at, 10, handler, at, undefined);
    simulation.runUntil(2);
    expect(ran).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect([simulation.nowMicros, simulation.pendingCount]).toEqual([2, 1]);
    simulation.schedule(2, 10, handler, 4, undefined);
    simulation.runUntil(3);
    expect(ran.slice(2)).toEqual([
      [2, 4],
      [3, 3],
    ]);
  });

  test('a cancelled event does not run, and only a pending one can be cancelled', () => {
    const { simulation, handler, ran } = recorder();
    const first = simulation.schedule(1, 10, handler, 1, { large: true });
    const second = simulation.schedule(1, 10, handler, 2, undefined);
    expect(simulation.cancel(first)).toBe(true);
    expect(simulation.cancel(first)).toBe(false);
    simulation.runUntil(1);
    expect(ran).toEqual([[1, 2]]);
    expect(simulation.cancel(second)).toBe(false);
  });

  test('a handler stops the run; the clock stays, and the next run goes on', () => {
    const { simulation, handler, ran } = recorder();
    const stop = simulation.defineHandler('stop', () => simulation.stop());
    simulation.schedule(1, 10, stop, 0, undefined);
    simulation.schedule(1, 20, handler, 1, undefined);
    simulation.runUntil(9);
    expect([simulation.nowMicros, ran.length]).toEqual([1, 0]);
    simulation.runUntil(9);
    expect([simulation.nowMicros, ran.length]).toEqual([9, 1]);
  });

  test('a step runs one event', () => {
    const { simulation, handler, ran } = recorder();
    simulation.schedule(5, 10, handler, 1, undefined);
    expect([simulation.step(), simulation.step()]).toEqual([true, false]);
    expect(ran).toEqual([[5, 1]]);
    // A step that found nothing does not move the clock.
    simulation.schedule(6, 10, handler, 2, undefined);
    simulation.runUntil(6);
    expect(ran).toEqual([
      [5, 1],
      [6, 2],
    ]);
  });

  test('a handler that throws leaves the simulation whole', () => {
    const { simulation, handler, ran } = recorder();
    const fail = simulation.defineHandler('fail', () => {
      throw new Error('mine');
    });
    simulation.schedule(1, 10, fail, 0, undefined);
    simulation.schedule(2, 10, handler, 1, undefined);
    expect(() => simulation.runUntil(5)).toThrow('mine');
    expect(simulation.causalChain()).toEqual(['fail(0) at 1 µs']);
    simulation.runUntil(5);
    expect(ran).toEqual([[2, 1]]);
  });

  test('payloads arrive as they were', () => {
    const simulation = new Simulation(defaultSimulationLimits);
    const payloads: unknown[] = [];
    const handler = simulation.defineHandler('keep', (_, payload) => payloads.push(payload));
    const sent = [undefined, null, 0, false, 'text', { object: true }, undefined];
    sent.forEach((payload, index) => {
      simulation.schedule(index, 10, handler, 0, payload);
    });
    simulation.runUntil(10);
    expect(payloads).toEqual(sent);
  });

  test('mistakes of the programmer are assertions', () => {
    const { simulation, handler } = recorder();
    simulation.runUntil(10);
    const wrong: [number, number, number, number][] = [
      [9, 10, handler, 0],
      [10.5, 10, handler, 0],
      [Number.NaN, 10, handler, 0],
      [Number.POSITIVE_INFINITY, 10, handler, 0],
      [11, -1, handler, 0],
      [11, 256, handler, 0],
      [11, 10, handler + 1, 0],
      [11, 10, -1, 0],
      [11, 10, handler, 2 ** 31],
      [11, 10, handler, 0.5],
    ];
    for (const [at, priority, id, target] of wrong) {
      expect(() => simulation.schedule(at, priority, id, target, undefined)).toThrow(AssertionError);
    }
    expect(() => simulation.runUntil(9)).toThrow(AssertionError);
    const nested = simulation.defineHandler('nested', () => simulation.runUntil(20));
    simulation.schedule(11, 10, nested, 0, undefined);
    expect(() => simulation.runUntil(12)).toThrow(AssertionError);
  });
});

describe('limits', () => {
  test('an exchange without end at one instant breaks the causal depth, and the error says who', () => {
    const simulation = new Simulation({ eventsPerInstantMax: 1_000_000, causalDepthMax: 1_000 });
    const ping = simulation.defineHandler('ping', (target) => {
      simulation.schedule(simulation.nowMicros, eventPriority.message, pong, target + 1, undefined);
    });
    const pong = simulation.defineHandler('pong', (target) => {
      simulation.schedule(simulation.nowMicros, eventPriority.message, ping, target + 1, undefined);
    });
    simulation.schedule(42, eventPriority.arrival, ping, 0, undefined);
    const failure = failureOf(() => simulation.runUntil(100));
    expect(failure.code).toBe('SIRA_LIMIT_EXCEEDED');
    expect(failure.message).toContain('causal chain of more than 1000 events at one instant, 42 µs');
    expect(failure.message).toContain('pong(1001) at 42 µs ← ping(1000) at 42 µs ← pong(999)');
    expect(simulation.causalChain(20)).toHaveLength(20);
    expect(simulation.eventCount).toBe(1002);
  });

  test('the depth of a chain starts anew when time goes on', () => {
    const simulation = new Simulation({ eventsPerInstantMax: 10, causalDepthMax: 1 });
    const step = simulation.defineHandler('step', (target) => {
      if (target < 1_000)
        simulation.schedule(simulation.nowMicros + (target % 2), eventPriority.timer, step, target + 1, undefined);
    });
    simulation.schedule(0, eventPriority.timer, step, 0, undefined);
    simulation.runUntil(1_000);
    expect(simulation.eventCount).toBe(1_001);
  });

  test('a broad burst breaks the events per instant, exactly at the limit', () => {
    for (const events of [100, 101]) {
      const limited = new Simulation({ eventsPerInstantMax: 100, causalDepthMax: 0 });
      const handler = limited.defineHandler('record', () => {});
      for (let count = 0; count < events; count++) limited.schedule(3, 10, handler, count, undefined);
      if (events === 100) limited.runUntil(3);
      else expect(failureOf(() => limited.runUntil(3)).message).toContain('more than 100 events at one instant, 3 µs');
    }
  });

  test('the defaults let a fleet of thousands register one after the other at one instant', () => {
    const simulation = new Simulation(defaultSimulationLimits);
    let registered = 0;
    const hello = simulation.defineHandler('hello', (agent) => {
      simulation.schedule(simulation.nowMicros, eventPriority.message, welcome, agent, undefined);
    });
    const welcome = simulation.defineHandler('welcome', (agent) => {
      registered++;
      if (agent < 10_000) simulation.schedule(simulation.nowMicros, eventPriority.message, hello, agent + 1, undefined);
    });
    simulation.schedule(0, eventPriority.world, hello, 1, undefined);
    simulation.runUntil(0);
    expect(registered).toBe(10_000);
  });

  test('a chain reaches back over time as far as is remembered', () => {
    const { simulation, handler } = recorder();
    let chain: string[] = [];
    const look = simulation.defineHandler('look', () => {
      chain = simulation.causalChain();
    });
    const start = simulation.defineHandler('start', () => simulation.schedule(1_000, 10, look, 2, undefined));
    simulation.schedule(10, 10, start, 1, undefined);
    for (let at = 11; at < 900; at++) simulation.schedule(at, 10, handler, 0, undefined);
    simulation.runUntil(1_000);
    expect(chain).toEqual(['look(2) at 1000 µs', 'start(1) at 10 µs']);
    expect(simulation.causalChain(1)).toEqual(['look(2) at 1000 µs']);
  });
});

test('a dump lists what comes next', () => {
  const { simulation, handler } = recorder();
  simulation.runUntil(3);
  for (let index = 0; index < 5; index++) simulation.schedule(9 - index, 10, handler, index, undefined);
  expect(simulation.dump(2)).toBe(
    [
      'now 3 µs, 0 events run, 5 pending',
      '  5 µs  priority 10  #4  record(4)',
      '  6 µs  priority 10  #3  record(3)',
      '  … and 3 more',
    ].join('\n'),
  );
});
