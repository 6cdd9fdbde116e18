// What the corners bring about: that which they are drawn for does happen, and the kernel stands it.

import { describe, expect, it } from 'vitest';
import { microsPerMinute } from '../../core/base/time.ts';
import { filterReasons } from '../../core/scheduler/cluster-state.ts';
import type { WorldObserver } from '../world/observer.ts';
import { drawCase } from './check-case.ts';
import { runSwarmCase, type SwarmCase } from './swarm.ts';
import { withCorners } from './swarm-corners.ts';

const cases = Array.from({ length: 300 }, (_, index) => drawCase(index + 1));

function casesWith(holds: (drawn: SwarmCase) => boolean): SwarmCase[] {
  return cases.filter(holds);
}

const hasStaleBeats = ({ faults }: SwarmCase): boolean => faults.some(({ kind }) => kind === 'gatewayClog');
const hasLonelyMembers = ({ tasks }: SwarmCase): boolean =>
  tasks.some(({ gang }) => gang?.name.startsWith('alone-') === true);
/** A clog that begins within a tenth of a second of a restart. */
const hasLateAnswers = ({ faults }: SwarmCase): boolean =>
  faults.some(({ kind, atMicros, forMicros }) => {
    const endMicros = atMicros + forMicros;
    return (
      kind === 'crash' &&
      faults.some(
        (other) => other.kind === 'clog' && other.atMicros > endMicros && other.atMicros < endMicros + 100_000,
      )
    );
  });

/** Two crashes of one machine within a second. */
const hasQuickRestarts = ({ faults }: SwarmCase): boolean =>
  faults.some(
    ({ kind, atMicros, forMicros }, index) =>
      kind === 'crash' && forMicros === 10_000 && (faults[index + 1]?.atMicros ?? 0) > atMicros + forMicros,
  );

/** Fields of many kinds of inputs and effects. */
interface AnyInput {
  readonly kind: string;
  readonly agent: number;
  readonly name: string;
  readonly incarnation: number;
}

