// Submissions become tasks here, each once however often it is sent; what is not taken is told why, and told the same again. When the
// queue is full, who is more important takes the place of who is less, and whoever is sent away hears when to come again. Which
// task waits where, and what becomes of it, is the scheduler's and the control machine's.

import type { FaultSwitch } from '../base/fault-points.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Task } from '../scheduler/task.ts';
import { submissionProblem } from './admission.ts';
import type { ControlOutput } from './control-output.ts';
import type { TaskSubmitted } from './inputs.ts';
import type { KernelSettings } from './kernel-settings.ts';
import { RetryAdvice, type RetryAdviceState } from './retry-advice.ts';
import { SheddableTasks } from './sheddable-tasks.ts';
import { SubmissionLedger, type SubmissionLedgerState } from './submission-ledger.ts';
import { submittedTask } from './submitted-task.ts';

export type SavedSubmitters = readonly ({ readonly submitter: number } & SubmissionLedgerState)[];

/** What becomes of tasks besides. */
export interface TaskOwner {
  /** A new task, before it is queued. */
  arrives(task: Task, nowMicros: number): void;
  /** A waiting task is given up for a more important one. */
  sheds(task: Task): void;
}

/** Submitters that are looked at for one that may be forgotten. */
const looksMax = 64;

export class TaskIntake {
  /** Those that are known. There is a bound: see decision 0022. */
  readonly submitters = new Map<number, SubmissionLedger>();
  /** Tasks taken so far: the number of the last one. */
  taskCount = 0;
  private readonly tasks: Map<number, Task>;
  private readonly scheduler: Scheduler;
  private readonly registry: AgentRegistry;
  private readonly settings: KernelSettings;
  private readonly output: ControlOutput;
  private readonly faults: FaultSwitch;
  private readonly sheddable = new SheddableTasks();
  readonly advice = new RetryAdvice();

  private readonly owner: TaskOwner;

  /** `tasks`: the table that new ones go into. */
  constructor(
    tasks: Map<number, Task>,
    scheduler: Scheduler,
    registry: AgentRegistry,
    settings: KernelSettings,
    output: ControlOutput,
    faults: FaultSwitch,
    owner: TaskOwner,
  ) {
    this.owner = owner;
    this.tasks = tasks;
    this.scheduler = scheduler;
    this.registry = registry;
    this.settings = settings;
    this.output = output;
    this.faults = faults;
  }

  submitted(input: TaskSubmitted, nowMicros: number): void {
    const { submitter, submission } = input;
    // Whom there is no room for is not answered, and asks again.
    if (!this.meet(submitter, nowMicros)) return;
    const ledger = this.submitters.get(submitter) as SubmissionLedger;
    if (!ledger.hasEnds) {
      ledger.hasEnds = true;
      this.output.openEnds(submitter);
    }
    const seen = ledger.look(submission, input.settled);
    if (seen === 'new') {
      const problem = submissionProblem(input, this.scheduler.cluster.models);
      const isFull =
        this.scheduler.queueLength >= this.settings.get('scheduler.queueLengthMax') ||
        this.faults.fires('admission.full');
      if (problem !== undefined || (isFull && !this.makeRoom(input.priority))) {
        if (!ledger.noteRefused(submission)) return;
        if (problem === undefined) this.advice.sendAway(this.scheduler.attemptsBegun, nowMicros);
        this.refuse(input);
        return;
      }
      ledger.noteAccepted(submission);
      const task = this.take(input, nowMicros);
      this.output.emit({ kind: 'submissionAccepted', submitter, submission, task });
      return;
    } else if (seen === 'tooFarAhead' || seen === 'settled') {
      return;
    } else if (seen === 'refused') {
      this.refuse(input);
      return;
    }
    this.output.emit({ kind: 'submissionAccepted', submitter, submission });
  }

