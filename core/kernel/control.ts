// The control machine: who the agents are, which tasks there are, what runs where. It turns what agents and submitters say
// into calls on the registry and the scheduler, and what those decide into effects. Fencing is by attempt number: a result
// counts only if its attempt still holds its resources, so that a task ends once, however often it was placed.

import { assert } from '../base/assert.ts';
import type { RandomStream } from '../base/random.ts';
import { RetryQueue } from '../base/retry-queue.ts';
import { AgentRegistry } from '../registry/agent-registry.ts';
import type { AgentState } from '../registry/agent-state.ts';
import type { DecisionRecord } from '../scheduler/decision.ts';
import type { Profile } from '../scheduler/framework.ts';
import { Scheduler, type SchedulerOutput } from '../scheduler/scheduler.ts';
import type { Attempt, Task, TaskOutcome } from '../scheduler/task.ts';
import { type ControlSnapshot, restoreAttempt, restoreTask, saveAttempt, saveTask } from './control-snapshot.ts';
import type { Effect, TaskEnded } from './effects.ts';
import type {
  AgentDraining,
  AgentHello,
  AttemptReference,
  DispatchAccepted,
  Heartbeats,
  TaskCancelled,
  TaskFinished,
  TaskSubmitted,
} from './inputs.ts';
import { type KernelSettings, registrySettingsOf } from './kernel-settings.ts';
import { SubmissionLedger } from './submission-ledger.ts';

/** What the control machine hands to its composition. */
export interface ControlOutput {
  emit(effect: Effect): void;
  /** Publish the end of a task to its submitter's topic. */
  publishEnd(submitter: number, ended: TaskEnded): void;
  /** A submitter is new: what is published for it from now on must be kept until it has taken it. */
  openEnds(submitter: number): void;
}

/** Timers of the control machine, in the order in which they fire at one deadline. */
export const controlTimers = ['sweep', 'retry', 'backoff'] as const;
export type ControlTimer = (typeof controlTimers)[number];

export class Control implements SchedulerOutput {
  readonly scheduler: Scheduler;
  readonly registry: AgentRegistry;
  /** Waiting and placed tasks by number; an ended task is forgotten. */
  private readonly tasks = new Map<number, Task>();
  private readonly submitters = new Map<number, SubmissionLedger>();
  private readonly retries = new RetryQueue();
  private readonly settings: KernelSettings;
  private readonly output: ControlOutput;
  /** Number of the connection on which each agent last agreed with the kernel on what it runs. */
  private readonly connections: number[] = [];
  /** Attempts that each agent was given to lead in its present incarnation. */
  private readonly orders: number[] = [];
  private taskCount = 0;
  private nowMicros = 0;
  private readonly awaitsAnswer = (number: number): boolean => {
    const attempt = this.scheduler.attempts.get(number);
    return attempt !== undefined && attempt.state !== 'running';
  };

  constructor(profile: Profile, settings: KernelSettings, random: RandomStream, output: ControlOutput) {
    this.settings = settings;
    this.output = output;
    this.registry = new AgentRegistry(registrySettingsOf(settings), (row, from, to, reason) =>
      this.agentChanged(row, from, to, reason),
    );
    this.scheduler = new Scheduler(profile, random, settings);
  }

  /** True if a scheduling cycle has something to look at. */
  get awaitsInstantEnd(): boolean {
    return this.scheduler.hasWork;
  }

  get taskCountNow(): number {
    return this.tasks.size;
  }

  nextDeadline(timer: ControlTimer): number {
    switch (timer) {
      case 'sweep':
        return this.registry.nextSweepMicros;
      case 'retry':
        return this.retries.nextDeadline(this.awaitsAnswer);
      case 'backoff':
        return this.scheduler.nextBackoffMicros;
    }
  }

  fire(timer: ControlTimer, nowMicros: number): void {
    this.nowMicros = nowMicros;
    switch (timer) {
      case 'sweep':
        this.registry.sweep(nowMicros);
        break;
      case 'retry':
        this.retryDue(nowMicros);
        break;
      case 'backoff':
        this.scheduler.endBackoffs(nowMicros);
        break;
    }
  }

