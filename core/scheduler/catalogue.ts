// Every queue order and placement by name, for scenarios, settings and `sira policies`. A new policy is one file in plugins/
// and one entry here.

import { SiraError } from '../base/errors.ts';
import type { Placement, PluginContext, QueueOrderContext, QueueSortPlugin } from './framework.ts';
import { bestFit } from './plugins/best-fit.ts';
import { dotProduct } from './plugins/dot-product.ts';
import { drf } from './plugins/drf.ts';
import { energyAware } from './plugins/energy-aware.ts';
import { f1 } from './plugins/f1.ts';
import { fastest } from './plugins/fastest.ts';
import { fcfs } from './plugins/fcfs.ts';
import { fgd } from './plugins/fgd.ts';
import { firstFit } from './plugins/first-fit.ts';
import { gpuClustering } from './plugins/gpu-clustering.ts';
import { gpuPacking } from './plugins/gpu-packing.ts';
import { learned } from './plugins/learned.ts';
import { learnedPlacement, readPlacementArtifact } from './plugins/learned-placement.ts';
import { leastLeftDevices } from './plugins/least-left-devices.ts';
import { locality } from './plugins/locality.ts';
import { predictive } from './plugins/predictive.ts';
import { priority } from './plugins/priority.ts';
import { randomDevices } from './plugins/random-devices.ts';
import { sjf } from './plugins/sjf.ts';
import { spread } from './plugins/spread.ts';
import { unicep } from './plugins/unicep.ts';
import { wfp3 } from './plugins/wfp3.ts';
import { worstFit } from './plugins/worst-fit.ts';

/** A queue order that a profile may name. */
export interface QueueOrderEntry {
  /** One line for people. */
  readonly description: string;
  create(context: QueueOrderContext): QueueSortPlugin;
}

/** A placement that a profile may name. */
export interface PlacementEntry {
  /** One line for people. */
  readonly description: string;
  /** True if the profile must name typical tasks. */
  readonly needsTypicalTasks: boolean;
  create(context: PluginContext): Placement;
}

/** Queue orders by name. */
export const queueOrders: Readonly<Record<string, QueueOrderEntry>> = {
  fcfs: { description: 'first come, first served', create: fcfs },
  priority: { description: 'largest priority first, then first come, first served', create: priority },
  drf: {
    description: 'the tenant with the least dominant share first (`tenantWeights`), then first come, first served',
    create: drf,
  },
  sjf: { description: 'shortest job first, by the estimate', create: sjf },
  f1: { description: 'log10(estimate)·processors + 870·log10(submit time), smallest first', create: f1 },
  wfp3: { description: '(wait/estimate)³·processors, largest first', create: wfp3 },
  unicep: { description: 'wait/(log2(processors)·estimate), largest first', create: () => unicep('floor') },
  'unicep-rlscheduler': {
    description: 'unicep, single-processor jobs before all others, as RLScheduler has it',
    create: () => unicep('tiny'),
  },
};

/** The queue order that a learned policy decides; it needs an artifact, and so is none of `queueOrders`. */
export const learnedOrderName = 'learned';
export const learnedOrderDescription =
  'a trained network ranks the tasks (`artifact:`), another order where it knows too little';

/** The placement that a learned policy decides; it too needs an artifact. */
export const learnedPlacementName = 'learned';
export const learnedPlacementDescription =
  'a trained network corrects the scores of another placement (`artifact:`), which decides where it knows too little';

