// How much of a machine's free GPU a typical workload could not use: the fragmentation that FGD descends and that reports
// draw. Exact in every bit, since truncated scores show the last one, and cached per machine until the machine changes.

import { assert } from '../../base/assert.ts';
import type { ClusterState } from '../cluster-state.ts';
import { deviceCountMax } from '../cluster-state.ts';
import type { TypicalTask } from '../framework.ts';

/** The typical tasks seen from a machine of one GPU model with one class of free CPU, each list in typical-task order. */
interface Plan {
  /** GPU tasks that the CPU suffices for: slots and weights. */
  readonly enoughSlots: Int32Array;
  readonly enoughWeights: Float64Array;
  /** GPU tasks that lack CPU. */
  readonly lackSlots: Int32Array;
  readonly lackWeights: Float64Array;
  /** Weights of the tasks without GPU that the CPU suffices for, of those that lack CPU, and of those for other models. */
  readonly cpuOnlyEnough: Float64Array;
  readonly cpuOnlyLack: Float64Array;
  readonly excluded: Float64Array;
}

/**
 * `F = Σ w_m·f_m` over typical tasks m in GPU milli, w_m their shares: f_m is all GPU milli left if m asks for no GPU, or the
 * model is excluded, or the CPU or the devices left cannot hold m; else the milli left on devices too small for m. Six sums
 * are kept apart and added in this order: machine lacks GPU and CPU; lacks GPU, and small devices beside a task that fits;
 * lacks CPU; task without GPU, CPU enough; task without GPU, CPU lacking; model excluded.
 * Source: Weng et al., "Beware of Fragmentation", USENIX ATC 2023, §3.2, with the summation of its simulator.
 */
export class FragmentationMeter {
  private readonly cluster: ClusterState;
  private readonly typical: readonly { cpuMilli: number; modelMask: number; slot: number; weight: number }[];
  /** Distinct GPU milli asked for, ascending. */
  private readonly thresholds: readonly number[];
  /** Distinct (threshold, device count) pairs. */
  private readonly slotThreshold: Int32Array;
  private readonly slotCount: Int32Array;
  /** Distinct CPU milli asked for, ascending: free CPU matters only by how many of these it reaches. */
  private readonly cpuSteps: readonly number[];
  private readonly plans: (Plan | undefined)[] = [];

  /** Per machine, valid while `versions` equals the cluster's `lastChange`. */
  private versions = new Float64Array(0);
  private current = new Float64Array(0);
  private currentPlans: (Plan | undefined)[] = [];
  /** Per machine and threshold: devices that reach it, and the sum of the milli left on those that do not. */
  private reaching = new Int32Array(0);
  private small = new Int32Array(0);

  private readonly reachingAfter: Int32Array;
  private readonly smallAfter: Int32Array;
  /** Per slot, of the evaluation under way: GPU milli that a task of this slot could not use. */
  private readonly slotUnusable: Float64Array;

  /** `typicalTasks`: shares that add up to 1 are used as they are, any other counts are divided by their sum. */
  constructor(cluster: ClusterState, typicalTasks: readonly TypicalTask[]) {
    assert(typicalTasks.length > 0, 'fragmentation needs typical tasks');
    this.cluster = cluster;
    let sum = 0;
    for (const { count } of typicalTasks) sum += count;
    const areShares = Math.abs(sum - 1) < 1e-9;
    const ascending = (values: Set<number>): number[] => [...values].sort((left, right) => left - right);
    const withGpu = typicalTasks.filter(({ gpuCount }) => gpuCount > 0);
    this.thresholds = ascending(new Set(withGpu.map(({ gpuMilli }) => gpuMilli)));
    this.cpuSteps = ascending(new Set(typicalTasks.map(({ cpuMilli }) => cpuMilli)));
    const slots = new Map<string, number>();
    const slotThreshold: number[] = [];
    const slotCount: number[] = [];
    this.typical = typicalTasks.map(({ cpuMilli, gpuCount, gpuMilli, gpuModels, count }) => {
      let slot = -1;
      if (gpuCount > 0) {
        const key = `${gpuCount} ${gpuMilli}`;
        slot = slots.get(key) ?? slotThreshold.length;
        if (slot === slotThreshold.length) {
          slots.set(key, slot);
          slotThreshold.push(this.thresholds.indexOf(gpuMilli));
          slotCount.push(gpuCount);
        }
      }
      const modelMask = gpuCount > 0 ? cluster.models.mask(gpuModels) : 0;
      return { cpuMilli, modelMask, slot, weight: areShares ? count : count / sum };
    });
    this.slotThreshold = Int32Array.from(slotThreshold);
    this.slotCount = Int32Array.from(slotCount);
    this.slotUnusable = new Float64Array(slotCount.length);
    this.reachingAfter = new Int32Array(this.thresholds.length);
    this.smallAfter = new Int32Array(this.thresholds.length);
  }

