// Plays one window of a life event by event, in a world with the true kernel, its journal on a simulated disk, agents and
// network: whatever is broken when the window begins is broken in its world from the start. A window ends when everything is
// as calm as before, and takes in the windows that begin meanwhile.

import { assert } from '../../../core/base/assert.ts';
import { microsPerDay, microsPerHour, microsPerMinute, microsPerSecond } from '../../../core/base/time.ts';
import { eventPriority } from '../../engine/priority.ts';
import { defaultSimulationLimits } from '../../engine/simulation.ts';
import { gatewayNode } from '../../world/network.ts';
import { World } from '../../world/world.ts';
import type { FaultSpec } from '../scenario.ts';
import type { DrawnFault } from './draw-faults.ts';
import { machinesOf, type StudySettings, studyProfile } from './fleet.ts';
import { type LedgerCounts, RequestLedger } from './request-ledger.ts';
import { requestsFrom } from './requests.ts';
import type { Window } from './windows.ts';

export interface PlayedWindow {
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly isControl: boolean;
  readonly counts: LedgerCounts;
  /** Counted requests that the kernel had accepted and that never ended: must be 0. */
  readonly lost: number;
  readonly eventCount: number;
  /** Of the kernel at the end. */
  readonly digest: string;
}

/** What a life is made of. */
export interface Life {
  readonly study: StudySettings;
  readonly seed: number;
  /** In order of time. */
  readonly faults: readonly DrawnFault[];
}

/** Told of each counted request: when it was asked in the life's time, and how long the answer took. */
export type Answered = (askedMicros: number, tookMicros: number) => void;

/** A window that has not become calm goes on by this much. */
const stepMicros = 30 * microsPerSecond;
/** Calm: no request has waited for longer, and none was late in the last minute. */
const calmAgeMicros = 20 * microsPerSecond;
/** No window lasts longer. */
const horizonMicros = 30 * microsPerDay;
const drainMicros = 12 * microsPerHour;

/** Plays the first of `windows`, and those that begin before it has ended; how many, and what came of it. */
export function playWindow(
  life: Life,
  windows: readonly Window[],
  answered?: Answered,
): { readonly played: PlayedWindow; readonly count: number } {
  const { study, seed, faults } = life;
  const first = windows[0] as Window;
  const { beginMicros, fromMicros } = first;
  const counted = { fromMicros: fromMicros - beginMicros, untilMicros: Number.POSITIVE_INFINITY };
  const machines = machinesOf(study.fleet);
  const names = machines.map((machine) => machine.name);
  const ledger = new RequestLedger(
    study.requests.promiseMicros,
    names,
    (atMicros) => atMicros >= counted.fromMicros && atMicros < counted.untilMicros,
    (askedMicros, tookMicros) => answered?.(beginMicros + askedMicros, tookMicros),
  );
  const present = faults
    .filter((fault) => fault.atMicros + fault.forMicros > beginMicros && fault.atMicros < beginMicros + horizonMicros)
    .map((fault) => {
      const atMicros = Math.max(0, fault.atMicros - beginMicros);
      return { fault, atMicros, endMicros: fault.atMicros + fault.forMicros - beginMicros };
    });
  const requests = (): Generator => requestsFrom(study.requests, seed, beginMicros, () => arrivalsEnd);
  let arrivalsEnd = false;
  const world = new World({
    seed,
    machines,
    workload: { tasks: requests as never, typicalTasks: () => [], notes: [] },
    profile: studyProfile,
    network: study.network,
    heartbeat: study.heartbeat,
    limits: { ...defaultSimulationLimits, queueLengthMax: 1_000_000 },
    faults: present.flatMap(({ fault, atMicros, endMicros }) => specOf(fault, atMicros, endMicros, names)),
    settings: study.settings,
    journal: {
      disk: study.disk,
      settings: { codeHash: 'simulated', log: { segmentBytesMax: 4 * 1024 ** 2, retainBytesMax: 0 } },
    },
    observers: [ledger],
  });
  const { simulation } = world;
  let gatewaysCut = 0;
  const begins = simulation.defineHandler('drawn fault begins', (index) => {
    const { fault } = present[index] as (typeof present)[number];
    ledger.faultBegins(fault, simulation.nowMicros);
    if (fault.effect === 'gatewayCut' && ++gatewaysCut === 1) world.network.cut(gatewayNode, true);
  });
  const ends = simulation.defineHandler('drawn fault ends', (index) => {
    const { fault } = present[index] as (typeof present)[number];
    ledger.faultEnds(fault, simulation.nowMicros);
    if (fault.effect === 'gatewayCut' && --gatewaysCut === 0) world.network.cut(gatewayNode, false);
  });
  present.forEach(({ atMicros, endMicros }, index) => {
    const now = simulation.nowMicros;
    simulation.schedule(Math.max(now, atMicros), eventPriority.arrival, begins, index, undefined);
    simulation.schedule(Math.max(now, endMicros), eventPriority.arrival, ends, index, undefined);
  });

  let count = 1;
  let untilMicros = first.untilMicros;
  for (;;) {
    assert(untilMicros - beginMicros < horizonMicros, 'a window ends');
    world.runUntil(untilMicros - beginMicros);
    const next = windows[count];
    if (next !== undefined && next.beginMicros <= untilMicros) {
      untilMicros = Math.max(untilMicros, next.untilMicros);
      count++;
    } else if (isCalm(ledger, simulation.nowMicros)) break;
    else untilMicros += stepMicros;
  }
  counted.untilMicros = untilMicros - beginMicros;
  arrivalsEnd = true;
  world.runUntilDone(simulation.nowMicros + drainMicros);
  const { accepted, unanswered } = ledger.openCounted;
  assert(unanswered === 0, 'every request has an answer at the end of its window');
  return {
    played: {
      fromMicros,
      untilMicros,
      isControl: first.isControl,
      counts: ledger.counts,
      lost: accepted,
      eventCount: simulation.eventCount,
      digest: world.host.kernel.digest,
    },
    count,
  };
}

function isCalm(ledger: RequestLedger, nowMicros: number): boolean {
  return ledger.oldestOpenMicros > nowMicros - calmAgeMicros && ledger.lastLateMicros < nowMicros - microsPerMinute;
}

function specOf(fault: DrawnFault, atMicros: number, endMicros: number, names: readonly string[]): FaultSpec[] {
  const { effect, factor } = fault;
  if (effect === 'gatewayCut') return [];
  const kind = { down: 'crash', hang: 'hang', slow: 'slow', cut: 'partition', lossy: 'lossy' } as const;
  const machines = fault.machines.map((index) => names[index] as string);
  const forMicros = Math.max(1, endMicros - atMicros);
  if (effect === 'kernelDown') return [{ kind: 'kernelCrash', atMicros, forMicros, machines: [], factor }];
  if (effect === 'diskSlow') return [{ kind: 'diskSlow', atMicros, forMicros, machines: [], factor }];
  return [{ kind: kind[effect], atMicros, forMicros, machines, factor }];
}
