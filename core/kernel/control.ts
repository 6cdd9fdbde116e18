// The control machine: who the agents are, which tasks there are, what runs where. It turns what agents and submitters say
// into calls on the registry and the scheduler, and what those decide into effects. Fencing is by attempt number: a result
// counts only if its attempt still holds its resources, so that a task ends once, however often it was placed.

import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import type { RandomStream } from '../base/random.ts';
import { AgentRegistry } from '../registry/agent-registry.ts';
import type { AgentState } from '../registry/agent-state.ts';
import type { DecisionRecord } from '../scheduler/decision.ts';
import type { Profile } from '../scheduler/framework.ts';
import { Scheduler, type SchedulerOutput } from '../scheduler/scheduler.ts';
import type { Attempt, Task, TaskOutcome } from '../scheduler/task.ts';
import { AgentHolds } from './agent-holds.ts';
import type { ControlOutput } from './control-output.ts';
import {
  type ControlSnapshot,
  restoreAttempt,
  restoreHolds,
  restoreTask,
  saveAttempt,
  saveTask,
} from './control-snapshot.ts';
import { type ControlTimer, type ControlTimerTable, controlTimers, controlTimerTable } from './control-timers.ts';
import { DeclaredLinks } from './declared-links.ts';
import { DeclaredPower } from './declared-power.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Effect } from './effects.ts';
import { FleetScaling } from './fleet-scaling.ts';
import type {
  AgentDisconnected,
  AgentDraining,
  AgentHello,
  AttemptReference,
  DispatchAccepted,
  Heartbeats,
  PolicyCommanded,
  TaskCancelled,
  TaskFinished,
  TaskProgressed,
  TaskSubmitted,
} from './inputs.ts';
import { type KernelSettings, leaseTermsOf, registrySettingsOf } from './kernel-settings.ts';
import { PolicyRollouts } from './policy-rollouts.ts';
import { learnFrom } from './skill-learning.ts';
import type { SubmissionLedger } from './submission-ledger.ts';
import { noteProgress } from './submitted-task.ts';
import { takeInAgent } from './take-in-agent.ts';
import { TaskIntake } from './task-intake.ts';

export { type ControlOutput, type ControlTimer, controlTimers };

export class Control implements SchedulerOutput {
  readonly scheduler: Scheduler;
  readonly registry: AgentRegistry;
  /** Waiting and placed tasks by number, for others to read; an ended task is forgotten. */
  readonly tasks = new Map<number, Task>();
  readonly intake: TaskIntake;
  /** Where the profile scales. */
  readonly scaling: FleetScaling | undefined;
  private readonly dispatcher: Dispatcher;
  private readonly agentHolds: AgentHolds;
  /** Candidates on their way to serve, and who serves now. */
  readonly rollouts: PolicyRollouts;
  private readonly timers: ControlTimerTable;
  private readonly settings: KernelSettings;
  private readonly output: ControlOutput;
  private readonly faults: FaultSwitch;
  /** Number of the connection on which each agent last agreed with the kernel on what it runs. */
  private readonly connections: number[] = [];
  private nowMicros = 0;

  constructor(
    profile: Profile,
    settings: KernelSettings,
    random: RandomStream,
    output: ControlOutput,
    faults: FaultSwitch = noFaults,
    seed = 0,
  ) {
    this.faults = faults;
    this.settings = settings;
    this.output = output;
    this.registry = new AgentRegistry(registrySettingsOf(settings), (row, from, to, reason) =>
      this.agentChanged(row, from, to, reason),
    );
    const { registry, tasks } = this;
    const power = new DeclaredPower(registry);
    const links = new DeclaredLinks(registry);
    this.scheduler = new Scheduler(profile, random, settings, { skills: registry.skills, power, links, faults });
    this.scheduler.cluster.hasSkill = (skill, row) => this.registry.capabilities.has(row, skill);
    const emit = (effect: Effect): void => output.emit(effect);
    this.dispatcher = new Dispatcher(this.scheduler.attempts, this.registry, settings, emit, faults);
    if (profile.scaling !== undefined)
      this.scaling = new FleetScaling(profile.scaling, { scheduler: this.scheduler, registry, power, tasks, emit });
    this.agentHolds = new AgentHolds(settings, this.scheduler, (row) => registry.state(row) !== 'dead', emit);
    this.rollouts = new PolicyRollouts(this.scheduler, this.tasks, seed, (event) =>
      emit({ kind: 'rolloutChanged', event }),
    );
    const arrives = (task: Task, nowMicros: number): void => this.rollouts.submitted(task, nowMicros);
    const sheds = (task: Task): void => this.shed(task);
    this.intake = new TaskIntake(tasks, this.scheduler, registry, settings, output, faults, { arrives, sheds });
    this.timers = controlTimerTable(this, this.dispatcher, this.agentHolds);
  }

