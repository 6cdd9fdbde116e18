// Placement locality: the members of a gang near each other, on fast agents.

import { fixedLog } from '../../base/fixed-math.ts';
import type { GangMates, PluginContext, ScorePlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';
import { GangRoom } from './gang-room.ts';

/** Slowest and fastest agents that are told apart, as natural logarithms. */
const speedLogMax = 20;

/**
 * A task alone: the fastest agent for its class, by `Skills.offer`; of equal ones the fullest machine, by its accelerators or, without
 * any, its CPU. The first member of a gang: where most of the gang fits on the machine, then in the rack, then as a task alone. The
 * others: the least mean time a gigabit to those placed before them, then as the first.
 * Source: the topology-aware and heterogeneity-aware heuristics that learned placements are compared with, such as Amaral et al.,
 * "Topology-aware GPU scheduling for learning workloads in cloud environments", SC 2017; plain, and in this order.
 */
export function locality({ cluster, skills, links }: PluginContext): ScorePlugin {
  skills?.wantOffers();
  const room = new GangRoom({ cluster, links });

  const alone = (kind: RequestKind, machine: number): number => {
    const offer = skills?.offer(kind.taskClass ?? 0, machine) ?? 1;
    const speed = offer > 0 ? Math.max(-speedLogMax, Math.min(speedLogMax, fixedLog(offer))) : -speedLogMax;
    const gpu = (cluster.gpuCount[machine] as number) * 1000;
    const cpu = cluster.cpuCapacityMilli[machine] as number;
    const free =
      gpu > 0
        ? (cluster.gpuFreeMilli[machine] as number) / gpu
        : cpu > 0
          ? (cluster.cpuFreeMilli[machine] as number) / cpu
          : 0;
    return 100 * (speedLogMax + speed) + (1 - free);
  };

  return {
    name: 'locality',
    score: alone,
    scoreBeside(kind: RequestKind, machine: number, mates: GangMates) {
      const here = Math.min(mates.left, room.ofMachine(kind, machine)) / mates.left;
      const rack = Math.min(mates.left, room.ofRack(kind, machine, mates)) / mates.left;
      let delay = 0;
      for (const mate of mates.machines) delay += 1 / (links?.gigabitsBetween(mate, machine) ?? 1);
      const near = mates.machines.length === 0 ? 0 : 1 / (1 + (10 * delay) / mates.machines.length);
      return 1e7 * near + 1e5 * (10 * here + 5 * rack) + alone(kind, machine);
    },
  };
}
