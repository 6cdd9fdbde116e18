// Turns what a kernel takes in and brings about into rows of telemetry: the same code beside the live kernel, in the simulator and
// over a journal that is read again, so that all three write the same rows under the same keys. It hears inputs in their order,
// with their effects, after they are durable; it looks into the kernel for names and loads alone, and changes nothing.

import type { DeliverEffect } from '../bus/broker-protocol.ts';
import type { Effect, TaskEnded } from '../kernel/effects.ts';
import type { InputBody, TaskFinished, TaskSubmitted } from '../kernel/inputs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { filterReasons } from '../scheduler/cluster-state.ts';
import type { DecisionRecord } from '../scheduler/decision.ts';
import type { TaskOutcome } from '../scheduler/task.ts';
import { LinkSampler } from './link-sampler.ts';
import { LoadSampler } from './load-sampler.ts';
import { OpenTasks } from './open-tasks.ts';
import { answerRow, policyName, stepRow } from './policy-rows.ts';
import type { RowSink } from './rows.ts';
import type { TelemetryRow } from './tables.ts';
import type { TaskLife } from './task-life.ts';

export interface RecorderOptions {
  /** Which kernel, or which simulated run: the second column of every table. */
  readonly run: string;
  readonly sink: RowSink;
  /** The kernel as it is now; it may be ahead of the inputs that are heard. */
  readonly kernel: () => Kernel;
  /** Distance of the samples of agents' load, by the inputs' time. */
  readonly sampleMicros: number;
}

const microsPerSecond = 1_000_000;

export class TelemetryRecorder {
  private readonly options: RecorderOptions;
  private readonly open = new OpenTasks();
  private readonly sampler: LoadSampler;
  private readonly links: LinkSampler;
  /** Of the settings that have been told; −1 before the first input. */
  private settingsVersion = -1;
  private sequence = 0;
  private nowMicros = 0;
  private body: InputBody = { kind: 'timeReached' };
  private isInInput = false;
  private nextSampleMicros = 0;
  private eventPart = 0;
  private decisionPart = 0;
  private settingPart = 0;
  private promotionPart = 0;
  /** Ended, if the kernel knows them no longer. */
  private readonly perhapsEnded: TaskLife[] = [];

  constructor(options: RecorderOptions) {
    this.options = options;
    this.sampler = new LoadSampler(options.run, options.sink);
    this.links = new LinkSampler(options.run, options.sink);
  }

  /** A whole input at once. */
  record(sequence: number, timeMicros: number, body: InputBody, effects: readonly Effect[]): void {
    this.begin(sequence, timeMicros, body);
    // A kernel that is ahead may know the task no longer: the dispatch says whose it is.
    for (const effect of effects) {
      if (effect.kind !== 'dispatch') continue;
      const life = this.open.find(effect.submitter, effect.submission);
      if (life !== undefined) this.open.number(life, effect.task);
    }
    for (const effect of effects) this.effect(effect);
    this.end();
  }

  /** An input comes; its effects follow, then {@link end}. */
  begin(sequence: number, timeMicros: number, body: InputBody): void {
    if (this.isInInput) this.end();
    this.isInInput = true;
    this.sequence = sequence;
    this.nowMicros = timeMicros;
    this.body = body;
    this.eventPart = 0;
    this.decisionPart = 0;
    this.settingPart = 0;
    this.promotionPart = 0;
    if (this.settingsVersion < 0) this.settingsVersion = this.firstVersion(timeMicros);
    switch (body.kind) {
      case 'dispatchAccepted': {
        this.links.accepted(body, timeMicros);
        const life = this.open.ofAttempt(body.attempt);
        if (life !== undefined && life.agent === body.agent && life.started(timeMicros)) this.event('started', life);
        return;
      }
      case 'taskFinished':
        this.finished(body);
        return;
      case 'taskCancelled': {
        const life = this.open.find(body.submitter, body.submission);
        if (life === undefined) return;
        life.cancelled = true;
        if (life.task !== 0) this.perhapsEnded.push(life);
        return;
      }
    }
  }