/** Placements by name. */
export const placements: Readonly<Record<string, PlacementEntry>> = {
  random: {
    description: 'any machine that fits, any fitting devices, drawn at random',
    needsTypicalTasks: false,
    create: (context) => ({ name: 'random', scores: [], devices: randomDevices(context), ties: 'random' }),
  },
  'first-fit': simple('the first machine that fits, in order of registration', firstFit),
  'best-fit': simple('the machine left with the least CPU and GPU', bestFit),
  'worst-fit': simple('the machine left with the most CPU and GPU', worstFit),
  'dot-product': simple('the machine whose free CPU and GPU align least with the request', dotProduct),
  'gpu-packing': simple('GPUs in use first, then machines in use, then unused ones', gpuPacking),
  'gpu-clustering': simple('machines that run tasks of the same GPU class', gpuClustering),
  fastest: simple('the agent that may be hoped to serve the class of the task fastest, by its outcomes', fastest),
  'energy-aware': simple(
    'the machine whose power rises least, as its agent declares it; then the fullest',
    energyAware,
  ),
  predictive: simple(
    'machines whose tasks will run as long anyway, by a forecast of durations; then the fullest',
    predictive,
  ),
  locality: simple(
    'gangs where they fit and near each other; then the fastest agent, then the fullest machine',
    locality,
  ),
  spread: simple('the machine with the fewest tasks, then the least utilized', spread),
  fgd: {
    description: 'the machine and device whose fragmentation, for the typical workload, rises least',
    needsTypicalTasks: true,
    create(context) {
      const { score, devices } = fgd(context);
      return { name: 'fgd', scores: [{ plugin: score, weight: 1 }], devices, ties: 'first' };
    },
  },
};

/** The queue order called `name`; throws SIRA_POLICY_UNKNOWN with the known names, nearest first, and SIRA_POLICY_INVALID if
 *  a learned order's artifact is missing or wrong. */
export function findQueueOrder(name: string, context: QueueOrderContext): QueueSortPlugin {
  if (name === learnedOrderName) return learned(context, (fallback) => findQueueOrder(fallback, context));
  return find('queue order', queueOrders, name).create(context);
}

/** Builds the placement called `name`; throws SIRA_POLICY_UNKNOWN with the known names, nearest first. The function returned
 *  throws SIRA_SCENARIO_INVALID if the placement needs typical tasks and the context has none. */
export function findPlacement(name: string): (context: PluginContext) => Placement {
  if (name === learnedPlacementName) return (context) => learnedPlacement(context, findPlacement);
  const entry = find('placement', placements, name);
  return (context) => {
    if (entry.needsTypicalTasks && context.typicalTasks.length === 0) {
      throw new SiraError(
        'SIRA_SCENARIO_INVALID',
        `placement "${name}" needs the tasks of a typical workload, and there are none`,
      );
    }
    return entry.create(context);
  };
}

/** Throws what {@link findPlacement} does and, for a learned placement, SIRA_POLICY_INVALID if its artifact is missing or wrong.
 *  Returns whether the placement needs typical tasks. */
export function checkPlacement(name: string, artifact: string | undefined): boolean {
  if (name !== learnedPlacementName) return find('placement', placements, name).needsTypicalTasks;
  const { fallback } = readPlacementArtifact(artifact).manifest.shield;
  return find('placement', placements, fallback).needsTypicalTasks;
}

/** A placement of one score of weight 1, ties to the first machine, devices with least left. */
function simple(
  description: string,
  score: (context: PluginContext) => Placement['scores'][number]['plugin'],
): PlacementEntry {
  return {
    description,
    needsTypicalTasks: false,
    create(context) {
      const plugin = score(context);
      return { name: plugin.name, scores: [{ plugin, weight: 1 }], devices: leastLeftDevices(context), ties: 'first' };
    },
  };
}

function find<Entry>(what: string, entries: Readonly<Record<string, Entry>>, name: string): Entry {
  if (Object.hasOwn(entries, name)) return entries[name] as Entry;
  const known = Object.keys(entries)
    .map((candidate, position) => ({ candidate, position, distance: editDistance(name.toLowerCase(), candidate) }))
    .sort((left, right) => left.distance - right.distance || left.position - right.position)
    .map(({ candidate }) => candidate);
  throw new SiraError(
    'SIRA_POLICY_UNKNOWN',
    `no ${what} is called "${name}"; known, nearest first: ${known.join(', ')}`,
  );
}

/** Insertions, deletions and substitutions that turn `from` into `to` (Levenshtein 1966). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substituted = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
