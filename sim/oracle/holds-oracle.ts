// The promise of agents that flap or lag behind: they get no new work while they are held, are held when and for as long as the
// settings say, and never so many of them that the cure is worse than the illness. Returns, holds and results are counted a second
// time, from the kernel's inputs and effects alone.

import type { AgentHeld, AgentRegistered, AgentStateChanged, Effect } from '../../core/kernel/effects.ts';
import type { InputBody, TaskFinished } from '../../core/kernel/inputs.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { OutlierAccount, type OutlierSample } from './outlier-account.ts';
import { SettingsModel } from './settings-model.ts';
import type { Fail } from './violation.ts';

export interface HoldsOptions {
  readonly tasks: readonly WorkloadTask[];
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

interface Flaps {
  returns: number[];
  lastMicros: number;
  holds: number;
}

interface Running {
  readonly agent: number;
  readonly submission: number;
  readonly spans: boolean;
  resumeMicros: number;
  readonly placedMicros: number;
  isStopping: boolean;
  /** Its agent has come to terms with the kernel: whether it still runs cannot be told. */
  isUnsure: boolean;
}

export class HoldsOracle implements WorldObserver {
  private readonly tasks: readonly WorkloadTask[];
  private readonly settings: SettingsModel;
  private readonly fail: Fail;
  private readonly incarnations: number[] = [];
  /** By agent number: known, and not dead. */
  private readonly living: boolean[] = [];
  private readonly flaps = new Map<number, Flaps>();
  private readonly outliers: OutlierAccount;
  private readonly running = new Map<number, Running>();
  /** When they end, by agent and cause. */
  private readonly holds = new Map<string, AgentHeld>();
  /** Holds that the present input must still bring. */
  private expected: Pick<AgentHeld, 'agent' | 'untilMicros'>[] = [];
  /** Agents that the present input should find too slow. */
  private slow: number[] = [];
  private checkDue = false;
  /** An agent has changed its state in the present input: what came before it is not known. */
  private isUnsettled = false;
  private result: TaskFinished | undefined;
  /** The end of the kernel's latest pause. */
  private heardSinceMicros = 0;
  private inputMicros = -1;

  constructor({ tasks, settings }: HoldsOptions, fail: Fail) {
    this.tasks = tasks;
    this.settings = new SettingsModel(settings);
    this.outliers = new OutlierAccount(this.settings);
    this.fail = fail;
  }

  kernelInput(input: InputBody, nowMicros: number, handledMicros = nowMicros): void {
    this.inputDone();
    this.inputMicros = handledMicros;
    this.settings.kernelInput(input);
    // Timers that are due come before what the input itself brings.
    this.checkDue = this.outliers.checkMicros <= handledMicros;
    this.isUnsettled = false;
    this.result = input.kind === 'taskFinished' ? input : undefined;
    if (input.kind === 'resumed') this.heardSinceMicros = handledMicros;
  }

  kernelEffect(effect: Effect, nowMicros: number, handledMicros = nowMicros): void {
    this.settings.kernelEffect(effect);
    switch (effect.kind) {
      case 'agentRegistered':
        this.registered(effect);
        return;
      case 'stop': {
        const running = this.running.get(effect.attempt);
        // Said again it changes nothing, and may come before the check.
        if (running === undefined || running.isStopping) return;
        if (this.checkDue) this.check();
        running.isStopping = true;
        return;
      }
      case 'agentStateChanged':
        this.changed(effect, handledMicros);
        return;
      case 'agentHeld':
        if (effect.held) this.begins(effect, handledMicros);
        else this.holds.delete(keyOf(effect));
        return;
      case 'decisionMade':
        if (effect.record.outcome === 'placed') this.placed(effect.record, handledMicros);
        return;
      case 'dispatch': {
        const running = this.running.get(effect.attempt);
        if (running !== undefined) running.resumeMicros = effect.checkpoint?.resumeMicros ?? 0;
        return;
      }
      default:
        return;
    }
  }