  effect(effect: Effect): void {
    switch (effect.kind) {
      case 'submissionAccepted':
        if (this.body.kind === 'taskSubmitted') this.accepted(this.body);
        return;
      case 'submissionRefused':
        if (this.body.kind === 'taskSubmitted') this.refused(this.body, effect.code);
        return;
      case 'decisionMade':
        this.decided(effect.record);
        return;
      case 'agentRegistered':
        if (effect.agent < this.options.kernel().control.scheduler.cluster.machineCount)
          this.sampler.tell(this.options.kernel(), effect.agent, true, this.nowMicros);
        return;
      case 'dispatch':
        this.links.dispatch(effect, this.nowMicros);
        return;
      case 'agentStateChanged':
        if (effect.to === 'dead' || effect.reason === 'restarted')
          for (const life of this.open.ledBy(effect.agent)) this.lost(life);
        return;
      case 'settingAnswered':
        this.settingAnswered(effect.name, effect.refusal);
        return;
      case 'deliver':
        this.delivered(effect);
        return;
      case 'rolloutChanged':
        this.promotion(stepRow(this.options.kernel(), effect.event));
        return;
      case 'policyAnswered':
        if (this.body.kind === 'policyCommanded')
          this.promotion(answerRow(this.options.kernel(), this.body, effect.rollout, effect.refusal));
        return;
    }
  }

  /** The input and its effects are complete. */
  end(): void {
    this.isInInput = false;
    const kernel = this.options.kernel();
    // A kernel that is ahead knows ends that have not been heard of here.
    const isLevel = kernel.lastSequence === this.sequence;
    if (isLevel && this.perhapsEnded.length > 0) this.endIfGone(this.perhapsEnded.splice(0), kernel);
    if (this.nowMicros < this.nextSampleMicros) return;
    const { sampleMicros } = this.options;
    this.nextSampleMicros = (Math.floor(this.nowMicros / sampleMicros) + 1) * sampleMicros;
    this.sampler.sample(kernel, this.nowMicros);
    this.links.sample((agent) => this.nameOf(agent), this.nowMicros);
    // Ends that nobody is told of: of tasks whose submitter is away.
    if (isLevel) this.endIfGone(this.open.numbered(), kernel);
  }

  private endIfGone(lives: Iterable<TaskLife>, { control }: Kernel): void {
    for (const life of lives) {
      if (control.tasks.has(life.task) || !this.open.has(life)) continue;
      this.ended(life, life.cancelled ? 'cancelled' : 'failed');
    }
  }

  private accepted(body: TaskSubmitted): void {
    const { request } = body;
    const life = this.open.begin({
      submitter: body.submitter,
      submission: body.submission,
      tenant: body.tenant,
      taskClass: body.taskClass ?? '',
      priority: body.priority,
      cpuMilli: request.cpuMilli,
      memoryMib: request.memoryMib,
      gpuCount: request.gpuCount,
      gpuMilli: request.gpuMilli,
      machineCount: request.machineCount,
      estimateMicros: body.estimateMicros,
      submittedMicros: this.nowMicros,
    });
    if (life !== undefined) this.event('submitted', life);
  }

  private refused({ submitter, submission, tenant, taskClass }: TaskSubmitted, outcome: string): void {
    this.options.sink.add('task_events', {
      time: this.nowMicros,
      run: this.options.run,
      sequence: this.sequence,
      part: this.eventPart++,
      event: 'refused',
      submitter,
      submission,
      tenant,
      task_class: taskClass,
      outcome,
    });
  }

