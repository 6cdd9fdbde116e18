// Draws what policies and settings are seldom drawn alone, so that what they promise can be followed decision by decision: fair
// shares with nothing beside them, tasks that may be tried only a few times, machines that crash again and again, or lag
// behind, under rules that notice. It has a random stream of its own, so that the case underneath stays what its seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { SwarmCase } from './swarm.ts';

export function withPolicies(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.policies');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const isFair = chance(0.06);
  const attemptsMax = chance(0.1) ? pick([1, 2, 3]) : 0;
  const flaps = chance(0.06);
  const lags = chance(0.06);
  let more = isFair ? withFairShares(drawn, random) : drawn;
  if (flaps) more = withFlappingMachines(more, random);
  if (lags) more = withLaggingMachine(more, random);
  const others = new RandomStream(drawn.seed, 'swarm.overtaking');
  if (others.nextFloat() < 0.05) more = withChangingTurns(more, others);
  const gangs = new RandomStream(drawn.seed, 'swarm.gangCancellations');
  if (gangs.nextFloat() < 0.3) more = withCancelledMembers(more, gangs);
  const clocks = new RandomStream(drawn.seed, 'swarm.slowClocks');
  if (clocks.nextFloat() < 0.06) more = withSlowClocks(more, clocks);
  if (attemptsMax === 0) return more;
  return { ...more, settings: { ...more.settings, 'scheduler.attemptsMax': attemptsMax } };
}

/** Three tenants that compete for whatever comes free, one of them with a larger weight. */
function withFairShares(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const tasks = drawn.tasks.map(({ gang: _, ...task }) => ({ ...task, tenant: ['a', 'b', 'c'][random.nextBelow(3)]! }));
  const plain = { unplaced: 'skip', backfill: 'none', overtakeMax: 0, preempt: 'never' } as const;
  const tenantWeights = { a: 1 + random.nextBelow(4) };
  return { ...drawn, tasks, profile: { ...drawn.profile, ...plain, order: 'drf', tenantWeights } };
}

/** Members of gangs that are cancelled soon after they came, while their gang gathers or waits. */
function withCancelledMembers(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const cancellations = [...drawn.cancellations];
  for (const [index, { gang, arrivalMicros }] of drawn.tasks.entries()) {
    if (gang === undefined || random.nextFloat() >= 0.15) continue;
    const atMicros = arrivalMicros + random.nextBelow(5 * microsPerSecond);
    cancellations.push({ atMicros, submission: index + 1 });
  }
  return { ...drawn, cancellations };
}

/** Clocks of agents that are as slow as they may be, and machines that are cut off again and again while they work: leases end by
 *  one clock and are believed by another. */
function withSlowClocks(drawn: SwarmCase, random: RandomStream): SwarmCase {
  // An agent looks at its lease with each beat. A lease that ends a little before one shows whether it trusts its clock too far,
  // unless what is on its way for longer than the clock drifts hides it.
  const heartbeat = { intervalMicros: 2 * microsPerSecond, leaseMicros: 29.9 * microsPerSecond };
  const { leaseMicros } = heartbeat;
  const latency = { distribution: 'constant', meanMicros: 200, sigma: 0 } as const;
  const spanMicros = (drawn.tasks.at(-1) as WorkloadTask).arrivalMicros + microsPerMinute;
  const machines = drawn.machines.map(({ name }) => name);
  const faults: FaultSpec[] = [{ kind: 'clockDrift', atMicros: 0, forMicros: spanMicros, machines, factor: -0.01 }];
  for (let atMicros = 0; faults.length < 13; ) {
    atMicros += leaseMicros + random.nextBelow(2 * leaseMicros);
    if (atMicros > spanMicros) break;
    const share = [0.3, 0.6][random.nextBelow(2)] as number;
    faults.push({ kind: 'partition', atMicros, forMicros: 2 * leaseMicros, machines: { share }, factor: 1 });
  }
  const network = { ...drawn.network, latency };
  return { ...drawn, heartbeat, network, faults: [...drawn.faults, ...faults] };
}

/** Turns that change while tasks wait, and a bound on how often the first of them is overtaken. */
function withChangingTurns(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const tasks = drawn.tasks.map(({ gang: _, ...task }) => task);
  const order = ['wfp3', 'unicep'][random.nextBelow(2)] as string;
  const rules = { unplaced: 'skip', backfill: 'none', preempt: 'never', overtakeMax: 1 + random.nextBelow(4) } as const;
  return { ...drawn, tasks, profile: { ...drawn.profile, ...rules, order } };
}

/** A few machines that crash for a moment every half minute or so, and rules that hold them for it. */
function withFlappingMachines(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const settings: SwarmCase['settings'] = {
    'health.returnsMax': 2,
    'health.returnsWindowMicros': 3 * microsPerMinute,
    'health.flapHoldFirstMicros': 10 * microsPerSecond,
    'health.flapHoldMaxMicros': 60 * microsPerSecond,
    'health.heldShareMax': [0.2, 0.5][random.nextBelow(2)] as number,
  };
  const spanMicros = (drawn.tasks.at(-1) as WorkloadTask).arrivalMicros;
  const faults: FaultSpec[] = [];
  for (let count = 1 + random.nextBelow(3); count > 0; count--) {
    const { name } = drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec;
    for (let atMicros = 0; faults.length < 36; ) {
      atMicros += (10 + random.nextBelow(40)) * microsPerSecond;
      if (atMicros > spanMicros) break;
      const forMicros = 1 + random.nextBelow(microsPerSecond);
      faults.push({ kind: 'crash', atMicros, forMicros, machines: [name], factor: 1 });
    }
  }
  return { ...drawn, faults: [...drawn.faults, ...faults], settings: { ...drawn.settings, ...settings } };
}

/** A machine that is slower than its peers for long, and rules that look often. */
function withLaggingMachine(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const settings: SwarmCase['settings'] = {
    'health.slowFactor': 1.5,
    'health.samplesMin': 1 + random.nextBelow(2),
    'health.agentsMin': 2,
    'health.checkIntervalMicros': 10 * microsPerSecond,
    'health.ejectionFirstMicros': 10 * microsPerSecond,
    'health.ejectionMaxMicros': [15, 60][random.nextBelow(2)]! * microsPerSecond,
    'health.heldShareMax': 0.5,
  };
  const { name } = drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec;
  const spanMicros = (drawn.tasks.at(-1) as WorkloadTask).arrivalMicros;
  const slow: FaultSpec = { kind: 'slow', atMicros: 0, forMicros: 1 + spanMicros, machines: [name], factor: 4 };
  return { ...drawn, faults: [...drawn.faults, slow], settings: { ...drawn.settings, ...settings } };
}
