// One seed of the matching experiment: a simulated cluster of agents with known skills works through tasks, its kernel learns
// from what the agents report, and at fixed numbers of outcomes the kernel's own discovery is asked the requests that were held
// out. The truth is looked up in the data and told to nobody.

import { microsPerSecond } from '../../core/base/time.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { createOracles } from '../../sim/oracle/create-oracles.ts';
import type { MachineSpec } from '../../sim/workload/workload.ts';
import { soundNetwork } from '../../sim/world/sound-network.ts';
import { World, type WorldOptions } from '../../sim/world/world.ts';
import { type KnownSkills, knownSkills } from './known-skills.ts';
import { type HeldOutRequest, matchingDemand } from './matching-workload.ts';

export interface MatchingOptions {
  readonly seed: number;
  /** Numbers of outcomes after which the kernel is asked, rising, from 0. */
  readonly checkpoints: readonly number[];
  readonly heldOutCount: number;
  /** Chance that nobody shares an agent's accelerators. */
  readonly aloneShare: number;
  /** `skills.optimism`, and the placement of the tasks that are learned from. */
  readonly optimism: number;
  readonly place: 'fastest' | 'random';
  /** `skills.halfLifeMicros`. */
  readonly halfLifeMicros?: number | undefined;
  /** After so many outcomes other jobs share this share of the agents. */
  readonly change?: { readonly outcomes: number; readonly share: number } | undefined;
  /** Puts a kernel restored from its own snapshot in the kernel's place at each checkpoint. */
  readonly restarts?: boolean | undefined;
  readonly progress?: ((share: number) => void) | undefined;
}

export interface MatchingPoint {
  readonly outcomes: number;
  readonly simulatedSeconds: number;
  /** Held-out requests for which the agent found is the fastest of those that can, or equally fast. */
  readonly right: number;
  /** The same, within 2% of the fastest. */
  readonly nearlyRight: number;
  /** Mean of how much longer the agent found takes than the fastest, relative; one that fails counts as ten times as long. */
  readonly excess: number;
  /** Tasks so far that failed and were placed anew. */
  readonly failures: number;
  /** Pairs of an agent and a class with an outcome. */
  readonly pairsTried: number;
}

export interface MatchingResult {
  readonly seed: number;
  readonly agents: number;
  readonly classes: number;
  readonly requests: number;
  /** Right answers of one who draws among the agents that are large enough, at the begin. */
  readonly chance: number;
  readonly points: readonly MatchingPoint[];
}