  /** A submitter is heard of; false if there is no room for another one. */
  meet(submitter: number, nowMicros: number): boolean {
    let ledger = this.submitters.get(submitter);
    if (ledger === undefined) {
      const isFull = this.submitters.size >= this.settings.get('submissions.submittersMax');
      if (isFull && !this.forgetOne(nowMicros)) return false;
      ledger = new SubmissionLedger();
      this.submitters.set(submitter, ledger);
    }
    ledger.heardMicros = nowMicros;
    return true;
  }

  /** One of its tasks has ended. */
  ended({ submitter }: Task, nowMicros: number): void {
    const ledger = this.submitters.get(submitter) as SubmissionLedger;
    ledger.openTasks--;
    ledger.heardMicros = nowMicros;
  }

  save(): SavedSubmitters {
    return [...this.submitters].map(([submitter, ledger]) => ({ submitter, ...ledger.save() }));
  }

  /** After the tasks. */
  restore(saved: SavedSubmitters, taskCount: number, advice: RetryAdviceState | undefined): void {
    for (const task of this.tasks.values()) this.sheddable.note(task);
    this.advice.restore(advice);
    for (const { submitter, ...state } of saved) this.submitters.set(submitter, SubmissionLedger.restored(state));
    this.taskCount = taskCount;
    for (const { submitter } of this.tasks.values()) (this.submitters.get(submitter) as SubmissionLedger).openTasks++;
  }

  /** Forgets a submitter of whom nothing is left to do and nothing was heard for long, if a look at some of them finds one; those who
   *  stay are looked at again after all others. */
  private forgetOne(nowMicros: number): boolean {
    const idleSinceMicros = nowMicros - this.settings.get('submissions.idleMicros');
    const some: [number, SubmissionLedger][] = [];
    for (const entry of this.submitters) if (some.push(entry) === looksMax) break;
    for (const [submitter, ledger] of some) {
      this.submitters.delete(submitter);
      const isIdle = ledger.openTasks === 0 && ledger.heardMicros <= idleSinceMicros;
      if (isIdle && this.output.forgetEnds(submitter)) return true;
      this.submitters.set(submitter, ledger);
    }
    return false;
  }

  /** Gives up the least important waiting task, if it is less important than this and that makes room. */
  private makeRoom(priority: number): boolean {
    if (this.scheduler.queueLength > this.settings.get('scheduler.queueLengthMax')) return false;
    const task = this.sheddable.lowest(priority);
    if (task === undefined) return false;
    this.owner.sheds(task);
    return true;
  }

  /** Returns the number of the task. */
  private take(input: TaskSubmitted, nowMicros: number): number {
    const taskClass = this.registry.skills.internClass(input.taskClass ?? '');
    const { kinds } = this.scheduler;
    if (kinds.isCrowded) {
      kinds.keepOnly(new Set(Array.from(this.tasks.values(), (known) => known.kind)));
      this.scheduler.parts.queue.forgetEmpty();
    }
    const kind = kinds.intern(input.request, taskClass, input.skill);
    const task = submittedTask(input, ++this.taskCount, kind, nowMicros);
    this.tasks.set(task.task, task);
    (this.submitters.get(input.submitter) as SubmissionLedger).openTasks++;
    this.owner.arrives(task, nowMicros);
    this.sheddable.note(task);
    if (input.gang === undefined) this.scheduler.enqueue(task, nowMicros);
    else this.scheduler.enqueueMember(task, input.gang, nowMicros);
    return task.task;
  }

  private refuse(input: TaskSubmitted): void {
    const { submitter, submission } = input;
    const problem = submissionProblem(input, this.scheduler.cluster.models);
    const reason = problem ?? `${this.settings.get('scheduler.queueLengthMax')} tasks wait already`;
    const code = problem === undefined ? 'SIRA_QUEUE_FULL' : 'SIRA_MESSAGE_REFUSED';
    const retry = problem === undefined ? { retryAfterMicros: this.advice.micros } : {};
    this.output.emit({ kind: 'submissionRefused', submitter, submission, code, reason, ...retry });
  }
}
