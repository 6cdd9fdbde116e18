import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentHello } from './agent-hello.ts';
import { AgentRegistry } from './agent-registry.ts';
import type { AgentRegistrySettings } from './agent-registry-settings.ts';
import { agentRegistrySettings } from './agent-registry-settings.ts';
import { agentTransitions } from './agent-state.ts';

const interval = 1_000;
/** Suspicion at mean + pause + about 5.24 deviations, death after 4 intervals. */
const settings: AgentRegistrySettings = {
  ...agentRegistrySettings(interval),
  sweepSpacingMicros: 1,
  capabilityDimensions: 2,
  attributeCountMax: 3,
};
const resources = { cpuMilli: 4_000, memoryMib: 1_024, gpuCount: 1, gpuModel: 'A10' };

function hello(name: string, incarnation: number, changes: Partial<AgentHello> = {}): AgentHello {
  return { name, incarnation, ready: true, resources, ...changes };
}

function registryWithLog(changes: Partial<AgentRegistrySettings> = {}): { registry: AgentRegistry; log: string[] } {
  const log: string[] = [];
  const registry = new AgentRegistry({ ...settings, ...changes }, (row, from, to, reason) => {
    expect(agentTransitions[from]).toContain(to);
    expect(registry.state(row)).toBe(to);
    log.push(`${row} ${from} → ${to}: ${reason}`);
  });
  return { registry, log };
}

describe('registration', () => {
  test('rows are dense, in order of first registration, and survive restarts', () => {
    const { registry, log } = registryWithLog();
    expect(registry.register(hello('a', 1), 0)).toEqual({
      row: 0,
      kind: 'new',
      reason: undefined,
      resourcesChanged: false,
    });
    expect(registry.register(hello('b', 7), 0).row).toBe(1);
    expect(registry.register(hello('a', 2), 10)).toMatchObject({ row: 0, kind: 'restarted' });
    expect([registry.rowOf('a'), registry.rowOf('b'), registry.rowOf('c'), registry.size]).toEqual([0, 1, -1, 2]);
    expect(log).toEqual([
      '0 starting → ready: reported ready',
      '1 starting → ready: reported ready',
      '0 ready → starting: restarted',
      '0 starting → ready: reported ready',
    ]);
  });

  test('the same incarnation resumes where it was and may say new things of itself', () => {
    const { registry, log } = registryWithLog();
    registry.register(hello('a', 1), 0);
    registry.setBusy(0, true);
    registry.sweep(3_900);
    expect(registry.state(0)).toBe('suspect');
    const changed = hello('a', 1, {
      resources: { ...resources, gpuCount: 2 },
      capabilities: [3, 4],
      attributes: { zone: 'eu' },
    });
    expect(registry.register(changed, 3_950)).toEqual({
      row: 0,
      kind: 'resumed',
      reason: undefined,
      resourcesChanged: true,
    });
    expect(registry.state(0)).toBe('busy');
    expect(registry.leaseExpiryMicros[0]).toBe(7_950);
    expect(registry.capabilities.norms[0]).toBe(5);
    expect(registry.attributes.get(0, 'zone')).toBe('eu');
    expect(log.at(-1)).toBe('0 suspect → busy: heartbeat returned');
  });

  test('is refused with a reason, and then changes nothing', () => {
    const { registry } = registryWithLog({ agentCountMax: 2 });
    registry.register(hello('a', 5), 0);
    registry.register(hello('b', 5, { attributes: { x: 1, y: 2 } }), 0);
    const before = JSON.stringify(registry.save());
    const reason = (body: AgentHello): string | undefined => {
      const registration = registry.register(body, 1);
      expect(registration.kind).toBe('rejected');
      return registration.reason;
    };
    expect(reason(hello('a', 4))).toBe('incarnation is older than the one known');
    expect(reason(hello('c', 1))).toBe('registry is full');
    expect(reason(hello('a', 6, { resources: { ...resources, cpuMilli: -1 } }))).toBe(
      'resources are not finite and non-negative',
    );
    expect(reason(hello('a', 6, { resources: { ...resources, memoryMib: Number.NaN } }))).toBe(
      'resources are not finite and non-negative',
    );
    expect(reason(hello('a', 6, { capabilities: [1, 2, 3] }))).toBe('capabilities do not fit the registry');
    expect(reason(hello('a', 6, { capabilities: [1, Number.NaN] }))).toBe('capabilities do not fit the registry');
    expect(reason(hello('a', 6, { capabilities: { vision: 1 } }))).toBe('capabilities do not fit the registry');
    expect(reason(hello('a', 6, { attributes: { z: Number.NaN } }))).toBe(
      'attributes are not strings or finite numbers',
    );
    expect(reason(hello('a', 6, { attributes: { z: 1, u: 2 } }))).toBe('too many attributes');
    expect(JSON.stringify(registry.save())).toBe(before);
    registry.goodbye(0, 5);
    expect(reason(hello('a', 5))).toBe('incarnation is dead');
    expect(registry.register(hello('a', 6), 2).kind).toBe('restarted');
  });

  test('skills get dimensions in order of first sight, as many as there are', () => {
    const { registry } = registryWithLog({ capabilitySpace: 'skills' });
    registry.register(hello('a', 1, { capabilities: { vision: 1 } }), 0);
    registry.register(hello('b', 1, { capabilities: { length: 3, vision: 4 } }), 0);
    expect(registry.capabilities.skills).toEqual(['vision', 'length']);
    expect(Array.from(registry.capabilities.values.subarray(0, 4))).toEqual([1, 0, 4, 3]);
    expect(registry.register(hello('c', 1, { capabilities: { speech: 1 } }), 0).reason).toBe('too many skills');
  });
});

