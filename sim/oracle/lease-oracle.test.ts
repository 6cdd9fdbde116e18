// Leases across the processes of a kernel, each with a clock of its own. Within one they are judged in oracles.test.ts.

import { describe, expect, it } from 'vitest';
import { microsPerHour, microsPerSecond } from '../../core/base/time.ts';
import type { Dispatch } from '../../core/kernel/effects.ts';
import type { JournalReport } from '../../core/kernel/journal.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { LeaseOracle } from './lease-oracle.ts';
import { PhysicalWorks } from './physical-work.ts';
import { OracleViolation } from './violation.ts';

const heartbeat = { intervalMicros: 2 * microsPerSecond, leaseMicros: 30 * microsPerSecond };
const { leaseMicros } = heartbeat;
const kernel = undefined as unknown as Kernel;

/** Agent 0, registered at time 0 by input 1; told by hand. */
class Story {
  readonly works = new PhysicalWorks(['a']);
  private readonly oracle: LeaseOracle;

  constructor(clockErrorMicros = 0) {
    this.oracle = new LeaseOracle(this.works, heartbeat, clockErrorMicros, (oracle, what, nowMicros, concerned) => {
      throw new OracleViolation(oracle, what, nowMicros, concerned, []);
    });
    this.works.listeners.push(this.oracle);
    this.takesOver(0, 0).hello(1, 0);
  }

  /** A process with this clock has recovered the inputs up to `lastSequence`. */
  takesOver(aheadMicros: number, lastSequence: number): this {
    this.oracle.kernelClock(aheadMicros);
    this.oracle.kernelRecovered(kernel, { lastSequence } as JournalReport);
    return this;
  }

  /** Of input `sequence`, handled at `handledMicros` of its process's clock. */
  hello(sequence: number, handledMicros: number): this {
    this.released(sequence);
    const effect = {
      kind: 'agentRegistered',
      ...{ gateway: 0, name: 'a', agent: 0, incarnation: 1, helloSentMicros: 0, leaseMicros },
      ...{ heartbeatIntervalMicros: heartbeat.intervalMicros, stop: [] },
    } as const;
    this.works.kernelEffect(effect, handledMicros);
    this.oracle.kernelEffect(effect, handledMicros);
    return this;
  }

  resumed(sequence: number, pausedMicros: number, handledMicros: number): this {
    this.released(sequence);
    this.oracle.kernelInput({ kind: 'resumed', pausedMicros }, handledMicros);
    return this;
  }

  dies(sequence: number, handledMicros: number): string {
    this.released(sequence);
    const change = { agent: 0, from: 'suspect', to: 'dead', reason: 'lease expired' } as const;
    return saysWhat(() => this.oracle.kernelEffect({ kind: 'agentStateChanged', ...change }, handledMicros));
  }

  begins(nowMicros: number): string {
    const dispatch = { agent: 0, incarnation: 1, task: 1, attempt: 1, machines: [0] } as unknown as Dispatch;
    return saysWhat(() => this.works.workStarted(dispatch, [0], nowMicros));
  }

  private released(sequence: number): void {
    this.oracle.inputReleased({ sequence, timeMicros: 0, body: { kind: 'timeReached' }, effects: [] });
  }
}

function saysWhat(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof OracleViolation) return error.what;
    throw error;
  }
  return '';
}

describe('leases across the processes of a kernel', () => {
  it('an agent keeps what it was granted, whatever the next clock shows before the kernel has said how long it was away', () => {
    expect(new Story().takesOver(microsPerHour, 1).begins(leaseMicros)).toBe('');
    expect(new Story().takesOver(-microsPerHour, 1).begins(leaseMicros + 1)).toContain('beyond its lease');
  });

  it('what a former process granted is measured by its clock, however late it is told of', () => {
    const story = new Story().takesOver(microsPerHour, 1).takesOver(-5, 2);
    story.hello(2, microsPerHour + 10);
    expect(story.begins(leaseMicros + 10)).toBe('');
    expect(story.begins(leaseMicros + 11)).toContain(`which ended at ${leaseMicros + 10} µs`);
  });

  it('what a process handled and did not make durable leaves no trace of its clock', () => {
    const story = new Story().takesOver(microsPerHour, 1).takesOver(5, 1);
    story.hello(2, 25);
    expect(story.begins(leaseMicros + 20)).toBe('');
    expect(story.begins(leaseMicros + 21)).toContain('beyond its lease');
  });

  it('what the kernel adds after an outage is its own patience, and not the agent’s to use', () => {
    const story = new Story().takesOver(0, 1).resumed(2, 1000, 1000);
    expect(story.begins(leaseMicros + 1)).toContain(`which ended at ${leaseMicros} µs`);
    expect(story.dies(3, leaseMicros + 1000)).toContain('before its lease ends');
    expect(
      new Story()
        .takesOver(0, 1)
        .resumed(2, 1000, 1000)
        .dies(3, leaseMicros + 1001),
    ).toBe('');
  });

  it('the kernel waits for the true end of a lease, whatever its clock shows', () => {
    const beats = 4 * heartbeat.intervalMicros;
    // An hour has not passed, but the kernel was told that its clock is right.
    const wrong = new Story(1).takesOver(microsPerHour, 1).resumed(2, microsPerHour, microsPerHour);
    expect(wrong.dies(3, microsPerHour + beats + 1)).toContain('by a clock that is wrong');
    const right = new Story(1).takesOver(0, 1).resumed(2, microsPerHour, microsPerHour);
    expect(right.dies(3, microsPerHour + beats + 1)).toBe('');
    // Nobody has told it, and it waits for as long as was left.
    const unknown = new Story(0).takesOver(0, 1).resumed(2, microsPerHour, microsPerHour);
    expect(unknown.dies(3, microsPerHour + beats + 1)).toContain('before its lease ends');
  });
});