  agentHello(input: AgentHello, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const { gateway, name, incarnation } = input;
    const known = this.registry.rowOf(name);
    if (known >= 0 && !this.sameResources(known, input)) {
      this.output.emit({
        kind: 'agentRefused',
        gateway,
        name,
        incarnation,
        reason: 'resources differ from the first registration',
      });
      return;
    }
    const registration = this.registry.register({ ...input, ready: true }, nowMicros);
    const row = registration.row;
    if (registration.kind === 'rejected') {
      this.output.emit({ kind: 'agentRefused', gateway, name, incarnation, reason: registration.reason ?? 'rejected' });
      return;
    }
    if (registration.kind === 'new') {
      const machine = this.scheduler.cluster.addMachine(input.resources);
      assert(machine === row, 'agents and machines share their numbers');
      this.orders[row] = 0;
    } else if (registration.kind === 'restarted') {
      this.orders[row] = 0;
      this.loseAgent(row);
    }
    this.scheduler.setSchedulable(row, this.registry.takesWork(row));
    // A hello that was repeated or overtaken on its way speaks of an older state and settles nothing.
    const isNewer = registration.kind !== 'resumed' || input.connection > (this.connections[row] as number);
    if (isNewer) this.connections[row] = input.connection;
    const stop = registration.kind === 'resumed' ? (isNewer ? this.reconcile(row, input.running) : []) : input.running;
    this.output.emit({
      kind: 'agentRegistered',
      gateway,
      name,
      agent: row,
      incarnation,
      helloSentMicros: input.sentMicros,
      leaseMicros: this.settings.get('registry.leaseMicros'),
      heartbeatIntervalMicros: this.settings.get('registry.heartbeatIntervalMicros'),
      stop,
    });
  }

  heartbeats(input: Heartbeats, nowMicros: number): void {
    this.nowMicros = nowMicros;
    for (let index = 0; index < input.count; index++) {
      this.registry.heartbeat(input.agents[index] as number, input.incarnations[index] as number, nowMicros);
    }
    this.output.emit({ kind: 'heartbeatsRecorded', gateway: input.gateway, batch: input.batch });
  }

  agentDraining(input: AgentDraining, nowMicros: number): void {
    this.nowMicros = nowMicros;
    if (this.registry.isCurrent(input.agent, input.incarnation)) this.registry.drain(input.agent);
  }

  taskSubmitted(input: TaskSubmitted, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const { submitter, submission } = input;
    let ledger = this.submitters.get(submitter);
    if (ledger === undefined) {
      ledger = new SubmissionLedger();
      this.submitters.set(submitter, ledger);
      this.output.openEnds(submitter);
    }
    const seen = ledger.look(submission, input.settled);
    if (seen === 'new') {
      const queueLengthMax = this.settings.get('scheduler.queueLengthMax');
      if (this.scheduler.queueLength >= queueLengthMax) {
        if (ledger.noteRefused(submission)) this.refuse(submitter, submission);
        return;
      }
      ledger.noteAccepted(submission);
      const task: Task = {
        task: ++this.taskCount,
        submitter,
        submission,
        tenant: input.tenant,
        kind: this.scheduler.kinds.intern(input.request),
        submittedMicros: nowMicros,
        estimateMicros: input.estimateMicros,
        priority: input.priority,
        state: 'waiting',
        attempts: 0,
        backoffs: 0,
        overtaken: 0,
        explained: false,
        cancelled: false,
        queueKey: 0,
        queueIndex: -1,
      };
      this.tasks.set(task.task, task);
      this.scheduler.enqueue(task, nowMicros);
    } else if (seen === 'tooFarAhead' || seen === 'settled') {
      return;
    } else if (seen === 'refused') {
      this.refuse(submitter, submission);
      return;
    }
    this.output.emit({ kind: 'submissionAccepted', submitter, submission });
  }

  taskCancelled(input: TaskCancelled, nowMicros: number): void {
    this.nowMicros = nowMicros;
    for (const task of this.tasks.values()) {
      if (task.submission !== input.submission || task.submitter !== input.submitter) continue;
      if (task.state === 'waiting') {
        this.scheduler.withdraw(task);
        this.endTask(task, 'cancelled', -1, 0);
      } else {
        task.cancelled = true;
        for (const attempt of this.scheduler.attempts.values()) if (attempt.task === task) this.stop(attempt);
      }
      return;
    }
  }

