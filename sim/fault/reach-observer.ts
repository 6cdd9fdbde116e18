// Watches one case and notes which branches of the kernel it takes, from inputs, effects and what machines do.

import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { AgentHello, InputBody, TaskFinished } from '../../core/kernel/inputs.ts';
import type { JournalReport } from '../../core/kernel/journal.ts';
import { filterReasons } from '../../core/scheduler/cluster-state.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';

interface Attempt {
  readonly task: number;
  readonly machines: readonly number[];
  stopSaid: boolean;
  accepted: boolean;
  resultHeard: boolean;
}

export class ReachObserver implements WorldObserver {
  /** Times by `group: name`. */
  readonly seen = new Map<string, number>();
  private readonly submitted = new Set<number>();
  private readonly refused = new Set<number>();
  private readonly attempts = new Map<number, Attempt>();
  private readonly latestAttempt = new Map<number, number>();
  private readonly evicted = new Set<number>();
  /** By agent. */
  private readonly incarnations: number[] = [];
  private readonly dead: boolean[] = [];
  private readonly agentOfName = new Map<string, number>();
  private readonly hellos = new Map<string, number>();

  note(name: string): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
  }

  kernelInput(input: InputBody): void {
    this.note(`kernel heard: ${input.kind}`);
    switch (input.kind) {
      case 'taskSubmitted':
        if (this.submitted.has(input.submission)) this.branch('submission repeated');
        this.submitted.add(input.submission);
        return;
      case 'dispatchAccepted': {
        const attempt = this.attempts.get(input.attempt);
        if (attempt === undefined) return;
        if (attempt.accepted) this.branch('acceptance repeated');
        attempt.accepted = true;
        if (this.latestAttempt.get(input.task) !== input.attempt) this.branch('acceptance of a former attempt');
        return;
      }
      case 'taskFinished':
        this.finished(input);
        return;
      case 'agentHello':
        this.hello(input);
        return;
      default:
        return;
    }
  }

  kernelEffect(effect: Effect): void {
    this.note(`kernel said: ${effect.kind}`);
    switch (effect.kind) {
      case 'dispatch':
        this.dispatched(effect);
        return;
      case 'stop': {
        const attempt = this.attempts.get(effect.attempt);
        if (attempt === undefined) return;
        if (attempt.stopSaid) this.branch('stop repeated');
        attempt.stopSaid = true;
        return;
      }
      case 'submissionRefused':
        if (this.refused.has(effect.submission)) this.branch('refusal repeated');
        this.refused.add(effect.submission);
        return;
      case 'deliver':
        if (effect.attempt > 1) this.branch('end delivered again');
        return;
      case 'decisionMade':
        this.decided(effect.record);
        return;
      case 'agentRegistered': {
        const known = this.incarnations[effect.agent];
        if (known === effect.incarnation) this.branch('agent registered anew');
        else if (known !== undefined) this.branch('agent restarted');
        this.agentOfName.set(effect.name, effect.agent);
        this.incarnations[effect.agent] = effect.incarnation;
        this.dead[effect.agent] = false;
        return;
      }
      case 'agentStateChanged':
        if (effect.to === 'suspect') this.branch('agent suspected');
        else if (effect.to === 'dead') this.died(effect.agent);
        else if (effect.from === 'suspect') this.branch('suspicion ended');
        return;
      default:
        return;
    }
  }

  workEnded(dispatch: Dispatch, _machines: readonly number[], end: WorkEnd): void {
    const attempt = this.attempts.get(dispatch.attempt);
    if (end === 'lost') this.branch('work lost in a crash');
    else if (end === 'failed') this.branch('work failed');
    else if (end === 'stopped' && attempt?.stopSaid === true) this.branch('work stopped on demand');
    else if (end === 'stopped') this.branch('work given up for want of a lease');
    else if (attempt?.stopSaid === true) this.branch('completed although it was to stop');
  }

  submissionAnswered(_submission: number, accepted: boolean): void {
    if (!accepted) this.note('outcome: refused');
  }

  taskEnded({ outcome, agent }: TaskEnded): void {
    this.note(`outcome: ${outcome}`);
    if (outcome === 'cancelled') this.branch(agent < 0 ? 'cancelled while waiting' : 'cancelled while placed');
  }

  inputReleased(_input: unknown, again: boolean): void {
    if (again) this.branch('effects handed out again after a recovery');
  }

  inputLost(): void {
    this.branch('input refused or lost by the journal');
  }

  kernelDown(): void {
    this.branch('kernel lost its power');
  }

  kernelRecovered(_kernel: unknown, { lastSequence }: JournalReport): void {
    if (lastSequence > 0) this.branch('kernel recovered from its disk');
  }

  private branch(name: string): void {
    this.note(`branch: ${name}`);
  }

  private dispatched({ attempt, task, machines, checkpoint }: Dispatch): void {
    if (this.attempts.has(attempt)) {
      this.branch('dispatch repeated');
      return;
    }
    const former = this.latestAttempt.get(task);
    if (former !== undefined) {
      this.branch('task placed again');
      if (this.evicted.has(former)) this.branch('evicted task placed again');
      const leader = this.attempts.get(former)?.machines[0] as number;
      if (this.dead[leader] === true) this.branch('lead machine lost, task placed again');
    }
    this.attempts.set(attempt, { task, machines, stopSaid: false, accepted: false, resultHeard: false });
    this.latestAttempt.set(task, attempt);
    if (machines.length > 1) this.branch('placed on several machines');
    if ((checkpoint?.resumeMicros ?? 0) > 0) this.branch('resumed from a checkpoint');
  }

  private finished({ attempt, task, agent, incarnation }: TaskFinished): void {
    const known = this.attempts.get(attempt);
    if (known !== undefined) {
      if (known.resultHeard) this.branch('result repeated');
      known.resultHeard = true;
    }
    if ((this.latestAttempt.get(task) ?? attempt) > attempt) this.branch('result of a former attempt');
    if (this.dead[agent] === true || this.incarnations[agent] !== incarnation)
      this.branch('result of a dead agent or former incarnation');
  }

  private hello({ name, incarnation }: AgentHello): void {
    const known = this.hellos.get(name);
    if (known === incarnation) this.branch('hello repeated');
    if (known !== undefined && incarnation < known) this.branch('hello of a former incarnation');
    this.hellos.set(name, Math.max(known ?? 0, incarnation));
  }

  private died(agent: number): void {
    this.branch('agent declared dead');
    this.dead[agent] = true;
    for (const attempt of this.attempts.values()) {
      if (!attempt.resultHeard && attempt.machines.indexOf(agent) > 0) this.branch('other machine of a task lost');
    }
  }

  private decided({ outcome, rule, reasonCounts, victims }: DecisionRecord): void {
    this.note(`decision: ${outcome}`);
    this.note(`rule: ${rule}`);
    for (const victim of victims ?? []) this.evicted.add(victim);
    reasonCounts.forEach((count, reason) => {
      if (reason > 0 && count > 0) this.note(`machines ruled out: ${filterReasons[reason]}`);
    });
  }
}
