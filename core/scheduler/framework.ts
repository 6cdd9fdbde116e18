// The plug-in points, after the Kubernetes scheduling framework, each over columns. A plug-in is small, has no state of
// its own beyond what it can rebuild from the cluster's columns and the allocations it is told of, and is wrapped to be
// recorded, never edited for it.

import type { RandomStream } from '../base/random.ts';
import type { ShieldCounts } from '../policy/shield.ts';
import type { ClusterState } from './cluster-state.ts';
import type { RequestKind } from './request.ts';
import type { Attempt } from './task.ts';

/** What a queue order may look at. Times in microseconds. */
export interface QueuedTask {
  /** Number that the kernel gave the task; grows with submission. */
  readonly task: number;
  readonly kind: RequestKind;
  readonly submittedMicros: number;
  /** The submitter's estimate of the run time: never the true one. */
  readonly estimateMicros: number;
  readonly priority: number;
  readonly tenant: string;
}

/** QueueSort: smaller keys run first, ties by task number. */
export interface QueueSortPlugin {
  readonly name: string;
  /** True if the key changes while the task waits; then keys are computed anew at each selection. */
  readonly dynamic: boolean;
  key(task: QueuedTask, nowMicros: number): number;
  /** Keys of the first `count` of `tasks`, which all wait, at once: for orders that weigh them against each other. Where there is
   *  one, `key` is not asked, and `dynamic` is true. Must not keep `tasks`. */
  rank?(tasks: readonly QueuedTask[], count: number, nowMicros: number, keys: Float64Array): void;
  /** Told when a task takes (`sign` 1) or gives back (−1) its resources: for orders that look at who holds what. */
  changed?(task: QueuedTask, sign: 1 | -1): void;
  /** Of an order that a network decides. */
  readonly shieldCounts?: ShieldCounts | undefined;
}

/** What a queue order is built over. */
export interface QueueOrderContext {
  readonly cluster: ClusterState;
  /** By tenant, above 0; 1 where none is given. */
  readonly tenantWeights: Readonly<Record<string, number>>;
  /** A learned policy's artifact in base64, for the order that needs one. */
  readonly artifact?: string | undefined;
  /** Attempts that hold resources now. */
  readonly attempts?: (() => Iterable<Attempt>) | undefined;
}

/** Score: how good `machine` is for `kind`, larger is better. Pure in the machine's columns, the kind, and the plug-in's
 *  own per-machine columns, which change only when the cluster state's change log notes the machine. That is what makes
 *  scores cacheable per kind. Called only for machines that pass the filter; the result must be finite and non-negative. */
export interface ScorePlugin {
  readonly name: string;
  score(kind: RequestKind, machine: number): number;
  /** As `score`, for a member of a gang: asked anew for every machine, and not kept. `score` alone counts if it is left out. */
  scoreBeside?(kind: RequestKind, machine: number, mates: GangMates): number;
  /** Told of each allocation and release, before the change log notes it: for plug-ins with columns of their own. */
  changed?(kind: RequestKind, machine: number, sign: 1 | -1): void;
  /** Told before the first score of a kind. */
  prepare?(kind: RequestKind): void;
}

/** The gang of a task that is being placed. */
export interface GangMates {
  /** Where the members stand that were placed before it. */
  readonly machines: readonly number[];
  /** Members that are still to be placed, itself included. */
  readonly left: number;
}

/** What agents say of the links between their machines. Changes only for rows that the cluster's change log notes. */
export interface Links {
  /** Empty where an agent says nothing: all those are one rack. */
  rackOf(machine: number): string;
  /** Gigabits a second between two machines, above 0. */
  gigabitsBetween(first: number, second: number): number;
}

/** Reserve: which devices of the chosen machine the task gets, as a bit mask of `kind.gpuCount` devices that each have at
 *  least `kind.gpuMilli` left. Called only if `kind.gpuCount > 0` and the machine passes the filter. */
export interface DevicePlugin {
  readonly name: string;
  choose(kind: RequestKind, machine: number): number;
}

/** What agents may be hoped to do, by class of task and row. */
export interface Skills {
  /** Called once, before the first offer: they are kept from now on. */
  wantOffers(): void;
  /** Units of work a second, finite and not negative; changes only for rows that the cluster's change log notes. */
  offer(taskClass: number, machine: number): number;
  /** The class's own name, empty for none. */
  className?(taskClass: number): string;
}

/** What the machines' agents say of their power, watts; undefined where one says nothing. Changes only for rows that the cluster's
 *  change log notes. */
export interface PowerRatings {
  of(machine: number): MachinePower | undefined;
}

export interface MachinePower {
  /** Drawn while the machine is on, whatever it does. */
  readonly idleWatts: number;
  /** More than that with all its CPU in use. */
  readonly processorWatts: number;
  /** More than that for each accelerator wholly in use. */
  readonly acceleratorWatts: number;
  /** Drawn while it sleeps, and how long it takes to wake up; left out by a machine that never sleeps. */
  readonly sleepWatts?: number | undefined;
  readonly wakeSeconds?: number | undefined;
}