describe('corners of the swarm', () => {
  it('are drawn in a few cases of a hundred each, and leave the others as they are', () => {
    for (const holds of [hasStaleBeats, hasLonelyMembers, hasLateAnswers]) {
      expect(casesWith(holds).length).toBeGreaterThan(8);
      expect(casesWith(holds).length).toBeLessThan(45);
    }
    const plain = casesWith(
      (drawn) => ![hasStaleBeats, hasLonelyMembers, hasLateAnswers].some((holds) => holds(drawn)),
    );
    expect(withCorners(plain[0] as SwarmCase)).toEqual(plain[0]);
  });

  it('late answers: kernels send work to agents that are not theirs any more when it comes', () => {
    const drawn = casesWith((each) => hasLateAnswers(each) && each.journal === undefined)[0] as SwarmCase;
    let dead = 0;
    const observer = {
      kernelEffect: (effect: { kind: string; to?: string }): void => {
        if (effect.kind === 'agentStateChanged' && effect.to === 'dead') dead++;
      },
    };
    runSwarmCase(drawn, { observers: [observer as never] });
    expect(dead).toBeGreaterThan(3);
  });

  it('stale heartbeats: a batch names an incarnation that is not the present one', () => {
    const drawn = casesWith((each) => hasStaleBeats(each) && each.journal === undefined)[0] as SwarmCase;
    const present: number[] = [];
    let stale = 0;
    const observer = {
      kernelEffect: (effect: { kind: string; agent: number; incarnation: number }): void => {
        if (effect.kind === 'agentRegistered') present[effect.agent] = effect.incarnation;
      },
      kernelInput: (input: { kind: string; agents: Int32Array; incarnations: Int32Array }): void => {
        if (input.kind !== 'heartbeats') return;
        for (const [at, agent] of input.agents.entries())
          if ((present[agent] ?? 0) > (input.incarnations[at] as number)) stale++;
      },
    };
    runSwarmCase(drawn, { observers: [observer as never] });
    expect(stale).toBeGreaterThan(0);
  });

  it('reconnections: agents say what they run over connection after connection, and go on with it', () => {
    const isCalm = ({ journal, faults }: SwarmCase): boolean =>
      journal === undefined && faults.every(({ kind }) => kind.endsWith('econnect') || kind === 'drain');
    const drawn = cases.map((each) => ({
      ...each,
      faults: each.faults.filter(({ kind }) => kind.endsWith('econnect')),
    }));
    const chosen = drawn.find((each) => each.faults.length > 10 && isCalm(each)) as SwarmCase;
    let connection = 0;
    let running = 0;
    let restarted = 0;
    const observer = {
      kernelInput: (input: { kind: string; connection: number; running: readonly unknown[] }): void => {
        if (input.kind !== 'agentHello') return;
        connection = Math.max(connection, input.connection);
        running += input.running.length;
      },
      kernelEffect: (effect: { kind: string; reason?: string }): void => {
        if (effect.kind === 'agentStateChanged' && effect.reason === 'restarted') restarted++;
      },
    };
    runSwarmCase({ ...chosen, network: { ...chosen.network, loss: 0 } }, { observers: [observer as never] });
    expect([connection > 1, running > 5, restarted]).toEqual([true, true, 0]);
  });

  it('reconnections of agents that drain: they are heard of, and get nothing new', () => {
    const drains = ({ faults }: SwarmCase): boolean =>
      faults.some(({ kind, forMicros }) => kind === 'drain' && forMicros === 2 * microsPerMinute);
    const draining = new Set<string>();
    let heardOf = 0;
    const observer = {
      kernelInput: ({ kind, agent, name, incarnation }: AnyInput): void => {
        if (kind === 'agentDraining') draining.add(`${agent} ${incarnation}`);
        else if (kind === 'agentHello' && draining.has(`${agents.get(name)} ${incarnation}`)) heardOf++;
      },
      kernelEffect: ({ kind, agent, name }: AnyInput): void => {
        if (kind === 'agentRegistered') agents.set(name, agent);
      },
    };
    const agents = new Map<string, number>();
    const drawn = casesWith((each) => drains(each) && each.journal === undefined);
    for (const each of drawn.slice(0, 3)) runSwarmCase(each, { observers: [observer as never] });
    expect(heardOf).toBeGreaterThan(2);
  });

  it('quick restarts: a hello of the former life comes after that of the next', () => {
    const drawn = casesWith(hasQuickRestarts).filter(({ journal }) => journal === undefined);
    const latest = new Map<string, number>();
    let overtaken = 0;
    const observer = {
      kernelInput: ({ kind, name, incarnation }: AnyInput): void => {
        if (kind !== 'agentHello') return;
        if (incarnation < (latest.get(name) ?? 0)) overtaken++;
        latest.set(name, Math.max(incarnation, latest.get(name) ?? 0));
      },
    };
    for (const each of drawn.slice(0, 4)) {
      latest.clear();
      runSwarmCase(each, { observers: [observer as never] });
    }
    expect(overtaken).toBeGreaterThan(0);
  });

  it('power failures: torn tails are cut, full disks are met, and the kernel comes back each time', () => {
    const drawn = casesWith(({ faults }) => faults.filter(({ kind }) => kind === 'kernelCrash').length >= 16);
    expect(drawn.length).toBeGreaterThan(10);
    let recoveries = 0;
    let cut = 0;
    const observer: WorldObserver = {
      kernelRecovered: (_, { log }) => {
        recoveries++;
        if (log.cutBytes > 0) cut++;
      },
    };
    for (const each of drawn.slice(0, 3)) runSwarmCase(each, { observers: [observer] });
    expect([recoveries > 24, cut > 3]).toEqual([true, true]);
  });

  it('skills: tasks that ask for one run, and where it is declared', () => {
    const drawn = casesWith(
      ({ tasks, journal }) => journal === undefined && tasks.some(({ skill }) => skill === 'talk'),
    )[0];
    let placed = 0;
    let ruledOut = 0;
    const observer = {
      kernelEffect: (effect: { kind: string; record: { outcome: string; reasonCounts: readonly number[] } }): void => {
        if (effect.kind !== 'decisionMade') return;
        if (effect.record.outcome === 'placed') placed++;
        ruledOut += effect.record.reasonCounts[filterReasons.indexOf('skill')] ?? 0;
      },
    };
    runSwarmCase(drawn as SwarmCase, { observers: [observer as never] });
    expect([placed > 20, ruledOut > 20]).toEqual([true, true]);
  });

  it('shortened waits: a gang is given up at the moment at which its time-out becomes shorter', () => {
    const drawn = casesWith((each) => hasLonelyMembers(each) && each.journal === undefined)[0] as SwarmCase;
    const changes = new Set((drawn.settingChanges ?? []).map(({ atMicros }) => atMicros));
    let given = 0;
    const observer = {
      taskEnded: (_: unknown, nowMicros: number): void => {
        for (const atMicros of changes) if (nowMicros >= atMicros && nowMicros < atMicros + 2_000_000) given++;
      },
    };
    const { outcomes } = runSwarmCase(drawn, { observers: [observer as never] });
    expect(outcomes.size).toBe(drawn.tasks.length);
    expect(given).toBeGreaterThan(0);
  });
});