  /** Fragmentation of a machine now, GPU milli. */
  of(machine: number): number {
    this.refresh(machine);
    return this.current[machine] as number;
  }

  /** Fragmentation of all machines together, summed in machine order, GPU milli. */
  total(): number {
    let total = 0;
    for (let machine = 0; machine < this.cluster.machineCount; machine++) total += this.of(machine);
    return total;
  }

  /** Fragmentation that `machine` would have once `cpuMilli` more and `gpuMilli` more on each device of `deviceMask` were
   *  taken, GPU milli. */
  after(machine: number, cpuMilli: number, gpuMilli: number, deviceMask: number): number {
    this.refresh(machine);
    const { cluster, reachingAfter, smallAfter, thresholds } = this;
    const plan = this.plan(machine, (cluster.cpuFreeMilli[machine] as number) - cpuMilli);
    // Often a task without GPU leaves CPU enough for the same typical tasks as before.
    if (deviceMask === 0 && plan === this.currentPlans[machine]) return this.current[machine] as number;
    const base = machine * thresholds.length;
    for (let index = 0; index < thresholds.length; index++) {
      reachingAfter[index] = this.reaching[base + index] as number;
      smallAfter[index] = this.small[base + index] as number;
    }
    let taken = 0;
    const first = machine * deviceCountMax;
    for (let mask = deviceMask; mask !== 0; mask &= mask - 1) {
      const before = cluster.deviceFreeMilli[first + 31 - Math.clz32(mask & -mask)] as number;
      const left = before - gpuMilli;
      taken += gpuMilli;
      for (let index = thresholds.length - 1; index >= 0; index--) {
        const threshold = thresholds[index] as number;
        if (threshold <= left) break;
        if (threshold <= before) {
          reachingAfter[index] = (reachingAfter[index] as number) - 1;
          smallAfter[index] = (smallAfter[index] as number) + left;
        } else {
          smallAfter[index] = (smallAfter[index] as number) - gpuMilli;
        }
      }
    }
    return this.evaluate(plan, (cluster.gpuFreeMilli[machine] as number) - taken, reachingAfter, smallAfter, 0);
  }

  private refresh(machine: number): void {
    const cluster = this.cluster;
    if (machine >= this.versions.length) this.grow();
    const version = cluster.lastChange[machine] as number;
    if (this.versions[machine] === version) return;
    this.versions[machine] = version;
    const count = this.thresholds.length;
    const base = machine * count;
    const first = machine * deviceCountMax;
    const end = first + (cluster.gpuCount[machine] as number);
    for (let index = 0; index < count; index++) {
      const threshold = this.thresholds[index] as number;
      let reaching = 0;
      let small = 0;
      for (let device = first; device < end; device++) {
        const free = cluster.deviceFreeMilli[device] as number;
        if (free >= threshold) reaching++;
        else small += free;
      }
      this.reaching[base + index] = reaching;
      this.small[base + index] = small;
    }
    const plan = this.plan(machine, cluster.cpuFreeMilli[machine] as number);
    this.currentPlans[machine] = plan;
    this.current[machine] = this.evaluate(
      plan,
      cluster.gpuFreeMilli[machine] as number,
      this.reaching,
      this.small,
      base,
    );
  }

