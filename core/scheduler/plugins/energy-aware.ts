// Placement energy-aware: the machine whose power rises least, as its agent declares it, so that little work keeps few machines on.

import type { PluginContext, ScorePlugin } from '../framework.ts';
import { meanUseWith } from './mean-use.ts';

/** Machines whose power would rise by more than this are not told apart, watts. */
const riseMaxWatts = 100_000;

/**
 * The rise of the machine's power by the task, to the milliwatt, smallest first:
 * `processorWatts·cpu/cpuCapacity + acceleratorWatts·gpu`, and for a machine without work what being on costs it,
 * `idleWatts − sleepWatts` (all of `idleWatts`, if it never sleeps: it may be switched off). Of equal ones the fullest: the mean share
 * of its CPU, memory and GPUs (of those it has) that is in use with the task, in 0…1 and below any milliwatt. A machine whose
 * agent says nothing rises by nothing, so that the placement only packs.
 * Source: the power-aware placement of Lettich et al., "Power- and Fragmentation-aware Online Scheduling for GPU Datacenters",
 * CCGrid 2025 (arXiv 2412.17484), with the sleeping state, and ties after best fit.
 */
export function energyAware({ cluster, power }: PluginContext): ScorePlugin {
  return {
    name: 'energy-aware',
    score(kind, machine) {
      const cpu = cluster.cpuCapacityMilli[machine] as number;
      const rating = power?.of(machine);
      let watts = 0;
      if (rating !== undefined) {
        if (cpu > 0) watts += (rating.processorWatts * kind.cpuMilli) / cpu;
        watts += (rating.acceleratorWatts * kind.gpuTotalMilli) / 1000;
        if (cluster.allocationCount[machine] === 0) watts += Math.max(0, rating.idleWatts - (rating.sleepWatts ?? 0));
      }
      return (
        1000 * riseMaxWatts -
        Math.round(1000 * Math.min(watts, riseMaxWatts)) +
        0.999 * meanUseWith(cluster, kind, machine)
      );
    },
  };
}
