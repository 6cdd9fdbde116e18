// Filter, Score and Reserve for one task: finds its machines, chooses devices, takes the resources, and writes down why. It
// owns the attempts that hold resources and the index that finds machines; which task is tried when is the cycle's business.

import { assert } from '../base/assert.ts';
import { type RandomState, RandomStream } from '../base/random.ts';
import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';
import type { ClusterState } from './cluster-state.ts';
import type { DecisionRecord, DecisionRule } from './decision.ts';
import { type DecisionFacts, DecisionWriter } from './decision-writer.ts';
import type { GangMates, Placement, PluginContext, Profile } from './framework.ts';
import { PlacementIndex } from './placement-index.ts';
import { placementOf } from './placement-of.ts';
import type { RequestKind } from './request.ts';
import type { Attempt, Task } from './task.ts';

/** Told when an attempt takes (`sign` 1) or gives back (−1) what it holds. */
export type AllocationListener = (attempt: Attempt, sign: 1 | -1) => void;

export class Placer {
  readonly cluster: ClusterState;
  /** Attempts that hold resources, by number, in order of placement. */
  readonly attempts = new Map<number, Attempt>();
  /** Those of the profile in force. */
  placement!: Placement;
  index!: PlacementIndex;
  /** Attempts ever begun. */
  attemptCount = 0;
  policyVersion = 1;
  /** Ties and exploration draw from it: the kernel's own stream, or that of a profile that brings its own seed. */
  private random: RandomStream;
  private decisions!: DecisionWriter;
  private shadow: { readonly index: PlacementIndex; readonly placement: Placement } | undefined;
  private readonly kernelRandom: RandomStream;
  private readonly more: Pick<PluginContext, 'skills' | 'power' | 'links'>;
  private readonly settings: Settings<KernelSettingTable>;
  private readonly onChange: AllocationListener;
  private readonly spanned: number[] = [];

  constructor(
    cluster: ClusterState,
    profile: Profile,
    random: RandomStream,
    settings: Settings<KernelSettingTable>,
    onChange: AllocationListener,
    more: Pick<PluginContext, 'skills' | 'power' | 'links'> = {},
  ) {
    this.cluster = cluster;
    this.settings = settings;
    this.onChange = onChange;
    this.random = random;
    this.kernelRandom = random;
    this.more = more;
    this.adopt(profile);
  }

  /** Places by another profile from now on. What holds resources goes on holding them, and the new plug-ins are told of it. */
  adopt(profile: Profile): void {
    const { cluster } = this;
    const count = (this.decisions as DecisionWriter | undefined)?.count ?? 0;
    this.random =
      profile.tieSeed === undefined
        ? this.kernelRandom
        : new RandomStream(profile.tieSeed, `ties ${this.attemptCount}`);
    const { random } = this;
    const placement = placementOf(profile, cluster, random, this.more);
    this.placement = profile.ties === undefined ? placement : { ...placement, ties: profile.ties };
    this.index = new PlacementIndex(cluster, this.placement, random);
    this.decisions = new DecisionWriter(this.index, this.placement);
    this.decisions.count = count;
    for (const { kind, machines } of this.attempts.values())
      for (const machine of machines) this.index.changed(kind, machine, 1);
  }

  /** A placement that chooses beside this one, with ties of its own; none if there is no profile. */
  setShadow(profile: Profile | undefined): void {
    this.shadow = undefined;
    if (profile === undefined) return;
    const { cluster } = this;
    // The kernel's stream must not know of it, and a shadow that is made again after a restart must choose the same.
    const random = new RandomStream(0, 'shadow');
    const placement = placementOf(profile, cluster, random, this.more);
    const index = new PlacementIndex(cluster, { ...placement, ties: 'first' }, random);
    this.shadow = { index, placement };
    for (const { kind, machines } of this.attempts.values())
      for (const machine of machines) index.changed(kind, machine, 1);
  }

  /** State of the profile's own stream, if it has one. */
  saveTies(): RandomState | undefined {
    return this.random === this.kernelRandom ? undefined : this.random.save();
  }

  restoreTies(state: RandomState | undefined): void {
    if (state !== undefined) this.random.restore(state);
  }

  get decisionCount(): number {
    return this.decisions.count;
  }

