// Keeps new work from agents that flap or do worse than their peers, for a time that grows, and never from more than a share of
// the fleet at once: the cure must not be worse than the illness. What runs there goes on. The two detectors judge; this decides
// within the bound, tells the scheduler and the world, and remembers until when.

import { FlapDamping, type FlapDampingState, type FlapRules } from '../registry/flap-damping.ts';
import {
  OutlierDetection,
  type OutlierDetectionState,
  type OutlierRules,
  type RunTime,
} from '../registry/outlier-detection.ts';
import { holdFlapping, holdOutlier } from '../scheduler/cluster-state.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Attempt } from '../scheduler/task.ts';
import type { AgentHeld } from './effects.ts';
import type { TaskFinished } from './inputs.ts';
import type { KernelSettings } from './kernel-settings.ts';

interface Hold {
  readonly agent: number;
  readonly cause: AgentHeld['cause'];
  readonly untilMicros: number;
}

export interface AgentHoldsState {
  /** By end, then agent, then cause. */
  readonly holds: readonly Hold[];
  /** When results are looked at next, null if none came since the last look. */
  readonly checkMicros: number | null;
  readonly flaps: FlapDampingState;
  readonly outliers: OutlierDetectionState;
  /** Left out by kernels that looked at ended work alone. */
  readonly heardSinceMicros?: number | undefined;
}

/** Agents are not believed everything. */
const serviceMicrosMax = 1e18;
const bitOf = { flapping: holdFlapping, outlier: holdOutlier } as const;

export class AgentHolds {
  private readonly settings: KernelSettings;
  private readonly scheduler: Scheduler;
  private readonly isAlive: (agent: number) => boolean;
  private readonly emit: (effect: AgentHeld) => void;
  private readonly flaps = new FlapDamping();
  private readonly outliers = new OutlierDetection();
  private holds: Hold[] = [];
  private checkMicros = Number.POSITIVE_INFINITY;
  /** The end of the latest pause: what ran then may have ended in it. */
  private heardSinceMicros = 0;

  constructor(
    settings: KernelSettings,
    scheduler: Scheduler,
    isAlive: (agent: number) => boolean,
    emit: (effect: AgentHeld) => void,
  ) {
    this.settings = settings;
    this.scheduler = scheduler;
    this.isAlive = isAlive;
    this.emit = emit;
  }

  get nextDeadlineMicros(): number {
    return Math.min(this.holds[0]?.untilMicros ?? Number.POSITIVE_INFINITY, this.checkMicros);
  }

  /** The agent was suspect, dead or restarted, and is back. What it does while it is held does not make that longer: on a bad
   *  network it would never end. */
  returned(agent: number, nowMicros: number): void {
    if (this.isHeld(agent, 'flapping')) return;
    const holdMicros = this.flaps.returned(agent, nowMicros, this.flapRules);
    if (holdMicros > 0) this.hold(agent, 'flapping', holdMicros, nowMicros);
  }

  /** A pause of the kernel is over. */
  resumed(nowMicros: number): void {
    this.heardSinceMicros = nowMicros;
  }

  /** A result of the agent. Work over several machines may have failed, or waited, for another's sake: it says nothing. */
  ended(attempt: Attempt, { agent, outcome, serviceMicros }: TaskFinished, now: number): void {
    const { settings } = this;
    if (settings.get('health.failuresMax') === 0 && settings.get('health.slowFactor') === 0) return;
    if (attempt.machines.length > 1) return;
    const rules = this.outlierRules;
    if (outcome === 'failed') {
      if (this.outliers.failed(agent, rules)) this.eject(agent, now);
    } else if (outcome === 'completed' && serviceMicros >= 0 && serviceMicros <= serviceMicrosMax) {
      // An agent that gets no time to run does not see that itself; a result that had to wait for the kernel is no fault of its own.
      const seenMicros = attempt.placedMicros < this.heardSinceMicros ? 0 : now - attempt.placedMicros;
      this.outliers.completed(agent, runTime(attempt, Math.max(serviceMicros, seenMicros)));
      if (this.checkMicros === Number.POSITIVE_INFINITY) this.checkNext(now);
    }
  }

  /** Ends holds that are over, and looks at the results if it is time. */
  fire(nowMicros: number): void {
    while ((this.holds[0]?.untilMicros ?? Number.POSITIVE_INFINITY) <= nowMicros) this.end(this.holds[0] as Hold);
    if (this.checkMicros > nowMicros) return;
    // Work that is not done is seen without a result, so that there is always a next look.
    this.checkNext(nowMicros);
    const isJudged = (agent: number): boolean => this.isAlive(agent) && !this.isHeld(agent, 'outlier');
    const slow = this.outliers.slow(this.outlierRules, isJudged, this.runningTimes(nowMicros));
    this.outliers.forgive((agent) => isJudged(agent) && !slow.includes(agent));
    for (const agent of slow) this.eject(agent, nowMicros);
  }

