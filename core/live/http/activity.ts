// What lately happened in the kernel, as people and programs ask for it: decisions with their inputs' numbers, the lives of tasks,
// and one stream of events. It hears durable inputs alone, keeps a bounded amount of each, newest last, and begins anew with
// every process: the journal is the whole record. An event's id is (sequence, index), the same after every restart.

import { RingBuffer } from '../../base/ring-buffer.ts';
import type { DeliverEffect } from '../../bus/broker-protocol.ts';
import type { Effect, TaskEnded } from '../../kernel/effects.ts';
import type { InputBody } from '../../kernel/inputs.ts';
import type { ReleasedInput } from '../../kernel/journaled-kernel.ts';
import type { DecisionRecord } from '../../scheduler/decision.ts';
import type { TaskOutcome } from '../../scheduler/task.ts';
import type { LiveKernel } from '../live-kernel.ts';

export const decisionsKept = 10_000;
export const endedTasksKept = 10_000;
export const eventsKept = 2_000;

export const eventKinds = ['decision', 'agent', 'task', 'setting'] as const;
export type EventKind = (typeof eventKinds)[number];

export interface ActivityEvent {
  readonly kind: EventKind;
  readonly sequence: number;
  /** Counts the events of one input, from 0. */
  readonly index: number;
  readonly timeMicros: number;
  /** Of a decision: a {@link KeptDecision}. */
  readonly data: object;
}

export interface KeptDecision {
  readonly record: DecisionRecord;
  readonly sequence: number;
  readonly timeMicros: number;
}

/** A task that was placed in this process's time. */
export interface TaskLife {
  readonly task: number;
  readonly submitter: number;
  readonly submission: number;
  readonly submittedMicros: number;
  readonly tenant: string;
  readonly priority: number;
  /** The latest placement; 0 before any. */
  attempt: number;
  attempts: number;
  machines: readonly number[];
  placedMicros: number;
  firstPlacedMicros: number;
  /** −1 while it has not begun. */
  startedMicros: number;
  endedMicros: number;
  outcome: TaskOutcome | undefined;
  serviceMicros: number;
  joules: number | undefined;
}

export type ActivityListener = (event: ActivityEvent) => void;

/** Told of ends, for the metrics. `life` is undefined if the task was never placed in this process's time. */
export type EndListener = (outcome: TaskOutcome, life: TaskLife | undefined) => void;

export class Activity {
  readonly decisions = new RingBuffer<KeptDecision>(decisionsKept);
  readonly ended = new RingBuffer<TaskLife>(endedTasksKept);
  readonly events = new RingBuffer<ActivityEvent>(eventsKept);
  /** Placed tasks by number. */
  readonly placed = new Map<number, TaskLife>();
  /** What is told began after this. */
  readonly sinceMicros: number;
  endedHere: EndListener = () => {};
  private readonly live: LiveKernel;
  private readonly listeners = new Set<ActivityListener>();
  private readonly stopListening: () => void;
  private readonly endedNumbers = new Set<number>();
  /** Placed tasks that their submitter wants no longer. */
  private readonly cancelled = new Set<number>();
  private waiters: { readonly sequence: number; readonly resolve: () => void }[] = [];
  private settingsVersion: number;
  private index = 0;

  constructor(live: LiveKernel) {
    this.live = live;
    this.sinceMicros = live.now();
    this.settingsVersion = live.kernel.settings.version;
    const { attempts } = live.kernel.control.scheduler;
    for (const { attempt, task, machines, placedMicros, startedMicros } of attempts.values()) {
      const life = lifeOf(task, attempt, machines, placedMicros, task.attempts);
      life.startedMicros = startedMicros;
      this.placed.set(task.task, life);
    }
    this.stopListening = live.listen({ released: (input) => this.released(input) });
  }

  close(): void {
    this.stopListening();
    for (const { resolve } of this.waiters.splice(0)) resolve();
  }