/** What a plug-in is built over. */
export interface PluginContext {
  readonly cluster: ClusterState;
  /** The kernel's own stream, part of its snapshot. Scores must not draw from it; device choice may. */
  readonly random: RandomStream;
  /** The workload that fragmentation is measured against (FGD); empty if the profile names none. */
  readonly typicalTasks: readonly TypicalTask[];
  /** Left out where nobody measures agents. */
  readonly skills?: Skills | undefined;
  /** Left out where nobody knows. */
  readonly power?: PowerRatings | undefined;
  /** Left out where nobody knows. */
  readonly links?: Links | undefined;
  /** A learned placement's artifact in base64. */
  readonly artifact?: string | undefined;
  /** How long a task of a kind will run, as forecast: the same each time. Left out without a forecast. */
  readonly forecastSeconds?: ((kind: RequestKind) => number) | undefined;
}

/** One kind of task of a typical workload and how often it occurs. */
export interface TypicalTask {
  readonly cpuMilli: number;
  readonly gpuCount: number;
  readonly gpuMilli: number;
  readonly gpuModels: readonly string[];
  /** Occurrences; only ratios matter. */
  readonly count: number;
}

/** What happens to a task that cannot be placed now. */
export type UnplacedRule = 'block' | 'skip' | 'backoff' | 'drop';

/** EASY backfilling, or conservative. `never`: a task may start out of order only if its estimate ends before the blocked task's shadow time,
 *  which is computed once, when the task blocks; releases of one instant are looked at one by one (RLScheduler).
 *  `avoidReserved`: or if it keeps off the machines reserved for the blocked task; the reservation is computed anew as running
 *  tasks end, early or late (Batsim). `conservative`: every waiting task has a reservation, and none is delayed. */
export type BackfillRule = 'none' | 'never' | 'avoidReserved' | 'conservative';

/** Whether a task that fits nowhere may evict running ones: `lowerPriority`, those of strictly lower priority. */
export type PreemptRule = 'never' | 'lowerPriority';

/** When agents are asked to wake up and when they are released. */
export interface ScalingRule {
  /** Between two looks; of a forecaster, its own interval. */
  readonly intervalMicros: number;
  /** Whose demand is looked at. */
  readonly resource: 'gpu' | 'cpu';
  /** Kept awake beyond what is wanted, as a share of it. */
  readonly spareShare: number;
  /** A machine that is not wanted for so long, and has no work, is released. */
  readonly keepMicros: number;
  /** Machines kept awake at all times. */
  readonly machinesMin: number;
  /** What will be wanted; left out, what was asked for in the last interval. */
  readonly forecast?: ScalingForecast | undefined;
}

export interface ScalingForecast {
  /** Where it was read from, for people. */
  readonly file?: string | undefined;
  /** The forecaster's artifact in base64, so that a journal holds all that decides. */
  readonly artifact: string;
  /** Steps ahead that are looked at: as many as it takes to wake up, and the one in which it is noticed. */
  readonly steps: number;
  /** Which of the model's levels is wanted. */
  readonly level: number;
}

/** A policy: a named profile. */
export interface Profile {
  readonly name: string;
  /** Name of a queue order. */
  readonly order: string;
  /** Name of a placement: a set of weighted scores, a device choice and a rule for ties. */
  readonly place: string;
  readonly unplaced: UnplacedRule;
  readonly backfill: BackfillRule;
  /** `skip` only: placements of later tasks that the head of the queue suffers before the queue blocks for it; 0 means no bound. */
  readonly overtakeMax: number;
  /** `never` if left out. */
  readonly preempt?: PreemptRule | undefined;
  /** Order `drf` only: what a tenant's share is divided by, above 0; 1 for those left out. */
  readonly tenantWeights?: Readonly<Record<string, number>> | undefined;
  /** How long tasks of each class run, as forecast, for placements that look ahead: an artifact in base64. */
  readonly durations?: string | undefined;
  /** Nobody is asked or released if it is left out. */
  readonly scaling?: ScalingRule | undefined;
  /** Order or placement `learned` only: the policy's artifact, in base64, so that a journal holds all that decides. */
  readonly artifact?: string | undefined;
  /** Overrides the placement's own rule for machines of equal score. */
  readonly ties?: Placement['ties'] | undefined;
  /** Ties are drawn from a stream of its own with this seed; from the kernel's if left out. */
  readonly tieSeed?: number | undefined;
  /** Fragmentation's typical workload, if the placement needs one. */
  readonly typicalTasks: readonly TypicalTask[];
}

/** How machines are ranked and devices chosen. */
export interface Placement {
  readonly name: string;
  readonly scores: readonly { readonly plugin: ScorePlugin; readonly weight: number }[];
  readonly devices: DevicePlugin;
  /** Among machines of the highest total: the first in machine order, or one drawn at random. */
  readonly ties: 'first' | 'random';
  /** Where the scores may not decide, another placement does. */
  readonly guard?: PlacementGuard | undefined;
  /** Of a placement that a network decides. */
  readonly shieldCounts?: ShieldCounts | undefined;
}

/** Keeps scores that were learned to what they were learned on. */
export interface PlacementGuard {
  /** Of the same plug-ins where both have them: told of changes once. */
  readonly fallback: Placement;
  /** A total below it says that the machine is unlike those of the training. */
  readonly trustedFrom: number;
  /** Called once a decision, with the machines that pass the filter and how many of them are below `trustedFrom`. */
  admits(count: number, outside: number): boolean;
}