  private decided(record: DecisionRecord): void {
    const { outcome, machines } = record;
    const life = this.lifeOf(record);
    this.decisionRow(record, life);
    if (life === undefined) return;
    if (outcome === 'placed') {
      this.open.placed(life, record.kind, record.attempt, machines[0] as number, this.nowMicros);
      this.event('placed', life);
    } else if (outcome === 'dropped') this.ended(life, 'dropped');
    else if (outcome === 'evicts') {
      for (const attempt of record.victims ?? []) {
        const victim = this.open.ofAttempt(attempt);
        if (victim !== undefined) this.event('evicted', victim);
      }
    } else this.open.waits(life, record.kind, record.reasonCounts);
  }

  /** The life of the task that is decided on; begun now if the task is older than this recorder. */
  private lifeOf({ task: number }: DecisionRecord): TaskLife | undefined {
    const known = this.open.ofTask(number);
    if (known !== undefined) return known;
    const { control } = this.options.kernel();
    const task = control.tasks.get(number);
    if (task === undefined) return undefined;
    const { kind } = task;
    const life =
      this.open.find(task.submitter, task.submission) ??
      this.open.begin({
        submitter: task.submitter,
        submission: task.submission,
        tenant: task.tenant,
        priority: task.priority,
        taskClass: control.registry.skills.classNames[(kind.taskClass ?? 0) - 1] ?? '',
        cpuMilli: kind.cpuMilli,
        memoryMib: kind.memoryMib,
        gpuCount: kind.gpuCount,
        gpuMilli: kind.gpuMilli,
        machineCount: kind.machineCount,
        estimateMicros: task.estimateMicros,
        submittedMicros: Math.min(task.submittedMicros, this.nowMicros),
      });
    if (life !== undefined) this.open.number(life, number);
    return life;
  }

  private decisionRow(record: DecisionRecord, life: TaskLife | undefined): void {
    const kernel = this.options.kernel();
    const names = (machine: number): string => this.nameOf(machine);
    const { machines, ranked, reasonCounts, shadowMicros } = record;
    const reasons = reasonCounts.flatMap((count, reason) =>
      count > 0 && reason > 0 ? [`${filterReasons[reason]}:${count}`] : [],
    );
    this.options.sink.add('decisions', {
      time: this.nowMicros,
      run: this.options.run,
      sequence: this.sequence,
      part: this.decisionPart++,
      decision: record.decision,
      submitter: life?.facts.submitter,
      submission: record.submission,
      task: record.task,
      attempt: record.attempt,
      outcome: record.outcome,
      rule: record.rule,
      agent: machines.length > 0 ? names(machines[0] as number) : '',
      agents: machines.map(names).join(' '),
      tenant: life?.facts.tenant,
      task_class: life?.facts.taskClass,
      reasons: reasons.join(', '),
      ranked: ranked.map(({ machine, score }) => `${names(machine)}:${score}`).join(' '),
      feasible: record.feasibleCount,
      ties: record.tieCount,
      propensity: record.propensity,
      policy: policyName(kernel, record.policyVersion) || kernel.control.scheduler.profile.name,
      policy_version: record.policyVersion,
      queue_length: record.queueLength,
      shadow_seconds: shadowMicros >= 0 && Number.isFinite(shadowMicros) ? shadowMicros / microsPerSecond : undefined,
      explored: record.explored === true ? 1 : 0,
      shadow_agent: record.shadow === undefined || record.shadow < 0 ? '' : names(record.shadow),
    });
  }

  private finished(body: TaskFinished): void {
    const life = this.open.ofAttempt(body.attempt);
    if (life === undefined || life.agent !== body.agent) return;
    const { registry } = this.options.kernel().control;
    // The kernel may be ahead: a former incarnation is one that is older than the present one.
    if (body.incarnation < registry.incarnationOf(body.agent)) return;
    const { outcome, serviceMicros, joules, attempt } = body;
    this.links.forget(attempt);
    this.event('finished', life, outcome, serviceMicros / microsPerSecond, joules);
    if (joules !== undefined && joules >= 0)
      this.options.sink.add('energy', {
        time: this.nowMicros,
        run: this.options.run,
        agent: this.nameOf(body.agent),
        source: 'task',
        attempt,
        task: life.task,
        task_class: life.facts.taskClass,
        joules,
        seconds: serviceMicros / microsPerSecond,
      });
    if (outcome === 'completed') {
      this.open.completed(life, serviceMicros, body.queueMicros ?? 0, this.nowMicros);
      this.ended(life, 'completed', joules);
      return;
    }
    this.open.lost(life, this.nowMicros);
    this.perhapsEnded.push(life);
  }

