// The demo and its disturbance, as people run them: real processes, from the first line to the clean end. The arithmetic of the
// audit is checked by hand.

import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { built, killed, LiveProcesses } from '../../core/live/live-processes.contract.ts';
import { balance, type RecordedAttempt, type RunRecord, timesOf } from './audit-journal.ts';
import { summarize } from './chaos-command.ts';

let processes: LiveProcesses | undefined;
afterEach(() => processes?.end());

function sira(...words: string[]): {
  readonly child: ChildProcess;
  readonly said: () => string;
  end(): Promise<number>;
} {
  const child = processes!.spawn(process.execPath, [join(built, 'sira.js'), ...words], {
    ...process.env,
    SIRA_TENSORFLOW_BACKEND: 'wasm',
  });
  let text = '';
  child.stdout?.on('data', (bytes) => {
    text += bytes;
  });
  const end = (): Promise<number> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode ?? -1);
      else child.once('close', (code) => resolve(code ?? -1));
    });
  return { child, said: () => text, end };
}

describe('sira demo and sira chaos', () => {
  test('an agent and the kernel are killed: nothing is lost, and Ctrl-C ends all', async () => {
    processes = new LiveProcesses();
    const folder = join(processes.folder, 'demo');
    const demo = sira('demo', '--data', folder, '--agents', '2', '--speed', '4');
    const end = performance.now() + 60_000;
    while (!demo.said().includes('sira chaos') && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(demo.said(), processes.errors.join('')).toMatch(/console +http:\/\/127\.0\.0\.1:\d+/);
    const url = /http:\/\/[\d.:]+/.exec(demo.said())![0];
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);

    const chaos = sira('chaos', '--data', folder, '--faults', 'kill,kernel', '--json');
    expect(await chaos.end(), processes.errors.join('') + chaos.said()).toBe(0);
    const result = JSON.parse(chaos.said());
    expect(result).toMatchObject({ lost: [], twice: [], drained: true, open: 0, replay: 'equal', unrecovered: 0 });
    expect(result.acknowledged).toBeGreaterThan(5);
    expect(result.times.map(({ fault }: { fault: string }) => fault)).toEqual(['kill', 'kernel']);
    // What the kernel cannot know at once takes time: a figure of nothing would be none.
    expect(result.times[1].recoveredMicros[0]).toBeGreaterThan(50_000);

    expect(await killed(demo.child, 'SIGINT')).toBe(0);
    expect(demo.said()).toContain(' 0 failed, 0 with wrong results, 0 left open');
    await expect(fetch(url)).rejects.toThrow();
  }, 150_000);

  test('say what is wrong with what was typed', async () => {
    processes = new LiveProcesses();
    expect(await sira('demo', '--agents', '0').end()).toBe(2);
    expect(await sira('chaos', '--faults', 'flood').end()).toBe(2);
    expect(await sira('chaos', '--data', 'nowhere').end()).not.toBe(0);
    expect(processes.errors.join('')).toContain('no demo runs in');
  });
});

function attempt(
  task: number,
  number: number,
  agent: string,
  placed: number,
  begun: number,
  done = -1,
): RecordedAttempt {
  return { task, attempt: number, agent, placedMicros: placed, begunMicros: begun, completedMicros: done };
}

function record(attempts: readonly RecordedAttempt[], more: Partial<RunRecord> = {}): RunRecord {
  return { attempts, resumedMicros: [], setAside: [], accepted: new Set(), ends: new Map(), ...more };
}

describe('the audit', () => {
  test('times each task that was hit, from the fault or from when it was given to the agent', () => {
    const run = record([
      attempt(1, 1, 'a', 10, 11, 90), // Ended before the fault.
      attempt(2, 2, 'a', 50, 51),
      attempt(3, 3, 'a', 120, -1), // Given to an agent that was dead already.
      attempt(4, 4, 'b', 60, 61, 130),
      attempt(2, 5, 'b', 300, 310, 400),
      attempt(3, 6, 'b', 300, 330, 400),
      attempt(5, 7, 'a', 20, 21), // Displaced by an earlier fault.
      attempt(5, 8, 'b', 40, 41, 70),
      attempt(6, 9, 'a', 90, 91),
    ]);
    const times = timesOf({ fault: 'kill', agent: 'a', atMicros: 100, untilMicros: 500 }, run);
    expect(times).toMatchObject({ recoveredMicros: [210, 210], unrecovered: 1 });
  });

  test('counts from when an agent was set aside, or the kernel was back', () => {
    const run = record([attempt(1, 1, 'a', 150, 151), attempt(2, 2, 'b', 160, 161), attempt(3, 3, 'b', 220, 240)], {
      setAside: [{ agent: 'a', atMicros: 200 }],
      resumedMicros: [50, 155],
    });
    const at = { atMicros: 100, untilMicros: 500 };
    expect(timesOf({ fault: 'slow', agent: 'a', ...at }, run).recoveredMicros).toEqual([140]);
    expect(timesOf({ fault: 'slow', agent: 'b', ...at }, run).unrecovered).toBe(1);
    expect(timesOf({ fault: 'kernel', agent: '', ...at }, run).recoveredMicros).toEqual([61]);
    expect(timesOf({ fault: 'kernel', agent: '', ...at, untilMicros: 160 }, run).unrecovered).toBe(1);
  });

  test('finds what is lost, and what ended twice', () => {
    const run = record([], {
      accepted: new Set([1, 2, 3, 5]),
      ends: new Map([
        [1, 1],
        [2, 2],
        [5, 1],
      ]),
    });
    expect(balance({ acknowledged: [1, 2, 3, 4], told: [1, 2, 3, 5, 5] }, run)).toEqual({
      lost: [3, 4],
      twice: [2, 5],
    });
  });

  test('judges by the last task that each fault hit', () => {
    const fault = { fault: 'kill', agent: 'a', atMicros: 0, untilMicros: 1, unrecovered: 0 } as const;
    const of = (...recoveredMicros: number[]) => ({ ...fault, recoveredMicros });
    expect(summarize([of(1e6, 3e6), of(), of(4e6), of(20e6)])).toMatchObject({
      medianMicros: 4e6,
      worstMicros: 20e6,
      meetsGoals: true,
    });
    expect(summarize([of(31e6), of(1e6), of(1e6)]).meetsGoals).toBe(false);
    expect(summarize([of(6e6)]).meetsGoals).toBe(false);
  });
});