export function runMatching(options: MatchingOptions): MatchingResult {
  const skills = knownSkills(options.seed, options.aloneShare);
  const demand = matchingDemand(skills, options.heldOutCount, options.seed);
  const judge = new Judge(skills, demand.heldOut);
  const points: MatchingPoint[] = [];
  const tried = new Set<string>();
  let outcomes = 0;
  let failures = 0;
  const look = (): void => {
    const expected = options.checkpoints[points.length];
    if (expected === undefined || outcomes < expected) return;
    const simulatedSeconds = world.simulation.nowMicros / microsPerSecond;
    points.push({ outcomes, simulatedSeconds, failures, pairsTried: tried.size, ...judge.ask(world.host.kernel) });
    options.progress?.(points.length / options.checkpoints.length);
    world.simulation.stop();
  };
  const worldOptions: Omit<WorldOptions, 'observers'> = {
    seed: options.seed,
    machines: skills.machines,
    workload: demand.workload,
    profile: {
      name: options.place,
      order: 'fcfs',
      place: options.place,
      unplaced: 'skip',
      backfill: 'none',
      overtakeMax: 0,
      typicalTasks: [],
    },
    network: soundNetwork(200),
    heartbeat: { intervalMicros: 10 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
    limits: { eventsPerInstantMax: 1_000_000, causalDepthMax: 1_000_000, queueLengthMax: 1_000_000 },
    faults: [],
    settings: {
      'skills.optimism': options.optimism,
      ...(options.halfLifeMicros === undefined ? {} : { 'skills.halfLifeMicros': options.halfLifeMicros }),
    },
  };
  const chance = judge.chance();
  const oracles = createOracles(worldOptions);
  const learned = {
    kernelEffect: (effect: Effect): void => {
      if (effect.kind !== 'skillMeasured') return;
      outcomes++;
      if (outcomes === options.change?.outcomes) {
        skills.change(options.change.share);
        judge.learnBest();
      }
      tried.add(`${effect.agent} ${effect.taskClass}`);
      look();
    },
    kernelInput: (input: { readonly kind: string; readonly outcome?: unknown }): void => {
      if (input.kind === 'taskFinished' && input.outcome === 'failed') failures++;
    },
  };
  const world = new World({ ...worldOptions, observers: [...oracles.observers, learned] });
  // All agents have registered, and no task has come to its end.
  world.runUntil(microsPerSecond);
  look();
  while (points.length < options.checkpoints.length) {
    world.runUntil(world.simulation.nowMicros + 3600 * microsPerSecond);
    // Between two events: the kernel has nothing in hand.
    if (options.restarts === true) world.restartKernelFromSnapshot();
  }
  oracles.finish(world.simulation.nowMicros);
  return {
    seed: options.seed,
    agents: skills.machines.length,
    classes: skills.classes.length,
    requests: judge.requestCount,
    chance,
    points,
  };
}

/** Knows the truth, and asks the kernel. */
class Judge {
  private readonly skills: KnownSkills;
  private readonly machineOfName = new Map<string, number>();
  private readonly cases: { readonly asked: HeldOutRequest; best: number }[] = [];

  constructor(skills: KnownSkills, heldOut: readonly HeldOutRequest[]) {
    this.skills = skills;
    skills.machines.forEach(({ name }, machine) => {
      this.machineOfName.set(name, machine);
    });
    for (const asked of heldOut) {
      const best = this.bestRate(asked);
      if (best > 0) this.cases.push({ asked, best });
    }
  }

  chance(): number {
    let sum = 0;
    for (const { asked, best } of this.cases) {
      const able = this.skills.machines.flatMap((machine, index) =>
        isLargeEnough(machine, asked.request) ? [index] : [],
      );
      sum += able.filter((index) => this.skills.rate(index, asked.taskClass) === best).length / able.length;
    }
    return sum / this.cases.length;
  }

  /** The truth has changed. */
  learnBest(): void {
    for (const one of this.cases) one.best = this.bestRate(one.asked);
  }

  /** Requests that some agent can serve. */
  get requestCount(): number {
    return this.cases.length;
  }

  ask(kernel: Kernel): Pick<MatchingPoint, 'right' | 'nearlyRight' | 'excess'> {
    let right = 0;
    let nearlyRight = 0;
    let excess = 0;
    for (const { asked, best } of this.cases) {
      const { cpuMilli, memoryMib, gpuCount } = asked.request;
      const found = kernel.discover({
        fastest: { taskClass: asked.taskClass },
        resources: { cpuMilli, memoryMib, gpuCount },
        limit: 1,
      }).matches[0];
      const machine = found === undefined ? -1 : (this.machineOfName.get(found.name) as number);
      const rate = machine < 0 ? 0 : this.skills.rate(machine, asked.taskClass);
      if (rate === best) right++;
      if (rate >= best / 1.02) nearlyRight++;
      excess += rate === 0 ? 9 : best / rate - 1;
    }
    const count = this.cases.length;
    return { right: right / count, nearlyRight: nearlyRight / count, excess: excess / count };
  }

  private bestRate({ taskClass, request }: HeldOutRequest): number {
    let best = 0;
    this.skills.machines.forEach((machine, index) => {
      if (isLargeEnough(machine, request)) best = Math.max(best, this.skills.rate(index, taskClass));
    });
    return best;
  }
}

function isLargeEnough(machine: MachineSpec, request: HeldOutRequest['request']): boolean {
  return (
    machine.cpuMilli >= request.cpuMilli &&
    machine.memoryMib >= request.memoryMib &&
    machine.gpuCount >= request.gpuCount
  );
}