  save(): AgentHoldsState {
    return {
      holds: [...this.holds],
      checkMicros: this.checkMicros === Number.POSITIVE_INFINITY ? null : this.checkMicros,
      flaps: this.flaps.save(),
      outliers: this.outliers.save(),
      heardSinceMicros: this.heardSinceMicros,
    };
  }

  /** The bits themselves come back with the cluster's columns. */
  restore(state: AgentHoldsState): void {
    this.holds = [...state.holds];
    this.checkMicros = state.checkMicros ?? Number.POSITIVE_INFINITY;
    this.flaps.restore(state.flaps);
    this.outliers.restore(state.outliers);
    this.heardSinceMicros = state.heardSinceMicros ?? 0;
  }

  private checkNext(nowMicros: number): void {
    const { settings } = this;
    const isLookedAt = settings.get('health.slowFactor') > 0;
    this.checkMicros = isLookedAt ? nowMicros + settings.get('health.checkIntervalMicros') : Number.POSITIVE_INFINITY;
  }

  /** What was handed out and has not ended, by the agent that leads. */
  private runningTimes(nowMicros: number): Map<number, RunTime[]> {
    const running = new Map<number, RunTime[]>();
    for (const attempt of this.scheduler.attempts.values()) {
      if (attempt.state === 'cancelling' || attempt.machines.length > 1) continue;
      const agent = attempt.machines[0] as number;
      const time = runTime(attempt, nowMicros - Math.max(attempt.placedMicros, this.heardSinceMicros));
      const times = running.get(agent);
      if (times === undefined) running.set(agent, [time]);
      else times.push(time);
    }
    return running;
  }

  private eject(agent: number, nowMicros: number): void {
    if (this.isHeld(agent, 'outlier') || !this.mayHold(agent)) return;
    this.hold(agent, 'outlier', this.outliers.eject(agent, this.outlierRules), nowMicros);
  }

  private hold(agent: number, cause: Hold['cause'], forMicros: number, nowMicros: number): void {
    if (!this.mayHold(agent)) return;
    const hold: Hold = { agent, cause, untilMicros: nowMicros + forMicros };
    this.holds.push(hold);
    this.holds.sort(
      (left, right) =>
        left.untilMicros - right.untilMicros || left.agent - right.agent || (left.cause < right.cause ? -1 : 1),
    );
    this.scheduler.setHold(agent, bitOf[cause], true);
    this.emit({ kind: 'agentHeld', held: true, ...hold });
  }

  private end(hold: Hold): void {
    this.holds.shift();
    this.scheduler.setHold(hold.agent, bitOf[hold.cause], false);
    this.emit({ kind: 'agentHeld', held: false, ...hold });
  }

  private isHeld(agent: number, cause: Hold['cause']): boolean {
    return this.holds.some((hold) => hold.agent === agent && hold.cause === cause);
  }

  /** At most a share of the living agents is held at once, but one of several always may be. */
  private mayHold(agent: number): boolean {
    const held = new Set(this.holds.map((hold) => hold.agent));
    held.add(agent);
    let living = 0;
    for (let row = 0; row < this.scheduler.cluster.machineCount; row++) if (this.isAlive(row)) living++;
    const most = Math.max(1, Math.floor(this.settings.get('health.heldShareMax') * living));
    return living > 1 && held.size <= most;
  }

  private get flapRules(): FlapRules {
    return {
      returnsMax: this.settings.get('health.returnsMax'),
      windowMicros: this.settings.get('health.returnsWindowMicros'),
      holdFirstMicros: this.settings.get('health.flapHoldFirstMicros'),
      holdMaxMicros: this.settings.get('health.flapHoldMaxMicros'),
    };
  }

  private get outlierRules(): OutlierRules {
    return {
      failuresMax: this.settings.get('health.failuresMax'),
      slowFactor: this.settings.get('health.slowFactor'),
      samplesMin: this.settings.get('health.samplesMin'),
      agentsMin: this.settings.get('health.agentsMin'),
      ejectionFirstMicros: this.settings.get('health.ejectionFirstMicros'),
      ejectionMaxMicros: this.settings.get('health.ejectionMaxMicros'),
    };
  }
}

function runTime({ kind, task, resumeMicros }: Attempt, micros: number): RunTime {
  return { taskClass: kind.taskClass ?? 0, ratio: micros / Math.max(1, task.estimateMicros - resumeMicros) };
}
