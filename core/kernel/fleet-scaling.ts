// Who of the fleet is awake: asks for agents before or as the load comes, and releases them after. At each interval it notes how much
// was asked for at once, asks the profile's forecaster (or, without one, takes what is asked for now) how much will be, and keeps
// machines awake for that: those with work first, then idle ones, then those asleep, in order of registration. Only agents that
// declare `sleepWatts` are ever released, and only without work. A wish is repeated until the agent says that it is so; what is not
// awake gets no task. A task that waits for a machine that only sleeping ones could be wakes one of them, whatever the forecast says.

import { forecasterOf } from '../policy/forecast/forecaster-artifact.ts';
import { RunningForecaster, type RunningForecasterState } from '../policy/forecast/running-forecaster.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { holdReleased } from '../scheduler/cluster-state.ts';
import type { PowerRatings, ScalingRule } from '../scheduler/framework.ts';
import type { RequestKind } from '../scheduler/request.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Task } from '../scheduler/task.ts';
import type { AgentPower } from './effects.ts';
import type { AgentPowerChanged } from './inputs.ts';

// What a machine is wished to be, and whether it is.
const awake = 0;
/** Told to sleep; it has not said yet that it does. */
const falling = 1;
const asleep = 2;
/** Told to wake up; it has not said yet that it is awake. */
const waking = 3;

/** Kinds of waiting tasks that are looked at in one interval. */
const kindsMax = 64;

export interface FleetScalingState {
  readonly nextTickMicros: number;
  readonly peakMilli: number;
  readonly states: readonly number[];
  readonly neededMicros: readonly number[];
  readonly forecaster?: RunningForecasterState | undefined;
}

/** What it needs of the kernel around it. */
export interface ScalingParts {
  readonly scheduler: Scheduler;
  readonly registry: AgentRegistry;
  readonly power: PowerRatings;
  /** Waiting and placed tasks. */
  readonly tasks: ReadonlyMap<number, Task>;
  emit(effect: AgentPower): void;
}

export class FleetScaling {
  private readonly rule: ScalingRule;
  private readonly parts: ScalingParts;
  private readonly forecaster: RunningForecaster | undefined;
  private nextTickMicros: number;
  /** The most of the resource that was in use since the last tick. */
  private peakMilli = 0;
  private readonly states: number[] = [];
  /** When each machine was last wanted. */
  private readonly neededMicros: number[] = [];

  constructor(rule: ScalingRule, parts: ScalingParts) {
    this.rule = rule;
    this.parts = parts;
    this.nextTickMicros = rule.intervalMicros;
    this.forecaster =
      rule.forecast === undefined ? undefined : new RunningForecaster(forecasterOf(rule.forecast.artifact));
  }

  get nextDeadlineMicros(): number {
    return this.nextTickMicros;
  }

  /** An agent has registered for the first time, or begun anew: its machine is on. */
  agentBegan(row: number, nowMicros: number): void {
    this.states[row] = awake;
    this.neededMicros[row] = nowMicros;
    this.parts.scheduler.setHold(row, holdReleased, false);
  }

  /** The scheduler has placed tasks. */
  placed(): void {
    this.peakMilli = Math.max(this.peakMilli, this.usedMilli);
  }

  agentSaid({ agent, incarnation, awake: isAwake }: AgentPowerChanged, nowMicros: number): void {
    const { registry, scheduler } = this.parts;
    if (!registry.isCurrent(agent, incarnation)) return;
    const state = this.states[agent];
    if (isAwake && state === waking) {
      this.states[agent] = awake;
      this.neededMicros[agent] = nowMicros;
      scheduler.setHold(agent, holdReleased, false);
    } else if (!isAwake && state === falling) this.states[agent] = asleep;
  }

  tick(nowMicros: number): void {
    this.nextTickMicros = nowMicros + this.rule.intervalMicros;
    const demandMilli = this.usedMilli + this.waitingMilli();
    const wantedMilli = this.forecastMilli(Math.max(this.peakMilli, demandMilli), demandMilli);
    this.peakMilli = this.usedMilli;
    this.adjust(Math.ceil(wantedMilli * (1 + this.rule.spareShare)), nowMicros);
    this.wakeForWaiting();
    for (let row = 0; row < this.states.length; row++) {
      const state = this.states[row];
      if (state === falling || state === waking) this.wish(row, state === waking);
    }
  }

  save(): FleetScalingState {
    const { nextTickMicros, peakMilli, states, neededMicros, forecaster } = this;
    const parts = { nextTickMicros, peakMilli, states: [...states], neededMicros: [...neededMicros] };
    return forecaster === undefined ? parts : { ...parts, forecaster: forecaster.save() };
  }

  restore(state: FleetScalingState): void {
    this.nextTickMicros = state.nextTickMicros;
    this.peakMilli = state.peakMilli;
    this.states.push(...state.states);
    this.neededMicros.push(...state.neededMicros);
    if (state.forecaster !== undefined) this.forecaster?.restore(state.forecaster);
  }