  dispatchAccepted(input: DispatchAccepted, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const attempt = this.currentAttempt(input);
    if (attempt === undefined || attempt.state !== 'dispatched') return;
    this.scheduler.started(attempt, nowMicros);
  }

  taskFinished(input: TaskFinished, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const { task: number, agent, incarnation, outcome } = input;
    const attempt = this.currentAttempt(input);
    this.output.emit({ kind: 'resultRecorded', task: number, attempt: input.attempt, agent, incarnation });
    if (attempt === undefined) return;
    this.scheduler.beforeRelease(nowMicros, this);
    this.scheduler.release(attempt);
    if (outcome === 'completed') this.endTask(attempt.task, 'completed', agent, input.serviceMicros);
    else this.retryTask(attempt.task, agent);
  }

  /** The scheduler works now, for all that this instant brought. */
  instantEnded(nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.scheduler.cycle(nowMicros, this);
  }

  resumed(pausedMicros: number, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.registry.extendLeases(pausedMicros, nowMicros);
  }

  placed(attempt: Attempt): void {
    const leader = attempt.machines[0] as number;
    attempt.order = (this.orders[leader] as number) + 1;
    this.orders[leader] = attempt.order;
    this.sendDispatch(attempt);
    this.retries.add(attempt.attempt, this.nowMicros + this.settings.get('dispatch.retryMicros'));
  }

  dropped(task: Task): void {
    this.endTask(task, 'dropped', -1, 0);
  }

  decided(record: DecisionRecord): void {
    this.output.emit({ kind: 'decisionMade', record });
  }

  save(): ControlSnapshot {
    return {
      registry: this.registry.save(),
      scheduler: this.scheduler.save(),
      models: [...this.scheduler.cluster.models.names],
      requestKinds: this.scheduler.kinds.kinds.map((kind) => ({ ...kind })),
      schedulable: Array.from(this.scheduler.cluster.schedulable.subarray(0, this.scheduler.cluster.machineCount)),
      tasks: [...this.tasks.values()].map(saveTask),
      attempts: [...this.scheduler.attempts.values()].map(saveAttempt),
      attemptCount: this.scheduler.attemptsBegun,
      submitters: [...this.submitters].map(([submitter, ledger]) => ({ submitter, ...ledger.save() })),
      connections: [...this.connections],
      orders: [...this.orders],
      retries: this.retries.save(),
      taskCount: this.taskCount,
    };
  }

  restore(snapshot: ControlSnapshot, nowMicros: number): void {
    const scheduler = this.scheduler;
    for (const name of snapshot.models) scheduler.cluster.models.intern(name);
    for (const kind of snapshot.requestKinds) scheduler.kinds.restore(kind);
    this.registry.restore(snapshot.registry);
    for (let row = 0; row < this.registry.size; row++) {
      scheduler.cluster.addMachine(this.registry.resourcesOf(row));
      scheduler.cluster.setSchedulable(row, snapshot.schedulable[row] === 1);
    }
    for (const saved of snapshot.tasks) this.tasks.set(saved.task, restoreTask(saved, scheduler.kinds.kinds));
    const attempts = snapshot.attempts.map((saved) => restoreAttempt(saved, this.tasks));
    scheduler.restore(snapshot.scheduler, this.tasks, attempts, snapshot.attemptCount, nowMicros);
    for (const { submitter, ...saved } of snapshot.submitters) {
      const ledger = new SubmissionLedger();
      ledger.restore(saved);
      this.submitters.set(submitter, ledger);
    }
    this.connections.push(...snapshot.connections);
    this.orders.push(...snapshot.orders);
    this.retries.restore(snapshot.retries);
    this.taskCount = snapshot.taskCount;
  }

  /** The attempt that a message speaks of, if it still holds its resources and the sender is its leading agent. */
  private currentAttempt(
    input: AttemptReference & { readonly agent: number; readonly incarnation: number },
  ): Attempt | undefined {
    const attempt = this.scheduler.attempts.get(input.attempt);
    if (attempt === undefined || attempt.machines[0] !== input.agent) return undefined;
    return this.registry.isCurrent(input.agent, input.incarnation) ? attempt : undefined;
  }

  private refuse(submitter: number, submission: number): void {
    const reason = `${this.settings.get('scheduler.queueLengthMax')} tasks wait already`;
    this.output.emit({ kind: 'submissionRefused', submitter, submission, code: 'SIRA_QUEUE_FULL', reason });
  }