describe('life', () => {
  test('silence makes suspect when phi reaches the threshold, dead strictly after the lease, by row', () => {
    const { registry, log } = registryWithLog();
    for (const name of ['a', 'b']) registry.register(hello(name, 1), 0);
    const suspicion = registry.nextSweepMicros;
    expect(registry.phi(0, suspicion)).toBeGreaterThanOrEqual(8);
    expect(registry.phi(0, suspicion - 2)).toBeLessThan(8);
    log.length = 0;
    expect(registry.sweep(suspicion - 1)).toBe(0);
    expect(registry.sweep(suspicion)).toBe(2);
    expect(registry.takesWork(0)).toBe(false);
    expect(registry.nextSweepMicros).toBe(4_001);
    expect(registry.sweep(4_000)).toBe(0);
    expect(registry.sweep(4_001)).toBe(2);
    expect(registry.nextSweepMicros).toBe(Number.POSITIVE_INFINITY);
    expect(log).toEqual([
      '0 ready → suspect: heartbeat overdue',
      '1 ready → suspect: heartbeat overdue',
      '0 suspect → dead: lease expired',
      '1 suspect → dead: lease expired',
    ]);
  });

  test('heartbeats count only for the present incarnation', () => {
    const { registry } = registryWithLog();
    registry.register(hello('a', 3), 0);
    expect(registry.heartbeat(0, 2, 100)).toBe('stale');
    expect(registry.heartbeat(0, 4, 100)).toBe('unknown');
    expect(registry.heartbeat(9, 3, 100)).toBe('unknown');
    expect(registry.leaseExpiryMicros[0]).toBe(4_000);
    expect(registry.heartbeat(0, 3, 100)).toBe('accepted');
    expect(registry.leaseExpiryMicros[0]).toBe(4_100);
    expect(registry.goodbye(0, 2)).toBe(false);
    expect(registry.goodbye(0, 3)).toBe(true);
    expect(registry.beat(0, 200)).toBe('dead');
    expect(registry.isCurrent(0, 3)).toBe(false);
  });

  test('a heartbeat ends a suspicion where it began, whatever came between', () => {
    const { registry, log } = registryWithLog();
    registry.register(hello('a', 1), 0);
    registry.setBusy(0, true);
    registry.sweep(4_000);
    registry.setBusy(0, false);
    registry.drain(0);
    expect(registry.state(0)).toBe('suspect');
    registry.beat(0, 4_010);
    expect(registry.state(0)).toBe('draining');
    registry.undrain(0);
    expect(log.slice(1)).toEqual([
      '0 ready → busy: has no room',
      '0 busy → suspect: heartbeat overdue',
      '0 suspect → draining: heartbeat returned',
      '0 draining → ready: undrained',
    ]);
  });

  test('a drain ends with the incarnation unless an operator pinned it', () => {
    const { registry } = registryWithLog();
    registry.register(hello('a', 1), 0);
    registry.register(hello('b', 1), 0);
    registry.drain(0);
    registry.drain(1, true);
    registry.goodbye(1, 1);
    registry.register(hello('a', 2), 1);
    registry.register(hello('b', 2), 1);
    expect([registry.state(0), registry.state(1)]).toEqual(['ready', 'draining']);
    registry.undrain(1);
    expect(registry.state(1)).toBe('ready');
  });

  test('an agent that is not ready says so later', () => {
    const { registry, log } = registryWithLog();
    registry.register(hello('a', 1, { ready: false }), 0);
    registry.setBusy(0, true);
    expect(registry.state(0)).toBe('starting');
    registry.markReady(0);
    expect(log).toEqual(['0 starting → busy: reported ready']);
  });

  test('after a pause the living go on as if time had stood still', () => {
    const { registry } = registryWithLog();
    registry.register(hello('a', 1), 0);
    registry.register(hello('b', 1), 0);
    registry.goodbye(1, 1);
    registry.beat(0, 1_000);
    const due = registry.nextSweepMicros;
    const phi = registry.phi(0, 1_500);
    registry.extendLeases(60_000, 61_500);
    expect(registry.phi(0, 61_500)).toBe(phi);
    expect(registry.leaseExpiryMicros[0]).toBe(65_000);
    registry.sweep(61_500);
    expect([registry.state(0), registry.state(1)]).toEqual(['ready', 'dead']);
    // The row beat once since its first deadline was set, so that the true deadline is later than the bound from before.
    expect(registry.nextSweepMicros).toBeGreaterThanOrEqual(due + 60_000);
  });

  test('after a pause whose length a wrong clock tells, no lease is shorter than what was left of it', () => {
    const { registry } = registryWithLog({ leaseMicros: 20_000 });
    registry.register(hello('a', 1), 0);
    registry.beat(0, 10_000);
    // The kernel last looked at 12,000: 18,000 were left, and whatever is shown now, a moment ago may be when that was.
    const hour = 3_600_000_000;
    registry.extendLeases(hour, 12_000 + hour);
    expect(registry.leaseExpiryMicros[0]).toBe(30_000 + hour);
    registry.sweep(30_000 + hour);
    expect(registry.state(0)).toBe('suspect');
    registry.sweep(30_001 + hour);
    expect(registry.state(0)).toBe('dead');
  });

  test('with known clocks: a lease that ran out in a pause lasts only as long as it takes to be heard; others by the whole pause', () => {
    const { registry } = registryWithLog({ leaseMicros: 20_000, clockErrorMicros: 1 });
    registry.register(hello('a', 1), 0);
    registry.register(hello('b', 1), 0);
    registry.beat(0, 10_000);
    registry.beat(1, 19_000);
    // The pause began at 20,000. Beats come every 1,000: four of them from 35,000 on.
    registry.extendLeases(15_000, 35_000);
    expect([...registry.leaseExpiryMicros.slice(0, 2)]).toEqual([39_000, 54_000]);
    registry.sweep(39_001);
    expect([registry.state(0), registry.state(1) === 'dead']).toEqual(['dead', false]);
    // One that was about to run out when the pause began gets what was left of it.
    registry.extendLeases(500_000, 53_999 + 500_000);
    expect(registry.leaseExpiryMicros[1]).toBe(554_000);
  });

  test('with known clocks: a lease has run out when the error of the clocks is over as well', () => {
    const { registry } = registryWithLog({ leaseMicros: 20_000, clockErrorMicros: 500 });
    registry.register(hello('a', 1), 0);
    registry.register(hello('b', 1), 1);
    // They ran out at 20,000 and 20,001; the pause began at 3,000.
    registry.extendLeases(17_501, 20_501);
    expect([...registry.leaseExpiryMicros.slice(0, 2)]).toEqual([24_501, 37_502]);
  });

  test('sweeps keep their distance', () => {
    const { registry } = registryWithLog({ sweepSpacingMicros: 500 });
    registry.register(hello('a', 1), 0);
    registry.sweep(3_800);
    expect(registry.state(0)).toBe('suspect');
    expect(registry.nextSweepMicros).toBe(4_300);
  });
});

