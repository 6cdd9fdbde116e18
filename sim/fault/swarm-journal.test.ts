// Kernels with a journal under faults, watched by every oracle: drawn cases, and each trouble of the kernel and its disk alone.

import { describe, expect, it } from 'vitest';
import { microsPerSecond } from '../../core/base/time.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { FaultSpec, KernelFaultKind } from '../experiment/scenario.ts';
import { RecoveryOracle } from '../oracle/recovery-oracle.ts';
import { soundDisk } from '../world/disk-spec.ts';
import type { WorldObserver } from '../world/observer.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { runSwarmCase, type SwarmCase, type SwarmResult } from './swarm.ts';
import { drawJournalCase } from './swarm-journal.ts';

interface JournalRun extends SwarmResult {
  readonly recovery: RecoveryOracle;
}

/** Runs a case; every task must have an outcome, and the kernel be where one is that never crashed. */
function run(drawn: SwarmCase, observers: readonly WorldObserver[] = []): JournalRun {
  const recovery = new RecoveryOracle(drawn.profile);
  const result = runSwarmCase(drawn, { observers: [recovery, ...observers] });
  expect(result.outcomes.size).toBe(drawn.tasks.length);
  // What is still on its way to the disk arrives.
  const { world } = result;
  world.runUntil(world.simulation.nowMicros + 60 * microsPerSecond);
  const { kernel } = world.host;
  expect(kernel.control.taskCountNow).toBe(0);
  expect(kernel.control.scheduler.attempts.size).toBe(0);
  if (recovery.kernel?.lastSequence === kernel.lastSequence) expect(recovery.kernel.digest).toBe(kernel.digest);
  return { ...result, recovery };
}

/** A journal, and no other trouble than these. */
function calm(seed: number, faults: readonly FaultSpec[]): SwarmCase {
  const drawn = drawJournalCase(seed);
  return {
    ...drawn,
    profile: { ...drawn.profile, unplaced: 'skip', backfill: 'none', overtakeMax: 0, preempt: 'never' },
    tasks: drawn.tasks.map(({ gang: _gang, ...task }) => task),
    network: soundNetwork(200),
    heartbeat: { intervalMicros: 4 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
    faults,
    queueLengthMax: 1_000_000,
    cancellations: [],
    journal: { disk: soundDisk, settings: { snapshotInputs: 100 } },
  };
}

const strike = (kind: KernelFaultKind, at: number, length: number, factor = 1): FaultSpec => ({
  kind,
  atMicros: at * microsPerSecond,
  forMicros: length * microsPerSecond,
  machines: [],
  factor,
});

const outcomesOf = ({ outcomes }: SwarmResult): ReadonlySet<string> => new Set(outcomes.values());

describe('drawn cases', () => {
  it('keep every promise, and the kernel that comes back is the one that went', () => {
    let recoveries = 0;
    let repeated = 0;
    let lost = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { recovery, world } = run(drawJournalCase(seed));
      recoveries += recovery.recoveries;
      repeated += recovery.repeated;
      lost += world.journaled?.lostCount ?? 0;
    }
    expect(recoveries).toBeGreaterThan(10);
    expect(repeated, 'effects leave twice, and receivers drop what they have seen').toBeGreaterThan(5);
    expect(lost).toBeGreaterThan(100);
  });

  it('are reproduced by their seed', () => {
    for (const seed of [7, 11]) expect(run(drawJournalCase(seed)).digest).toBe(run(drawJournalCase(seed)).digest);
  });
});

describe('a power failure of the kernel', () => {
  const times = [50, 130, 210];
  it.each([0.001, 1, 10, 25])('for %d s, shorter than the leases, stops no work', (seconds) => {
    for (const seed of [1, 2, 3]) {
      const drawn = calm(
        seed,
        times.map((at) => strike('kernelCrash', at, seconds)),
      );
      const result = run(drawn);
      expect(result.recovery.recoveries).toBe(3);
      expect(outcomesOf(result)).toEqual(new Set(['completed']));
      expect(result.world.host.kernel.counts.placements).toBe(drawn.tasks.length);
    }
  });

  it('for longer than the leases costs the work that ran, and nothing else', () => {
    for (const seed of [1, 2, 3]) {
      const drawn = calm(
        seed,
        times.map((at) => strike('kernelCrash', at, 70)),
      );
      const result = run(drawn);
      expect(outcomesOf(result)).toEqual(new Set(['completed']));
      expect(result.world.host.kernel.counts.placements).toBeGreaterThan(drawn.tasks.length);
    }
  });

  it('while it recovers, again and again', () => {
    const faults = Array.from({ length: 40 }, (_, index) => strike('kernelCrash', 60 + index * 0.0017, 0.0005));
    for (const seed of [1, 2, 3]) {
      const result = run(calm(seed, faults));
      expect(outcomesOf(result)).toEqual(new Set(['completed']));
    }
  });
});

describe('the disk of the journal', () => {
  it('is slow: later, but all of it', () => {
    const late: number[] = [];
    for (const faults of [[], [strike('diskSlow', 10, 200, 300)]]) {
      const delays: number[] = [];
      const observer: WorldObserver = {
        kernelEffect: (effect: Effect, nowMicros, handledMicros = nowMicros) => {
          if (effect.kind === 'dispatch') delays.push(nowMicros - handledMicros);
        },
      };
      expect(outcomesOf(run(calm(1, faults), [observer]))).toEqual(new Set(['completed']));
      late.push(delays.reduce((sum, delay) => sum + delay, 0) / delays.length);
    }
    expect(late[0]).toBeGreaterThan(300);
    expect(late[0]).toBeLessThan(1500);
    expect(late[1]).toBeGreaterThan(10 * (late[0] as number));
  });

  it('is full: submissions are told so, nothing that was acknowledged is lost, and all goes on', () => {
    for (const seconds of [5, 120]) {
      const drawn = calm(2, [strike('diskFull', 60, seconds)]);
      const result = run(drawn);
      expect(result.world.deferralCount).toBeGreaterThan(0);
      expect(outcomesOf(result)).toEqual(new Set(['completed']));
    }
  });

  it('has rotted: the kernel does not come back, and says what is damaged', () => {
    const drawn = calm(3, [strike('diskRot', 100, 1, 2000), strike('kernelCrash', 101, 1)]);
    expect(() => run(drawn)).toThrow(expect.objectContaining({ code: 'SIRA_LOG_CORRUPT' }));
  });
});