  /** What an input must bring has come by the next. */
  private inputDone(): void {
    if (this.checkDue) this.check();
    const lagging = this.slow.find((agent) => this.mayHold(agent));
    this.slow = [];
    if (lagging !== undefined)
      this.broken(`agent ${lagging} is slower than the others by far, and is not held`, { agent: lagging });
    if (this.result !== undefined) this.finished(this.result);
    const [missing] = this.expected;
    this.expected = [];
    if (missing !== undefined)
      this.broken(
        `agent ${missing.agent} came back too often, and is not held until ${missing.untilMicros} µs`,
        missing,
      );
    for (const hold of this.holds.values()) {
      if (hold.untilMicros > this.inputMicros) continue;
      this.broken(`agent ${hold.agent} is held (${hold.cause}) beyond ${hold.untilMicros} µs`, hold);
    }
  }

  private changed({ agent, to, reason }: AgentStateChanged, nowMicros: number): void {
    this.isUnsettled = true;
    this.living[agent] = to !== 'dead';
    if (to === 'dead' || reason === 'restarted') {
      for (const [attempt, running] of this.running) if (running.agent === agent) this.running.delete(attempt);
    }
    if (reason === 'restarted' || reason === 'heartbeat returned') this.returned(agent, nowMicros);
  }

  private returned(agent: number, nowMicros: number): void {
    const { settings } = this;
    const most = settings.get('health.returnsMax');
    if (most === 0 || this.holds.has(keyOf({ agent, cause: 'flapping' }))) return;
    const windowMicros = settings.get('health.returnsWindowMicros');
    const longestMicros = settings.get('health.flapHoldMaxMicros');
    const flaps = this.flaps.get(agent) ?? { returns: [], lastMicros: nowMicros, holds: 0 };
    this.flaps.set(agent, flaps);
    if (nowMicros - flaps.lastMicros > windowMicros + longestMicros) flaps.holds = 0;
    flaps.lastMicros = nowMicros;
    flaps.returns = [...flaps.returns.filter((timeMicros) => timeMicros > nowMicros - windowMicros), nowMicros];
    if (flaps.returns.length < most) return;
    flaps.returns = [];
    let lengthMicros = settings.get('health.flapHoldFirstMicros');
    for (let doubled = 0; doubled < flaps.holds; doubled++) lengthMicros = Math.min(2 * lengthMicros, longestMicros);
    flaps.holds++;
    if (this.mayHold(agent))
      this.expected.push({ agent, untilMicros: nowMicros + Math.min(lengthMicros, longestMicros) });
  }

  private begins(hold: AgentHeld, nowMicros: number): void {
    const { agent, cause, untilMicros } = hold;
    if (this.holds.has(keyOf(hold))) this.broken(`agent ${agent} is held (${cause}) although it is already`, hold);
    if (!this.mayHold(agent)) this.broken(`agent ${agent} is held (${cause}), and too many are held already`, hold);
    if (cause === 'flapping') {
      const due = this.expected.findIndex((expected) => expected.agent === agent);
      if (due < 0) this.broken(`agent ${agent} is held, but did not come back too often`, hold);
      const [expected] = this.expected.splice(due, 1);
      if (expected?.untilMicros !== untilMicros)
        this.broken(`agent ${agent} is held until ${untilMicros} µs, not until ${expected?.untilMicros} µs`, hold);
    } else this.judgeEjection(hold, nowMicros);
    this.holds.set(keyOf(hold), hold);
  }

  private judgeEjection(hold: AgentHeld, nowMicros: number): void {
    const { agent, untilMicros } = hold;
    if (this.checkDue) this.check();
    const isSlow = this.slow.includes(agent);
    this.slow = this.slow.filter((other) => other !== agent);
    // Work that fails by itself is not part of the swarm: what is ejected has been slow.
    if (!isSlow && !this.isUnsettled)
      this.broken(`agent ${agent} is held as slow, and is not slower than others`, hold);
    const lengthMicros = untilMicros - nowMicros;
    const { leastMicros, mostMicros } = this.outliers.eject(agent);
    if (lengthMicros < leastMicros || lengthMicros > mostMicros)
      this.broken(`agent ${agent} is held for ${lengthMicros} µs, not for ${mostMicros} µs`, hold);
  }