type Step =
  | { readonly kind: 'register'; readonly agent: number; readonly incarnation: number; readonly ready: boolean }
  | { readonly kind: 'beat' | 'drain' | 'pin' | 'undrain' | 'goodbye' | 'ready'; readonly agent: number }
  | { readonly kind: 'busy'; readonly agent: number; readonly busy: boolean }
  | { readonly kind: 'pause'; readonly micros: number };

const agent = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<readonly [number, Step]> = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 1_200 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 6_000 }) },
  ),
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('beat' as const), agent }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('register' as const),
        agent,
        incarnation: fc.integer({ min: 0, max: 4 }),
        ready: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('busy' as const), agent, busy: fc.boolean() }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('drain', 'pin', 'undrain', 'goodbye', 'ready'), agent }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('pause' as const), micros: fc.integer({ min: 0, max: 20_000 }) }),
    },
  ),
);

class World {
  readonly log: string[] = [];
  registry: AgentRegistry;
  now = 0;
  /** Sweeps at every microsecond instead of when asked to. */
  private readonly eager: boolean;

  constructor(eager: boolean) {
    this.eager = eager;
    this.registry = this.make();
  }

  make(): AgentRegistry {
    const registry: AgentRegistry = new AgentRegistry(settings, (row, from, to, reason) => {
      if (!agentTransitions[from].includes(to)) throw new Error(`illegal ${from} → ${to}`);
      if (reason === 'lease expired' && this.now <= (registry.leaseExpiryMicros[row] as number))
        throw new Error('dead too early');
      this.log.push(`${this.now} ${row} ${from} ${to} ${reason}`);
    });
    return registry;
  }

