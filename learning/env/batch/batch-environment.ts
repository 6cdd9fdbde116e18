// Which waiting job next? Episodes are windows of consecutive jobs of a trace on an empty machine, as in RLScheduler (Zhang et al.,
// SC 2020). Candidates are the first jobs by a fallback's order, with the features of schema `queue-order/1`; the reward is the
// waiting cost that passes, so that an undiscounted return is, but for slowdowns below 1, the sum of bounded slowdowns.

import {
  logOfOnePlus,
  queueFeatureCount,
  queueFeatureNames,
  queueOrderSchema,
  writeQueueFeatures,
} from '../../../core/policy/queue-features.ts';
import { findQueueOrder } from '../../../core/scheduler/catalogue.ts';
import { ClusterState } from '../../../core/scheduler/cluster-state.ts';
import type { Environment } from '../environment.ts';
import type { BatchJobs } from './batch-jobs.ts';
import { type BatchBackfill, BatchSimulation } from './batch-simulation.ts';
import type { BatchWindows } from './batch-windows.ts';

export interface BatchEnvironmentOptions {
  readonly processorCount: number;
  readonly backfill: BatchBackfill;
  /** Queue order that chooses the candidates; its keys must not change with time. */
  readonly fallback: string;
  readonly candidatesMax: number;
  /** The windows: an episode's seed draws one of them. */
  readonly windows: BatchWindows;
  /** Rewards are in units of what this queue order costs a decision on the same window, on average; without it, raw. */
  readonly reference?: string | undefined;
  /** See {@link BatchSimulation}; 10 s if left out. */
  readonly slowdownFloorSeconds?: number | undefined;
}

export class BatchEnvironment implements Environment {
  readonly name = 'batch';
  readonly schema = queueOrderSchema;
  readonly featureNames = queueFeatureNames;
  readonly candidatesMax: number;
  readonly truncated = false;
  readonly simulation: BatchSimulation;
  private readonly options: BatchEnvironmentOptions;
  /** Orders whose keys do not change with time. */
  readonly teachers = ['fcfs', 'sjf', 'f1'] as const;
  /** Of the window's jobs, by order. */
  private readonly keysByOrder = new Map<string, Float64Array>();
  private keys: Float64Array = new Float64Array(0);
  private estimateLogs = new Float64Array(0);
  private areaLogs = new Float64Array(0);
  private costUnit = 1;
  private lastCost = 0;
  /** Waiting jobs in the fallback's order. */
  private ranked = new Int32Array(0);
  private rankedCount = 0;
  /** The candidates of now. */
  private readonly choices: Int32Array;
  candidateCount = 0;
  private seenCount = 0;
  /** Delays by processors of the present moment, NaN where not asked yet. */
  private readonly delays: Float64Array;

  constructor(options: BatchEnvironmentOptions) {
    this.options = options;
    this.candidatesMax = options.candidatesMax;
    const { processorCount, backfill, slowdownFloorSeconds } = options;
    this.simulation = new BatchSimulation(processorCount, backfill, slowdownFloorSeconds);
    this.choices = new Int32Array(options.candidatesMax);
    this.delays = new Float64Array(processorCount + 1);
  }

  reset(seed: number): void {
    this.begin(this.options.windows.draw(seed));
  }

  /** Begins with that window. */
  begin(jobs: BatchJobs): void {
    const { fallback, processorCount, reference } = this.options;
    if (this.ranked.length < jobs.count) this.ranked = new Int32Array(jobs.count);
    this.keysByOrder.clear();
    this.simulation.reset(jobs);
    this.keys = this.keysOf(fallback);
    this.estimateLogs = jobs.estimateSeconds.map(logOfOnePlus);
    this.areaLogs = jobs.estimateSeconds.map((estimate, job) =>
      logOfOnePlus(estimate * ((jobs.processors[job] as number) / processorCount)),
    );
    this.costUnit = reference === undefined ? 1 : this.costOf(reference);
    this.restart();
  }

  get done(): boolean {
    return this.simulation.done;
  }

  observe(out: Float64Array, at: number): void {
    const { simulation, delays, choices } = this;
    const { submitSeconds, estimateSeconds, processors } = simulation.jobs;
    const freeShare = simulation.freeProcessors / simulation.processorCount;
    const queueLog = logOfOnePlus(this.rankedCount - 1);
    delays.fill(Number.NaN);
    for (let position = 0; position < this.candidateCount; position++) {
      const job = choices[position] as number;
      const size = processors[job] as number;
      let delay = delays[size] as number;
      if (Number.isNaN(delay)) {
        delay = simulation.delaySeconds(size);
        delays[size] = delay;
      }
      writeQueueFeatures(
        out,
        at + position * queueFeatureCount,
        estimateSeconds[job] as number,
        this.estimateLogs[job] as number,
        size / simulation.processorCount,
        this.areaLogs[job] as number,
        simulation.nowSeconds - (submitSeconds[job] as number),
        delay,
        freeShare,
        queueLog,
      );
    }
  }