  private check(): void {
    this.checkDue = false;
    const isJudged = (agent: number): boolean =>
      this.living[agent] === true && !this.holds.has(keyOf({ agent, cause: 'outlier' }));
    const isCertain = !this.isUnsettled && [...this.running.values()].every(({ isUnsure }) => !isUnsure);
    if (!isCertain) this.isUnsettled = true;
    const running = (agent: number): OutlierSample[] => this.runningOf(agent);
    this.slow = [...(this.outliers.check(this.inputMicros, isJudged, running, isCertain) ?? [])];
  }

  private runningOf(agent: number): OutlierSample[] {
    return [...this.running.values()]
      .filter((running) => running.agent === agent && !running.isStopping && !running.spans)
      .map((running) =>
        this.sampleOf(running, this.inputMicros - Math.max(running.placedMicros, this.heardSinceMicros)),
      );
  }

  private sampleOf({ submission, resumeMicros }: Running, micros: number): OutlierSample {
    const { estimateMicros, taskClass = '' } = this.tasks[submission - 1] as WorkloadTask;
    return { taskClass, ratio: micros / Math.max(1, estimateMicros - resumeMicros) };
  }

  private registered({ agent, incarnation }: AgentRegistered): void {
    // The kernel may have learned that work which it believed to run does not.
    if (this.incarnations[agent] === incarnation)
      for (const running of this.running.values()) if (running.agent === agent) running.isUnsure = true;
    this.incarnations[agent] = incarnation;
    this.living[agent] = true;
  }

  private placed({ attempt, submission, task, machines }: DecisionRecord, nowMicros: number): void {
    for (const { agent, cause } of this.holds.values()) {
      if (!machines.includes(agent)) continue;
      const what = `task ${task} is placed on agent ${agent}, which is held (${cause})`;
      this.fail('holds', what, nowMicros, { task, submission, attempt, agent });
    }
    // Of one task one attempt at a time holds resources: an earlier one is gone.
    for (const [earlier, running] of this.running) if (running.submission === submission) this.running.delete(earlier);
    this.running.set(attempt, {
      ...{ agent: machines[0] as number, submission, spans: machines.length > 1, resumeMicros: 0 },
      ...{ placedMicros: nowMicros, isStopping: false, isUnsure: false },
    });
  }

  private finished({ agent, incarnation, attempt, outcome, serviceMicros }: TaskFinished): void {
    const running = this.running.get(attempt);
    if (running === undefined || !this.isOf(running, agent, incarnation)) return;
    this.running.delete(attempt);
    if (outcome !== 'completed' || running.spans) return;
    const seenMicros = running.placedMicros < this.heardSinceMicros ? 0 : this.inputMicros - running.placedMicros;
    this.outliers.completed(agent, this.sampleOf(running, Math.max(serviceMicros, seenMicros)), this.inputMicros);
  }

  private isOf(running: Running, agent: number, incarnation: number): boolean {
    return running.agent === agent && this.incarnations[agent] === incarnation && this.living[agent] === true;
  }

  private mayHold(agent: number): boolean {
    const held = new Set([...this.holds.values()].map((hold) => hold.agent)).add(agent);
    for (const expected of this.expected) held.add(expected.agent);
    const living = this.living.filter((alive) => alive).length;
    return living > 1 && held.size <= Math.max(1, Math.floor(this.settings.get('health.heldShareMax') * living));
  }

  private broken(what: string, { agent }: Pick<AgentHeld, 'agent'>): never {
    this.fail('holds', what, this.inputMicros, { agent });
  }
}

function keyOf({ agent, cause }: Pick<AgentHeld, 'agent' | 'cause'>): string {
  return `${cause} ${agent}`;
}
