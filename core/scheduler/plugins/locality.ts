// Placement locality: the members of a gang near each other, on fast agents.

import { fixedLog } from '../../base/fixed-math.ts';
import type { GangMates, PluginContext, ScorePlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';
import { GangRoom } from './gang-room.ts';

/** Slowest and fastest agents that are told apart, as natural logarithms. */
const speedLogMax = 20;

/**
 * `10·ln(speed) + fullness` for a task alone: the fastest agent for its class, by `Skills.offer`; of equal ones the fullest machine, by its
 * accelerators or, without any, its CPU. For members of a gang `100·h + 50·r` more, h and r the shares of the members still to be placed
 * that the machine and its rack have room for, and `1000/(1 + 10·t)`, t the mean seconds a gigabit to those placed before: near them first,
 * then where the rest has room, then as a task alone, unless speeds differ by orders of magnitude.
 * Source: the topology-aware and heterogeneity-aware heuristics that learned placements are compared with, such as Amaral et al.,
 * "Topology-aware GPU scheduling for learning workloads in cloud environments", SC 2017; the weights are ours.
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
    return 10 * (speedLogMax + speed) + (1 - free);
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
      return 1000 * near + 100 * here + 50 * rack + alone(kind, machine);
    },
  };
}
