// Further troubles, each alone over a calm case, watched by every oracle; and what a horizon does.

import { describe, expect, it } from 'vitest';
import { microsPerSecond } from '../../core/base/time.ts';
import { leaseIntervalsMin } from '../../core/config/kernel-setting-table.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import { soundDisk } from '../world/disk-spec.ts';
import type { WorldObserver } from '../world/observer.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { horizonMicros } from './case-phases.ts';
import { checkCase, drawCase } from './check-case.ts';
import { drawSwarmCase, runSwarmCase, type SwarmCase, type SwarmResult } from './swarm.ts';

/** The drawn cluster and half a hundred tasks, without any trouble. */
function calmCase(seed: number, changes: Partial<SwarmCase> = {}): SwarmCase {
  const { machines, tasks, profile } = drawSwarmCase(seed);
  return {
    seed,
    machines,
    tasks: tasks.slice(0, 50),
    profile: { ...profile, order: 'fcfs', place: 'best-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 0 },
    network: soundNetwork(200),
    heartbeat: { intervalMicros: 4 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
    faults: [],
    queueLengthMax: 1_000_000,
    cancellations: [],
    ...changes,
  };
}

function fault(
  kind: FaultSpec['kind'],
  seconds: number,
  factor = 1,
  machines: FaultSpec['machines'] = [],
): FaultSpec[] {
  return [30, 100].map((at) => ({
    kind,
    atMicros: at * microsPerSecond,
    forMicros: seconds * microsPerSecond,
    machines,
    factor,
  }));
}

interface Told extends SwarmResult {
  readonly effects: readonly Effect[];
}

/** Runs it; every task completes, and the kernel has forgotten everything. */
function run(drawn: SwarmCase): Told {
  const effects: Effect[] = [];
  const observer: WorldObserver = { kernelEffect: (effect) => void effects.push(effect) };
  const result = runSwarmCase(drawn, { observers: [observer] });
  expect([...new Set(result.outcomes.values())]).toEqual(['completed']);
  expect(result.outcomes.size).toBe(drawn.tasks.length);
  expect(result.world.host.kernel.control.taskCountNow).toBe(0);
  return { ...result, effects };
}

const died = ({ effects }: Told): number =>
  effects.filter((effect) => effect.kind === 'agentStateChanged' && effect.to === 'dead').length;
const half = { share: 0.5 };
const seeds = [1, 2];

describe('each further kind of trouble alone', () => {
  it('a clog: short ones only delay, long ones cost the lease and all that is late is told from what is new', () => {
    for (const seed of seeds) {
      expect(died(run(calmCase(seed, { faults: fault('clog', 12, 1, half) })))).toBe(0);
      expect(died(run(calmCase(seed, { faults: fault('clog', 60, 1, half) })))).toBeGreaterThan(0);
    }
  });

  it('an agent’s clock jumps: it gives up its work, which is done again', () => {
    for (const seed of seeds) {
      const drawn = calmCase(seed, { faults: fault('clockJump', 1, 1000, half) });
      expect(run(drawn).world.host.kernel.counts.placements).toBeGreaterThan(drawn.tasks.length);
    }
  });

  it('an agent’s clock drifts by what is promised: nobody notices', () => {
    for (const drift of [-0.01, 0.01]) {
      const drawn = calmCase(1, { faults: fault('clockDrift', 400, drift, half) });
      const result = run(drawn);
      expect(result.world.host.kernel.counts.placements).toBe(drawn.tasks.length);
      expect(died(result)).toBe(0);
    }
  });

  it('a clock that drifts by far more breaks the promise of leases, and the oracle sees it', () => {
    const slow = { ...(fault('clockDrift', 400, -0.5, half)[0] as FaultSpec), atMicros: 0 };
    const cut = { ...(fault('partition', 300, 1, half)[0] as FaultSpec), atMicros: 60 * microsPerSecond };
    const tasks = drawSwarmCase(1).tasks.slice(0, 50);
    const long = tasks.map((task) => ({ ...task, durationMicros: 200 * microsPerSecond }));
    expect(() => run(calmCase(1, { faults: [slow, cut], tasks: long }))).toThrow(
      expect.objectContaining({ code: 'SIRA_ORACLE_VIOLATED', oracle: 'leases' }),
    );
  });

  it('an agent drains: it gets nothing new, and what it runs ends', () => {
    const drawn = calmCase(1, { faults: fault('drain', 40, 1, ['cpu-0']) });
    const { effects } = run(drawn);
    const agent = effects.find((effect) => effect.kind === 'agentRegistered' && effect.name === 'cpu-0');
    let drains = false;
    let drained = 0;
    for (const effect of effects) {
      if (effect.kind === 'agentStateChanged' && agent?.kind === 'agentRegistered' && effect.agent === agent.agent) {
        drains = effect.to === 'draining';
        if (drains) drained++;
      }
      if (drains && effect.kind === 'decisionMade' && agent?.kind === 'agentRegistered')
        expect(effect.record.machines).not.toContain(agent.agent);
    }
    expect(drained).toBe(2);
  });

  it('an agent comes back with other resources: refused, and taken again as it was', () => {
    const { effects } = run(calmCase(2, { faults: fault('resize', 40, 1, half) }));
    expect(effects.filter(({ kind }) => kind === 'agentRefused').length).toBeGreaterThan(0);
  });

  it('the gateway dies: for less than a lease nothing happens, for more every agent gives up and comes back', () => {
    for (const seed of seeds) {
      expect(died(run(calmCase(seed, { faults: fault('gatewayCrash', 20) })))).toBe(0);
      const { effects } = run(calmCase(seed, { faults: fault('gatewayCrash', 60) }));
      const back = effects.filter((effect) => effect.kind === 'agentStateChanged' && effect.reason === 'restarted');
      expect(back.length).toBeGreaterThanOrEqual(6);
    }
  });

  it('the link of the gateway is clogged for less than a lease: nobody is declared dead, and heartbeats count when they come', () => {
    for (const seed of seeds) {
      const told = run(calmCase(seed, { faults: fault('gatewayClog', 20) }));
      expect(died(told)).toBe(0);
      const recorded = told.effects.filter(({ kind }) => kind === 'heartbeatsRecorded').length;
      expect(recorded).toBeGreaterThan(20);
    }
  });

  it('the submitter dies and forgets: nothing is lost, nothing runs twice', () => {
    for (const seconds of [1, 60]) {
      const drawn = calmCase(2, { faults: [...fault('submitterCrash', seconds), ...fault('submitterClog', 10)] });
      expect(run(drawn).world.host.kernel.counts.placements).toBe(drawn.tasks.length);
    }
  });

  it('the wall clock of the kernel’s machine is wrong when a process begins: time goes on', () => {
    for (const factor of [-3600, -20, 20, 3600]) {
      const crash = fault('kernelCrash', 2).map((each) => ({ ...each, atMicros: each.atMicros + 5 * microsPerSecond }));
      const drawn = calmCase(1, {
        faults: [...fault('kernelClock', 30, factor), ...crash],
        journal: { disk: soundDisk, settings: { snapshotInputs: 100 } },
      });
      const result = run(drawn);
      expect(died(result)).toBe(0);
      expect(result.world.host.kernel.counts.placements).toBe(drawn.tasks.length);
    }
  });

  it('settings change: those in bounds apply, others are answered with the reason', () => {
    const settingChanges = [
      { atMicros: 10 * microsPerSecond, name: 'scheduler.attemptsMax', value: 3 },
      { atMicros: 11 * microsPerSecond, name: 'scheduler.attemptsMax', value: -3 },
      { atMicros: 12 * microsPerSecond, name: 'scheduler.nothing', value: 1 },
    ];
    const { effects, world } = run(calmCase(1, { settingChanges }));
    const answers = effects.flatMap((effect) => (effect.kind === 'settingAnswered' ? [effect.refusal === ''] : []));
    expect(answers).toEqual([true, false, false]);
    expect(world.host.kernel.settings.get('scheduler.attemptsMax')).toBe(3);
  });

  it('rot is named, or does not matter; and never anything else', () => {
    const rot: FaultSpec = { kind: 'diskRot', atMicros: 40 * microsPerSecond, forMicros: 1, machines: [], factor: 300 };
    const crash: FaultSpec = {
      ...rot,
      kind: 'kernelCrash',
      atMicros: 50 * microsPerSecond,
      forMicros: microsPerSecond,
    };
    const journal = { disk: soundDisk, settings: { snapshotInputs: 100 } };
    const checked = checkCase(calmCase(1, { faults: [rot, crash], journal }));
    expect([checked.finding, checked.digest]).toEqual([undefined, '']);
    expect(checkCase(calmCase(1, { faults: [crash], journal })).digest).not.toBe('');
  });
});

describe('the horizon', () => {
  it('lies behind everything that a case does, and ends all trouble that comes by itself', () => {
    for (const seed of [2, 5, 7, 10]) {
      const drawn = drawCase(seed);
      const horizon = horizonMicros(drawn);
      for (const { atMicros, forMicros } of drawn.faults)
        expect(horizon).toBeGreaterThanOrEqual(atMicros + (forMicros === Number.POSITIVE_INFINITY ? 0 : forMicros));
      for (const { arrivalMicros } of drawn.tasks) expect(horizon).toBeGreaterThan(arrivalMicros);
    }
    const trouble = calmCase(1, {
      network: { ...calmCase(1).network, loss: 0.2, duplication: 0.2 },
      faultPointSeed: 11,
    });
    const { world } = runSwarmCase(trouble);
    world.runUntil(Math.max(world.simulation.nowMicros, horizonMicros(trouble)) + 5 * microsPerSecond);
    expect(world.faultPoints.isArmed).toBe(false);
    expect(world.host.kernel.faultPoints.isArmed).toBe(false);
    expect(world.network.isCalm).toBe(true);
  });
});

it('a lease is only changed to one that an agent can hold, or that the kernel refuses', () => {
  let shorter = 0;
  let refused = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const { settingChanges = [], heartbeat, network } = drawCase(seed);
    for (const { name, value } of settingChanges) {
      if (name !== 'registry.leaseMicros') continue;
      if (value < leaseIntervalsMin * heartbeat.intervalMicros) {
        refused++;
        continue;
      }
      if (value < heartbeat.leaseMicros) shorter++;
      expect(value).toBeGreaterThan(2 * (heartbeat.intervalMicros + network.latency.meanMicros));
    }
  }
  expect([shorter > 5, refused > 0]).toEqual([true, true]);
});