  get submitters(): ReadonlyMap<number, SubmissionLedger> {
    return this.intake.submitters;
  }

  /** True if a scheduling cycle has something to look at. */
  get awaitsInstantEnd(): boolean {
    return this.scheduler.hasWork;
  }

  /** Settings of the registry or of skills have changed. */
  settingsChanged(nowMicros: number): void {
    this.registry.configure(registrySettingsOf(this.settings), nowMicros);
    for (let row = 0; row < this.registry.size; row++) this.scheduler.cluster.touch(row);
  }

  get taskCountNow(): number {
    return this.tasks.size;
  }

  nextDeadline(timer: ControlTimer): number {
    return this.timers[timer].nextMicros();
  }

  fire(timer: ControlTimer, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.timers[timer].fire(nowMicros);
  }

  agentHello(input: AgentHello, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const { gateway, name, incarnation } = input;
    const registration = takeInAgent(input, this.registry, this.scheduler.cluster, nowMicros);
    if (typeof registration === 'string') {
      this.output.emit({ kind: 'agentRefused', gateway, name, incarnation, reason: registration });
      return;
    }
    const { row } = registration;
    if (registration.kind !== 'resumed') {
      this.dispatcher.incarnationBegan(row);
      this.scaling?.agentBegan(row, nowMicros);
    }
    if (registration.kind === 'restarted') this.loseAgent(row);
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
      ...leaseTermsOf(this.settings),
      ...(this.registry.grace.of(row) > 0 ? { disconnectGraceMicros: this.registry.grace.of(row) } : {}),
      stop,
    });
  }

  heartbeats(input: Heartbeats, nowMicros: number): void {
    this.nowMicros = nowMicros;
    for (let index = 0; index < input.count; index++) {
      this.registry.heartbeat(input.agents[index] as number, input.incarnations[index] as number, nowMicros);
    }
    if (this.faults.fires('registry.sweepNow')) this.registry.sweep(nowMicros);
    const { gateway, batch } = input;
    const terms = this.registry.termsChanged ? { terms: leaseTermsOf(this.settings) } : {};
    this.output.emit({ kind: 'heartbeatsRecorded', gateway, batch, ...terms });
  }

  agentDraining(input: AgentDraining, nowMicros: number): void {
    this.nowMicros = nowMicros;
    if (this.registry.isCurrent(input.agent, input.incarnation)) this.registry.drain(input.agent);
  }

  agentDisconnected({ agent, incarnation, connection }: AgentDisconnected, nowMicros: number): void {
    this.nowMicros = nowMicros;
    if (connection >= (this.connections[agent] ?? Number.POSITIVE_INFINITY))
      this.registry.disconnected(agent, incarnation, nowMicros);
  }

  taskSubmitted(input: TaskSubmitted, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.intake.submitted(input, nowMicros);
  }

  taskCancelled(input: TaskCancelled, nowMicros: number): void {
    this.nowMicros = nowMicros;
    for (const task of this.tasks.values()) {
      if (task.submission !== input.submission || task.submitter !== input.submitter) continue;
      if (task.state === 'waiting') {
        const companions = this.scheduler.withdraw(task);
        this.endTask(task, 'cancelled', 0, -1, 0);
        for (const companion of companions) this.endTask(companion, 'dropped', 0, -1, 0);
      } else {
        task.cancelled = true;
        for (const attempt of this.scheduler.attempts.values())
          if (attempt.task === task) this.dispatcher.stop(attempt, nowMicros);
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

  taskProgressed(input: TaskProgressed): void {
    const attempt = this.currentAttempt(input);
    if (attempt !== undefined) noteProgress(attempt.task, input.progressMicros);
  }

  taskFinished(input: TaskFinished, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const { task: number, agent, incarnation, outcome } = input;
    const attempt = this.currentAttempt(input);
    this.output.emit({ kind: 'resultRecorded', task: number, attempt: input.attempt, agent, incarnation });
    if (attempt === undefined) return;
    noteProgress(attempt.task, input.progressMicros ?? 0);
    learnFrom(attempt, input, this.registry, this.scheduler.cluster, nowMicros, (effect) => this.output.emit(effect));
    this.rollouts.scheduling(() => this.scheduler.beforeRelease(nowMicros, this));
    this.scheduler.release(attempt);
    this.agentHolds.ended(attempt, input, nowMicros);
    if (outcome === 'completed') this.endTask(attempt.task, 'completed', attempt.attempt, agent, input.serviceMicros);
    else this.retryTask(attempt, agent);
  }

  /** The scheduler works now, for all that this instant brought. */
  instantEnded(nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.rollouts.scheduling(() => this.scheduler.cycle(nowMicros, this));
    this.scaling?.placed();
  }

  resumed(pausedMicros: number, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.registry.extendLeases(pausedMicros, nowMicros);
    this.rollouts.interrupted(pausedMicros, nowMicros);
    this.agentHolds.resumed(nowMicros);
  }

  policyCommanded({ command, who, why }: PolicyCommanded, nowMicros: number): void {
    this.nowMicros = nowMicros;
    const refusal = this.rollouts.command(command, who, why, nowMicros);
    const rollout = ('rollout' in command ? command.rollout : this.rollouts.machine.rollouts.at(-1)?.rollout) ?? 0;
    this.output.emit({ kind: 'policyAnswered', rollout, refusal });
  }

  placed(attempt: Attempt): void {
    this.dispatcher.dispatch(attempt, this.nowMicros);
  }

  evicted(attempt: Attempt): void {
    this.dispatcher.stop(attempt, this.nowMicros);
  }

  dropped(task: Task): void {
    this.endTask(task, 'dropped', 0, -1, 0);
  }

  decided(record: DecisionRecord): void {
    this.output.emit({ kind: 'decisionMade', record });
    if (record.shadow !== undefined)
      this.rollouts.shadowDecided(record.shadow === (record.machines[0] as number), this.nowMicros);
  }

  save(): ControlSnapshot {
    return {
      registry: this.registry.save(),
      scheduler: this.scheduler.save(),
      models: [...this.scheduler.cluster.models.names],
      requestKinds: Array.from(this.scheduler.kinds.all, (kind) => ({ ...kind })),
      requestKindsState: this.scheduler.kinds.save(),
      holds: Array.from(this.scheduler.cluster.holds.subarray(0, this.scheduler.cluster.machineCount)),
      tasks: [...this.tasks.values()].map(saveTask),
      attempts: [...this.scheduler.attempts.values()].map(saveAttempt),
      attemptCount: this.scheduler.attemptsBegun,
      submitters: this.intake.save(),
      connections: [...this.connections],
      dispatcher: this.dispatcher.save(),
      agentHolds: this.agentHolds.save(),
      taskCount: this.intake.taskCount,
      ...(this.scaling === undefined ? {} : { scaling: this.scaling.save() }),
      rollouts: this.rollouts.save(),
      retryAdvice: this.intake.advice.save(),
    };
  }

  restore(snapshot: ControlSnapshot, nowMicros: number): void {
    const scheduler = this.scheduler;
    for (const name of snapshot.models) scheduler.cluster.models.intern(name);
    scheduler.kinds.restore(snapshot.requestKinds, snapshot.requestKindsState);
    this.registry.restore(snapshot.registry);
    for (let row = 0; row < this.registry.size; row++) {
      scheduler.cluster.addMachine(this.registry.resourcesOf(row));
    }
    this.rollouts.restore(snapshot.rollouts);
    for (const saved of snapshot.tasks) this.tasks.set(saved.task, restoreTask(saved, scheduler.kinds));
    restoreHolds(scheduler.cluster, snapshot.holds);
    const attempts = snapshot.attempts.map((saved) => restoreAttempt(saved, this.tasks));
    scheduler.restore(snapshot.scheduler, this.tasks, attempts, snapshot.attemptCount, nowMicros);
    this.intake.restore(snapshot.submitters, snapshot.taskCount, snapshot.retryAdvice);
    this.connections.push(...snapshot.connections);
    this.dispatcher.restore(snapshot.dispatcher);
    this.agentHolds.restore(snapshot.agentHolds);
    if (snapshot.scaling !== undefined) this.scaling?.restore(snapshot.scaling);
  }

  /** The attempt that a message speaks of, if it still holds its resources and the sender is its leading agent. */
  private currentAttempt(
    input: AttemptReference & { readonly agent: number; readonly incarnation: number },
  ): Attempt | undefined {
    const attempt = this.scheduler.attempts.get(input.attempt);
    if (attempt === undefined || attempt.machines[0] !== input.agent) return undefined;
    return this.registry.isCurrent(input.agent, input.incarnation) ? attempt : undefined;
  }

  private agentChanged(row: number, from: AgentState, to: AgentState, reason: string): void {
    this.output.emit({ kind: 'agentStateChanged', agent: row, from, to, reason });
    if (row >= this.scheduler.cluster.machineCount) return;
    this.scheduler.setSchedulable(row, this.registry.takesWork(row));
    if (to === 'dead') this.loseAgent(row);
    if (reason === 'restarted' || reason === 'heartbeat returned') this.agentHolds.returned(row, this.nowMicros);
  }

  /** All that the agent led is lost; what only used its machine must stop before it is placed anew. */
  private loseAgent(row: number): void {
    for (const attempt of [...this.scheduler.attempts.values()]) {
      if (attempt.machines[0] === row) {
        this.scheduler.release(attempt);
        this.retryTask(attempt, row);
      } else if (attempt.machines.includes(row)) {
        this.dispatcher.stop(attempt, this.nowMicros);
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
    // What it does not name it may have begun since it said so: it is held until the agent has said that it stopped.
    for (const attempt of this.scheduler.attempts.values())
      if (attempt.machines[0] === row && attempt.state !== 'dispatched' && !told.has(attempt.attempt))
        this.dispatcher.stop(attempt, this.nowMicros);
    return stop;
  }

  /** An attempt ended without a result. */
  private retryTask({ task, attempt }: Attempt, agent: number): void {
    if (task.cancelled) this.endTask(task, 'cancelled', attempt, agent, 0);
    else if (task.attempts - task.preemptions >= this.settings.get('scheduler.attemptsMax'))
      this.endTask(task, 'failed', attempt, agent, 0);
    else this.scheduler.enqueue(task, this.nowMicros);
  }

  /** The queue is full, and somebody more important has come. */
  private shed(task: Task): void {
    this.scheduler.withdraw(task, this);
    this.endTask(task, 'dropped', 0, -1, 0, true);
  }

  private endTask(
    task: Task,
    outcome: TaskOutcome,
    attempt: number,
    agent: number,
    serviceMicros: number,
    shed = false,
  ): void {
    task.state = 'ended';
    this.tasks.delete(task.task);
    this.rollouts.ended(task, { completed: outcome === 'completed', serviceMicros }, this.nowMicros);
    this.intake.ended(task, this.nowMicros);
    this.output.publishEnd(task.submitter, {
      task: task.task,
      submission: task.submission,
      outcome,
      attempts: task.attempts,
      attempt,
      agent,
      serviceMicros,
      ...(shed ? { shed } : {}),
    });
  }
}