  /** The six sums, given the free milli of the machine, and per threshold the counts and sums that begin at `base`. */
  private evaluate(plan: Plan, free: number, reaching: Int32Array, small: Int32Array, base: number): number {
    const { slotThreshold, slotCount, slotUnusable } = this;
    for (let slot = 0; slot < slotCount.length; slot++) {
      const threshold = base + (slotThreshold[slot] as number);
      slotUnusable[slot] =
        (reaching[threshold] as number) >= (slotCount[slot] as number) ? (small[threshold] as number) : free;
    }
    let lacksGpu = 0;
    const { enoughSlots, enoughWeights, lackSlots, lackWeights } = plan;
    for (let index = 0; index < enoughSlots.length; index++) {
      lacksGpu += (slotUnusable[enoughSlots[index] as number] as number) * (enoughWeights[index] as number);
    }
    let lacksBoth = 0;
    let lacksCpu = 0;
    for (let index = 0; index < lackSlots.length; index++) {
      const slot = lackSlots[index] as number;
      const amount = free * (lackWeights[index] as number);
      if ((reaching[base + (slotThreshold[slot] as number)] as number) >= (slotCount[slot] as number))
        lacksCpu += amount;
      else lacksBoth += amount;
    }
    return (
      lacksBoth +
      lacksGpu +
      lacksCpu +
      weighted(plan.cpuOnlyEnough, free) +
      weighted(plan.cpuOnlyLack, free) +
      weighted(plan.excluded, free)
    );
  }

  private plan(machine: number, cpuFreeMilli: number): Plan {
    let low = 0;
    let high = this.cpuSteps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.cpuSteps[middle] as number) <= cpuFreeMilli) low = middle + 1;
      else high = middle;
    }
    const model = this.cluster.gpuModel[machine] as number;
    const key = (model + 1) * (this.cpuSteps.length + 1) + low;
    const known = this.plans[key];
    if (known !== undefined) return known;
    const plan = this.makePlan(model, cpuFreeMilli);
    this.plans[key] = plan;
    return plan;
  }

  private makePlan(model: number, cpuFreeMilli: number): Plan {
    const excludes = (mask: number): boolean => mask !== 0 && (model < 0 || (mask & (1 << model)) === 0);
    const open = this.typical.filter(({ modelMask }) => !excludes(modelMask));
    const enough = open.filter(({ slot, cpuMilli }) => slot >= 0 && cpuMilli <= cpuFreeMilli);
    const lack = open.filter(({ slot, cpuMilli }) => slot >= 0 && cpuMilli > cpuFreeMilli);
    const weights = (tasks: typeof this.typical): Float64Array => Float64Array.from(tasks, ({ weight }) => weight);
    return {
      enoughSlots: Int32Array.from(enough, ({ slot }) => slot),
      enoughWeights: weights(enough),
      lackSlots: Int32Array.from(lack, ({ slot }) => slot),
      lackWeights: weights(lack),
      cpuOnlyEnough: weights(open.filter(({ slot, cpuMilli }) => slot < 0 && cpuMilli <= cpuFreeMilli)),
      cpuOnlyLack: weights(open.filter(({ slot, cpuMilli }) => slot < 0 && cpuMilli > cpuFreeMilli)),
      excluded: weights(this.typical.filter(({ modelMask }) => excludes(modelMask))),
    };
  }

  private grow(): void {
    const rows = this.cluster.schedulable.length;
    const versions = new Float64Array(rows);
    versions.set(this.versions);
    this.versions = versions;
    const current = new Float64Array(rows);
    current.set(this.current);
    this.current = current;
    const currentPlans = new Array<Plan | undefined>(rows).fill(undefined);
    for (let machine = 0; machine < this.currentPlans.length; machine++)
      currentPlans[machine] = this.currentPlans[machine];
    this.currentPlans = currentPlans;
    const reaching = new Int32Array(rows * this.thresholds.length);
    reaching.set(this.reaching);
    this.reaching = reaching;
    const small = new Int32Array(rows * this.thresholds.length);
    small.set(this.small);
    this.small = small;
  }
}

function weighted(weights: Float64Array, amount: number): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index++) sum += amount * (weights[index] as number);
  return sum;
}