  /** Tells `listener` of every event from now on; call what is returned to end that. */
  listen(listener: ActivityListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells all listeners. */
  announce(event: ActivityEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** The decision of that number, if it is kept. */
  decision(number: number): KeptDecision | undefined {
    const first = this.decisions.peek()?.record.decision;
    if (first === undefined || number < first || number >= first + this.decisions.length) return undefined;
    // They are numbered without gaps.
    return this.decisions.at(number - first);
  }

  /** The latest life of the task, if it was placed in this process's time. */
  life(task: number): TaskLife | undefined {
    const placed = this.placed.get(task);
    if (placed !== undefined) return placed;
    for (let index = this.ended.length - 1; index >= 0; index--) {
      const life = this.ended.at(index);
      if (life.task === task) return life;
    }
    return undefined;
  }

  /** Resolves when the input is durable, false if that takes too long. */
  async durable(sequence: number, timeoutMillis: number): Promise<boolean> {
    if (this.live.durableSequence >= sequence) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMillis);
      this.waiters.push({
        sequence,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
    return this.live.durableSequence >= sequence;
  }

  /** Ends that nobody has told us of: of tasks whose submitter is away. */
  sweep(): void {
    const { tasks } = this.live.kernel.control;
    const { durableSequence, kernel } = this.live;
    if (durableSequence < kernel.lastSequence) return;
    const nowMicros = this.live.now();
    for (const [task] of this.placed)
      if (!tasks.has(task))
        this.end(task, this.cancelled.has(task) ? 'cancelled' : 'failed', nowMicros, durableSequence);
  }

  private released(input: ReleasedInput): void {
    const { sequence, timeMicros, body, effects } = input;
    this.index = 0;
    this.hear(body, sequence, timeMicros);
    for (const effect of effects) this.take(effect, sequence, timeMicros);
    if (this.waiters.length > 0 && (this.waiters[0]?.sequence ?? 0) <= sequence) {
      const due = this.waiters.filter((waiter) => waiter.sequence <= sequence);
      this.waiters = this.waiters.filter((waiter) => waiter.sequence > sequence);
      for (const { resolve } of due) resolve();
    }
  }

  private hear(body: InputBody, sequence: number, timeMicros: number): void {
    if (body.kind === 'dispatchAccepted') {
      const life = this.placed.get(body.task);
      if (life?.attempt !== body.attempt || life.startedMicros >= 0) return;
      life.startedMicros = timeMicros;
      this.tell('task', { task: body.task, state: 'running', ...this.placeOf(life) }, sequence, timeMicros);
    } else if (body.kind === 'taskFinished') {
      const life = this.placed.get(body.task);
      const { registry } = this.live.kernel.control;
      if (life === undefined || life.attempt !== body.attempt || life.machines[0] !== body.agent) return;
      if (registry.incarnationOf(body.agent) !== body.incarnation) return;
      life.serviceMicros = body.serviceMicros;
      life.joules = body.joules;
      if (body.outcome === 'completed') this.end(body.task, 'completed', timeMicros, sequence);
    } else if (body.kind === 'taskCancelled') {
      for (const life of this.placed.values())
        if (life.submission === body.submission && life.submitter === body.submitter) this.cancelled.add(life.task);
    }
  }

  private take(effect: Effect, sequence: number, timeMicros: number): void {
    switch (effect.kind) {
      case 'decisionMade':
        this.decided(effect.record, sequence, timeMicros);
        return;
      case 'agentRegistered': {
        const { agent, name, incarnation } = effect;
        this.tell('agent', { agent, name, incarnation, change: 'registered' }, sequence, timeMicros);
        return;
      }
      case 'agentStateChanged': {
        const { agent, from, to, reason } = effect;
        this.tell(
          'agent',
          { agent, name: this.nameOf(agent), change: 'state', from, to, reason },
          sequence,
          timeMicros,
        );
        return;
      }
      case 'agentHeld': {
        const { agent, cause, held, untilMicros } = effect;
        const change = held ? 'held' : 'released';
        this.tell('agent', { agent, name: this.nameOf(agent), change, cause, untilMicros }, sequence, timeMicros);
        return;
      }
      case 'settingAnswered':
        this.settingAnswered(sequence, timeMicros);
        return;
      case 'deliver':
        this.delivered(effect, sequence, timeMicros);
        return;
    }
  }

  private decided(record: DecisionRecord, sequence: number, timeMicros: number): void {
    if (this.decisions.isFull) this.decisions.shift();
    const kept = { record, sequence, timeMicros };
    this.decisions.push(kept);
    const { task: number, outcome, attempt, machines } = record;
    this.tell('decision', kept, sequence, timeMicros);
    const task = this.live.kernel.control.tasks.get(number);
    const known = this.placed.get(number);
    if (outcome === 'dropped') this.end(number, 'dropped', timeMicros, sequence);
    else if (outcome === 'placed' && known !== undefined) {
      known.attempt = attempt;
      known.attempts++;
      known.machines = machines;
      known.placedMicros = timeMicros;
      known.startedMicros = -1;
    } else if (outcome === 'placed' && task !== undefined)
      this.placed.set(number, lifeOf(task, attempt, machines, timeMicros, 1));
  }

  private delivered({ payload }: DeliverEffect, sequence: number, timeMicros: number): void {
    const { task, outcome } = payload as Partial<TaskEnded>;
    if (task !== undefined && outcome !== undefined) this.end(task, outcome, timeMicros, sequence);
  }

  private end(task: number, outcome: TaskOutcome, timeMicros: number, sequence: number): void {
    if (this.endedNumbers.has(task)) return;
    this.endedNumbers.add(task);
    // Sets keep the order in which they were filled.
    if (this.endedNumbers.size > 10 * endedTasksKept) {
      const [oldest] = this.endedNumbers;
      this.endedNumbers.delete(oldest as number);
    }
    const life = this.placed.get(task);
    this.placed.delete(task);
    this.cancelled.delete(task);
    if (life !== undefined) {
      life.outcome = outcome;
      life.endedMicros = timeMicros;
      if (this.ended.isFull) this.ended.shift();
      this.ended.push(life);
    }
    this.endedHere(outcome, life);
    const place = life === undefined ? {} : this.placeOf(life);
    this.tell('task', { task, state: 'ended', outcome, ...place }, sequence, timeMicros);
  }

  private settingAnswered(sequence: number, timeMicros: number): void {
    const { settings } = this.live.kernel;
    for (const change of settings.history()) {
      if (change.version <= this.settingsVersion || change.atMicros > timeMicros) continue;
      this.settingsVersion = change.version;
      const { version, who, why, changes } = change;
      this.tell('setting', { version, who, why, changes }, sequence, timeMicros);
    }
  }

  private placeOf({ submission, attempt, machines }: TaskLife): object {
    return { submission, attempt, agents: machines.map((machine) => this.nameOf(machine)) };
  }

  private nameOf(agent: number): string {
    return this.live.kernel.control.registry.names[agent] ?? '';
  }

  private tell(kind: EventKind, data: object, sequence: number, timeMicros: number): void {
    const event: ActivityEvent = { kind, sequence, index: this.index++, timeMicros, data };
    if (this.events.isFull) this.events.shift();
    this.events.push(event);
    this.announce(event);
  }
}

interface KnownTask {
  readonly task: number;
  readonly submitter: number;
  readonly submission: number;
  readonly submittedMicros: number;
  readonly tenant: string;
  readonly priority: number;
}

function lifeOf(
  { task, submitter, submission, submittedMicros, tenant, priority }: KnownTask,
  attempt: number,
  machines: readonly number[],
  placedMicros: number,
  attempts: number,
): TaskLife {
  return {
    ...{ task, submitter, submission, submittedMicros, tenant, priority, attempt, attempts, machines },
    ...{ placedMicros, firstPlacedMicros: placedMicros, startedMicros: -1, endedMicros: -1 },
    ...{ outcome: undefined, serviceMicros: 0, joules: undefined },
  };
}