  take([wait, body]: readonly [number, Step]): void {
    const end = this.now + (body.kind === 'pause' ? 0 : wait);
    if (this.eager) {
      while (this.now < end) {
        this.now++;
        this.registry.sweep(this.now);
      }
    } else {
      while (this.registry.nextSweepMicros <= end) {
        this.now = Math.max(this.now, this.registry.nextSweepMicros);
        this.registry.sweep(this.now);
      }
      this.now = end;
    }
    const { registry } = this;
    if (body.kind === 'pause') {
      this.now += body.micros;
      registry.extendLeases(body.micros, this.now);
      return;
    }
    if (body.kind === 'register') {
      const { kind, row } = registry.register(
        hello(`agent ${body.agent}`, body.incarnation, { ready: body.ready }),
        this.now,
      );
      this.log.push(`${kind} ${row}`);
      return;
    }
    const row = registry.rowOf(`agent ${body.agent}`);
    if (row < 0) return;
    if (body.kind === 'beat') this.log.push(registry.beat(row, this.now));
    else if (body.kind === 'busy') registry.setBusy(row, body.busy);
    else if (body.kind === 'ready') registry.markReady(row);
    else if (body.kind === 'undrain') registry.undrain(row);
    else if (body.kind === 'goodbye') registry.goodbye(row, registry.incarnationOf(row));
    else registry.drain(row, body.kind === 'pin');
  }
}

describe('properties', () => {
  test('sweeping only when asked to notices the same changes at the same times as sweeping always', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const lazy = new World(false);
        const eager = new World(true);
        for (const one of steps) {
          lazy.take(one);
          eager.take(one);
        }
        expect(lazy.log).toEqual(eager.log);
      }),
      { numRuns: 60 },
    );
  });

  test('a registry restored from JSON goes on identically', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, cut) => {
        const world = new World(false);
        const copy = new World(false);
        steps.forEach((one, index) => {
          if (index === cut) {
            copy.registry = copy.make();
            copy.registry.restore(JSON.parse(JSON.stringify(world.registry.save())));
            copy.now = world.now;
            copy.log.push(...world.log);
          }
          world.take(one);
          if (index >= cut) copy.take(one);
          if (index >= cut) expect(copy.registry.nextSweepMicros).toBe(world.registry.nextSweepMicros);
        });
        if (steps.length > cut) expect([copy.log, copy.registry.save()]).toEqual([world.log, world.registry.save()]);
      }),
      { numRuns: 200 },
    );
  });
});