  private agentChanged(row: number, from: AgentState, to: AgentState, reason: string): void {
    this.output.emit({ kind: 'agentStateChanged', agent: row, from, to, reason });
    if (row >= this.scheduler.cluster.machineCount) return;
    this.scheduler.setSchedulable(row, this.registry.takesWork(row));
    if (to === 'dead') this.loseAgent(row);
  }

  /** All that the agent led is lost; what only used its machine must stop before it is placed anew. */
  private loseAgent(row: number): void {
    for (const attempt of [...this.scheduler.attempts.values()]) {
      if (attempt.machines[0] === row) {
        this.scheduler.release(attempt);
        this.retryTask(attempt.task, row);
      } else if (attempt.machines.includes(row)) {
        this.stop(attempt);
      }
    }
  }

  /** The agent reconnected without a restart: agrees with it on what it runs. Returns what it should stop. */
  private reconcile(row: number, running: readonly AttemptReference[]): AttemptReference[] {
    const told = new Set<number>();
    const stop: AttemptReference[] = [];
    for (const reference of running) {
      told.add(reference.attempt);
      if (!this.scheduler.attempts.has(reference.attempt)) stop.push(reference);
    }
    for (const attempt of [...this.scheduler.attempts.values()]) {
      if (attempt.machines[0] !== row || attempt.state === 'dispatched' || told.has(attempt.attempt)) continue;
      this.scheduler.release(attempt);
      this.retryTask(attempt.task, row);
    }
    return stop;
  }

  /** An attempt ended without a result. */
  private retryTask(task: Task, agent: number): void {
    if (task.cancelled) this.endTask(task, 'cancelled', agent, 0);
    else if (task.attempts >= this.settings.get('scheduler.attemptsMax')) this.endTask(task, 'failed', agent, 0);
    else this.scheduler.enqueue(task, this.nowMicros);
  }

  private endTask(task: Task, outcome: TaskOutcome, agent: number, serviceMicros: number): void {
    task.state = 'ended';
    this.tasks.delete(task.task);
    this.output.publishEnd(task.submitter, {
      task: task.task,
      submission: task.submission,
      outcome,
      attempts: task.attempts,
      agent,
      serviceMicros,
    });
  }

  private stop(attempt: Attempt): void {
    if (attempt.state === 'cancelling') return;
    attempt.state = 'cancelling';
    this.sendStop(attempt);
    this.retries.add(attempt.attempt, this.nowMicros + this.settings.get('dispatch.retryMicros'));
  }

  private retryDue(nowMicros: number): void {
    for (let number = this.retries.takeDue(nowMicros); number !== -1; number = this.retries.takeDue(nowMicros)) {
      const attempt = this.scheduler.attempts.get(number);
      if (attempt === undefined || attempt.state === 'running') continue;
      if (attempt.state === 'dispatched') this.sendDispatch(attempt);
      else this.sendStop(attempt);
      this.retries.add(number, nowMicros + this.settings.get('dispatch.retryMicros'));
    }
  }

  private sendDispatch(attempt: Attempt): void {
    const agent = attempt.machines[0] as number;
    this.output.emit({
      kind: 'dispatch',
      agent,
      incarnation: this.registry.incarnationOf(agent),
      task: attempt.task.task,
      attempt: attempt.attempt,
      order: attempt.order,
      submitter: attempt.task.submitter,
      submission: attempt.task.submission,
      machines: attempt.machines,
      deviceMasks: attempt.deviceMasks,
    });
  }

  private sendStop(attempt: Attempt): void {
    const agent = attempt.machines[0] as number;
    const incarnation = this.registry.incarnationOf(agent);
    const { order } = attempt;
    this.output.emit({ kind: 'stop', agent, incarnation, task: attempt.task.task, attempt: attempt.attempt, order });
  }

  private sameResources(row: number, input: AgentHello): boolean {
    const known = this.registry.resourcesOf(row);
    const { cpuMilli, memoryMib, gpuCount, gpuModel } = input.resources;
    return (
      known.cpuMilli === cpuMilli &&
      known.memoryMib === memoryMib &&
      known.gpuCount === gpuCount &&
      known.gpuModel === gpuModel
    );
  }
}