  /** What is to be there: the most that is forecast until what is asked for now could be awake, and never less than is asked for
   *  now. As long as the forecaster has seen too little here, the last interval stands for the next. */
  private forecastMilli(takenMilli: number, demandMilli: number): number {
    const { forecaster } = this;
    const { forecast } = this.rule;
    if (forecaster === undefined || forecast === undefined) return takenMilli;
    forecaster.append(takenMilli);
    if (!forecaster.isSettled) return takenMilli;
    let mostMilli = demandMilli;
    for (const value of forecaster.quantile(forecast.level, forecast.steps)) mostMilli = Math.max(mostMilli, value);
    return mostMilli;
  }

  /** Keeps machines of so much capacity awake, and releases those that were not wanted for long enough. */
  private adjust(wantedMilli: number, nowMicros: number): void {
    const { scheduler, registry } = this.parts;
    const { cluster } = scheduler;
    let capacityMilli = 0;
    let count = 0;
    const rows: number[][] = [[], [], []];
    for (let row = 0; row < this.states.length; row++) {
      const state = this.states[row] as number;
      if (state === awake && (cluster.allocationCount[row] as number) > 0) rows[0]?.push(row);
      else if (!registry.takesWork(row)) continue;
      else rows[state === awake || state === waking ? 1 : 2]?.push(row);
    }
    for (const row of rows.flat()) {
      const isWanted = capacityMilli < wantedMilli || count < this.rule.machinesMin;
      if (isWanted) {
        capacityMilli += this.capacityMilli(row);
        count++;
        this.neededMicros[row] = nowMicros;
        if (this.states[row] !== awake) this.states[row] = waking;
      } else if (this.mayRelease(row, nowMicros)) {
        this.states[row] = falling;
        scheduler.setHold(row, holdReleased, true);
      }
    }
  }

  private mayRelease(row: number, nowMicros: number): boolean {
    if (this.states[row] !== awake || this.parts.scheduler.cluster.allocationCount[row] !== 0) return false;
    if (nowMicros - (this.neededMicros[row] as number) < this.rule.keepMicros) return false;
    return this.parts.power.of(row)?.sleepWatts !== undefined;
  }

  /** Wakes a machine for each kind of task that waits, could run on one that sleeps, and for which none is being woken. */
  private wakeForWaiting(): void {
    for (const kind of this.waitingKinds()) {
      const holders = this.states.flatMap((state, row) => (state !== awake && this.couldHold(kind, row) ? [row] : []));
      let missing = kind.machineCount - holders.filter((row) => this.states[row] === waking).length;
      for (const row of holders) {
        if (missing <= 0) break;
        if (this.states[row] === waking || !this.parts.registry.takesWork(row)) continue;
        this.states[row] = waking;
        missing--;
      }
    }
  }

  private waitingKinds(): Set<RequestKind> {
    const kinds = new Set<RequestKind>();
    if (this.parts.scheduler.queueLength === 0) return kinds;
    for (const { state, kind } of this.parts.tasks.values()) {
      if (kinds.size === kindsMax) break;
      if (state === 'waiting') kinds.add(kind);
    }
    return kinds;
  }

  /** True if the machine, without work, has room for the kind. */
  private couldHold(kind: RequestKind, row: number): boolean {
    const { cluster } = this.parts.scheduler;
    if (kind.skill !== undefined && !cluster.hasSkill(kind.skill, row)) return false;
    if ((cluster.cpuCapacityMilli[row] as number) < kind.cpuMilli) return false;
    if ((cluster.memoryCapacityMib[row] as number) < kind.memoryMib) return false;
    if (kind.gpuCount === 0) return true;
    const model = cluster.gpuModel[row] as number;
    if (kind.gpuModelMask !== 0 && (model < 0 || (kind.gpuModelMask & (1 << model)) === 0)) return false;
    return (cluster.gpuCount[row] as number) >= kind.gpuCount;
  }

  private waitingMilli(): number {
    if (this.parts.scheduler.queueLength === 0) return 0;
    let milli = 0;
    for (const { state, kind } of this.parts.tasks.values())
      if (state === 'waiting')
        milli += kind.machineCount * (this.rule.resource === 'gpu' ? kind.gpuTotalMilli : kind.cpuMilli);
    return milli;
  }

  private get usedMilli(): number {
    const { cluster } = this.parts.scheduler;
    return this.rule.resource === 'gpu'
      ? cluster.gpuCapacityTotalMilli - cluster.gpuFreeTotalMilli
      : cluster.cpuCapacityTotalMilli - cluster.cpuFreeTotalMilli;
  }

  private capacityMilli(row: number): number {
    const { cluster } = this.parts.scheduler;
    return this.rule.resource === 'gpu'
      ? (cluster.gpuCount[row] as number) * 1000
      : (cluster.cpuCapacityMilli[row] as number);
  }

  private wish(agent: number, isAwake: boolean): void {
    const incarnation = this.parts.registry.incarnationOf(agent);
    this.parts.emit({ kind: 'agentPower', agent, incarnation, awake: isAwake });
  }
}