  choiceOf(teacher: string): number {
    const keys = this.keysOf(teacher);
    let best = 0;
    for (let position = 1; position < this.candidateCount; position++) {
      const [job, than] = [this.choices[position] as number, this.choices[best] as number];
      const difference = (keys[job] as number) - (keys[than] as number);
      // Jobs are numbered as they arrive, by which the scheduler breaks ties too.
      if (difference < 0 || (difference === 0 && job < than)) best = position;
    }
    return best;
  }

  step(choice: number): number {
    this.take(choice);
    this.takeSingles();
    this.lastCost = this.simulation.takeCost();
    return -this.lastCost / this.costUnit;
  }

  metrics(): Readonly<Record<string, number>> {
    return { boundedSlowdownMean: this.simulation.boundedSlowdownMean() };
  }

  private keysOf(order: string): Float64Array {
    const known = this.keysByOrder.get(order);
    if (known !== undefined) return known;
    const keys = orderKeys(this.simulation.jobs, order);
    this.keysByOrder.set(order, keys);
    return keys;
  }

  private restart(): void {
    this.rankedCount = 0;
    this.seenCount = 0;
    this.rank();
  }

  /** What a decision of that order costs on this window, on average; leaves the simulation at its beginning. */
  private costOf(order: string): number {
    const { simulation } = this;
    const keys = this.keys;
    this.keys = this.keysOf(order);
    this.restart();
    let decisions = 0;
    let cost = 0;
    for (; !simulation.done; decisions++) {
      this.step(0);
      cost += this.lastCost;
    }
    this.keys = keys;
    simulation.reset(simulation.jobs);
    return Math.max(cost / decisions, 1e-6);
  }

  /** Drops what has started, adds what has arrived. */
  private rank(): void {
    const { simulation, ranked, keys } = this;
    let kept = 0;
    for (let position = 0; position < this.rankedCount; position++) {
      const job = ranked[position] as number;
      if ((simulation.startSeconds[job] as number) < 0) ranked[kept++] = job;
    }
    for (; this.seenCount < simulation.arrivedCount; this.seenCount++) {
      const job = this.seenCount;
      if ((simulation.startSeconds[job] as number) >= 0) continue;
      const key = keys[job] as number;
      let at = kept++;
      while (at > 0 && (keys[ranked[at - 1] as number] as number) > key) {
        ranked[at] = ranked[at - 1] as number;
        at--;
      }
      ranked[at] = job;
    }
    this.rankedCount = kept;
    this.candidateCount = 0;
    for (let position = 0; position < kept && this.candidateCount < this.candidatesMax; position++) {
      const job = ranked[position] as number;
      if (simulation.backfill !== 'skip' || simulation.fits(job)) this.choices[this.candidateCount++] = job;
    }
  }

  private take(choice: number): void {
    const { simulation } = this;
    simulation.choose(simulation.waiting.subarray(0, simulation.waitingCount).indexOf(this.choices[choice] as number));
    this.rank();
  }

  /** Where nobody blocks, most jobs find a free machine and nobody beside them: those are no choices, but for an episode's first. */
  private takeSingles(): void {
    if (this.options.backfill !== 'skip') return;
    while (this.candidateCount === 1 && !this.simulation.done) this.take(0);
  }
}

/** The order's keys, as the scheduler computes them. */
function orderKeys(jobs: BatchJobs, name: string): Float64Array {
  const order = findQueueOrder(name, { cluster: new ClusterState(), tenantWeights: {} });
  if (order.dynamic)
    throw new Error(`the order ${name} changes with time: it can neither choose candidates nor teach here`);
  const kind = { id: 0, cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuTotalMilli: 0, gpuModelMask: 0 };
  return Float64Array.from({ length: jobs.count }, (_, job) =>
    order.key(
      {
        task: job + 1,
        kind: { ...kind, machineCount: jobs.processors[job] as number },
        submittedMicros: Math.round((jobs.submitSeconds[job] as number) * 1e6),
        estimateMicros: Math.round((jobs.estimateSeconds[job] as number) * 1e6),
        priority: 0,
        tenant: 'default',
      },
      0,
    ),
  );
}