  set decisionCount(count: number) {
    this.decisions.count = count;
  }

  /** The best machines for `kind` now, none of which `excluded` names; undefined if there are too few. `mates`: of a member of a gang. */
  find(
    kind: RequestKind,
    excluded: ((machine: number) => boolean) | undefined,
    mates?: GangMates,
  ): number[] | undefined {
    if (mates !== undefined && kind.machineCount === 1 && this.index.looksAtGangs) {
      const machine = this.index.findBeside(kind, mates, excluded);
      return machine < 0 ? undefined : [machine];
    }
    if (kind.machineCount === 1 && excluded === undefined) {
      const share = this.settings.get('scheduler.exploreShare');
      const machine =
        share === 0
          ? this.index.find(kind)
          : this.index.findOrExplore(kind, share, this.settings.get('scheduler.exploreTop'));
      return machine < 0 ? undefined : [machine];
    }
    return this.index.findMany(kind, kind.machineCount, excluded, this.spanned) ? [...this.spanned] : undefined;
  }

  /** Machines chosen by other means, as if they had been found; undefined if one of them has no room. */
  findAt(kind: RequestKind, machines: readonly number[]): number[] | undefined {
    for (const machine of machines) if (!this.index.canFit(kind, machine)) return undefined;
    this.index.choose(kind, machines[0] as number);
    return [...machines];
  }

  /** Takes the resources of machines that were just found; the devices may have been chosen by other means than the placement's. */
  reserve(
    task: Task,
    machines: readonly number[],
    nowMicros: number,
    facts: { readonly rule: DecisionRule; readonly shadowMicros?: number | undefined; readonly queueLength: number },
    chosenDevices?: readonly number[],
  ): { readonly attempt: Attempt; readonly record: DecisionRecord } {
    const { kind } = task;
    const deviceMasks = new Array<number>(machines.length);
    for (let position = 0; chosenDevices === undefined && position < machines.length; position++) {
      const machine = machines[position] as number;
      deviceMasks[position] = kind.gpuCount > 0 ? this.placement.devices.choose(kind, machine) : 0;
    }
    const attempt: Attempt = {
      attempt: ++this.attemptCount,
      task,
      kind,
      machines,
      deviceMasks: chosenDevices ?? deviceMasks,
      order: 0,
      placedMicros: nowMicros,
      resumeMicros: task.progressMicros,
      startedMicros: -1,
      state: 'dispatched',
    };
    const { rule, shadowMicros, queueLength } = facts;
    // For tasks over several machines or off reserved ones, the shadow is not asked.
    const asksShadow = kind.machineCount === 1 && rule === 'in order' && task.gang === undefined;
    const shadow = asksShadow ? this.shadow?.index.find(kind) : undefined;
    const record = this.explain(task, { outcome: 'placed', rule, attempt, shadowMicros, queueLength, shadow });
    this.hold(attempt);
    return { attempt, record };
  }

  /** An attempt of a snapshot, or of just now, has its resources. */
  hold(attempt: Attempt): void {
    this.attempts.set(attempt.attempt, attempt);
    this.change(attempt, 1);
  }

  /** Returns the resources of an attempt. */
  release(attempt: Attempt): void {
    assert(this.attempts.delete(attempt.attempt), 'an attempt is released once');
    this.change(attempt, -1);
  }

  /** The record of a decision about `task`; for a placement, before the columns change. */
  explain(task: Task, facts: DecisionFacts): DecisionRecord {
    const chosen = facts.rule === 'after eviction';
    const runnersUpMax = chosen ? 0 : this.settings.get('scheduler.decisionRunnersUp');
    return this.decisions.write(task, facts, this.policyVersion, runnersUpMax);
  }

  /** `sign` 1 allocates, −1 releases. */
  private change(attempt: Attempt, sign: 1 | -1): void {
    const { kind, machines, deviceMasks } = attempt;
    this.onChange(attempt, sign);
    for (let position = 0; position < machines.length; position++) {
      const machine = machines[position] as number;
      const deviceMask = deviceMasks[position] as number;
      this.index.changed(kind, machine, sign);
      this.shadow?.index.changed(kind, machine, sign);
      if (sign > 0) this.cluster.allocate(kind, machine, deviceMask);
      else this.cluster.release(kind, machine, deviceMask);
    }
  }
}