  private lost(life: TaskLife): void {
    this.event('lost', life);
    this.links.forget(life.attempt);
    this.open.lost(life, this.nowMicros);
    this.perhapsEnded.push(life);
  }

  /** The end of a task comes to its submitter: news only where nothing else told of it. */
  private delivered({ subscriber, payload }: DeliverEffect): void {
    const { submission, outcome, task } = payload as Partial<TaskEnded>;
    if (submission === undefined || outcome === undefined || task === undefined) return;
    const submitter = Number(/^submitter\/(\d+)$/.exec(subscriber)?.[1]);
    const life = this.open.find(submitter, submission);
    if (life === undefined) return;
    this.open.number(life, task);
    this.ended(life, outcome);
  }

  private ended(life: TaskLife, outcome: TaskOutcome, joules = Number.NaN): void {
    const { run, sink } = this.options;
    const agent = life.agent >= 0 ? this.nameOf(life.agent) : '';
    this.open.end(life);
    sink.add('tasks', life.ended(run, outcome, agent, joules, this.nowMicros));
    this.event('ended', life, outcome);
  }

  private promotion(row: TelemetryRow<'promotions'> | undefined): void {
    if (row === undefined) return;
    const { run, sink } = this.options;
    sink.add('promotions', { ...row, time: this.nowMicros, run, sequence: this.sequence, part: this.promotionPart++ });
  }

  private settingAnswered(name: string, refusal: string): void {
    const { run, sink } = this.options;
    const row = (): TelemetryRow<'setting_changes'> => ({
      time: this.nowMicros,
      run,
      sequence: this.sequence,
      part: this.settingPart++,
    });
    const { settings } = this.options.kernel();
    if (refusal !== '') {
      const { body } = this;
      const { who, why } = body.kind === 'settingChanged' || body.kind === 'settingsAssigned' ? body : {};
      sink.add('setting_changes', { ...row(), version: settings.version, setting: name, who, why, refusal });
      return;
    }
    for (const { version, atMicros, who, why, changes } of settings.history()) {
      if (version <= this.settingsVersion || atMicros > this.nowMicros) continue;
      this.settingsVersion = version;
      for (const { name: setting, from, to } of changes)
        sink.add('setting_changes', { ...row(), version, setting, value: `${to}`, previous: `${from}`, who, why });
    }
  }

  /** Of the settings before the first input that is heard: the kernel may be ahead of it. */
  private firstVersion(timeMicros: number): number {
    const { settings } = this.options.kernel();
    const later = settings.history().find(({ atMicros }) => atMicros >= timeMicros && atMicros > 0);
    return later === undefined ? settings.version : later.version - 1;
  }

  private event(event: string, life: TaskLife, outcome?: string, serviceSeconds?: number, joules?: number): void {
    const { facts } = life;
    this.options.sink.add('task_events', {
      time: this.nowMicros,
      run: this.options.run,
      sequence: this.sequence,
      part: this.eventPart++,
      event,
      submitter: facts.submitter,
      submission: facts.submission,
      task: life.task,
      attempt: life.attempt,
      agent: life.agent >= 0 ? this.nameOf(life.agent) : '',
      tenant: facts.tenant,
      task_class: facts.taskClass,
      estimate_seconds: facts.estimateMicros / microsPerSecond,
      outcome,
      service_seconds: serviceSeconds,
      joules,
    });
  }

  private nameOf(agent: number): string {
    return this.options.kernel().control.registry.names[agent] ?? `${agent}`;
  }
}
