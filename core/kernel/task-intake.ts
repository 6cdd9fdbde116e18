// Submissions become tasks here, each once however often it is sent; what is not taken is told why, and told the same again. Which
// task waits where, and what becomes of it, is the scheduler's and the control machine's.

import type { FaultSwitch } from '../base/fault-points.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Task } from '../scheduler/task.ts';
import { submissionProblem } from './admission.ts';
import type { ControlOutput } from './control-output.ts';
import type { TaskSubmitted } from './inputs.ts';
import type { KernelSettings } from './kernel-settings.ts';
import { SubmissionLedger, type SubmissionLedgerState } from './submission-ledger.ts';
import { submittedTask } from './submitted-task.ts';

export type SavedSubmitters = readonly ({ readonly submitter: number } & SubmissionLedgerState)[];

export class TaskIntake {
  readonly submitters = new Map<number, SubmissionLedger>();
  /** Tasks taken so far: the number of the last one. */
  taskCount = 0;
  private readonly tasks: Map<number, Task>;
  private readonly scheduler: Scheduler;
  private readonly registry: AgentRegistry;
  private readonly settings: KernelSettings;
  private readonly output: ControlOutput;
  private readonly faults: FaultSwitch;

  private readonly arrives: (task: Task, nowMicros: number) => void;

  /** `tasks`: the table that new ones go into. `arrives` hears of each before it is queued. */
  constructor(
    tasks: Map<number, Task>,
    scheduler: Scheduler,
    registry: AgentRegistry,
    settings: KernelSettings,
    output: ControlOutput,
    faults: FaultSwitch,
    arrives: (task: Task, nowMicros: number) => void,
  ) {
    this.arrives = arrives;
    this.tasks = tasks;
    this.scheduler = scheduler;
    this.registry = registry;
    this.settings = settings;
    this.output = output;
    this.faults = faults;
  }

  submitted(input: TaskSubmitted, nowMicros: number): void {
    const { submitter, submission } = input;
    let ledger = this.submitters.get(submitter);
    if (ledger === undefined) {
      ledger = new SubmissionLedger();
      this.submitters.set(submitter, ledger);
      this.output.openEnds(submitter);
    }
    const seen = ledger.look(submission, input.settled);
    if (seen === 'new') {
      const isFull =
        this.scheduler.queueLength >= this.settings.get('scheduler.queueLengthMax') ||
        this.faults.fires('admission.full');
      if (isFull || submissionProblem(input, this.scheduler.cluster.models) !== undefined) {
        if (ledger.noteRefused(submission)) this.refuse(input);
        return;
      }
      ledger.noteAccepted(submission);
      this.take(input, nowMicros);
    } else if (seen === 'tooFarAhead' || seen === 'settled') {
      return;
    } else if (seen === 'refused') {
      this.refuse(input);
      return;
    }
    this.output.emit({ kind: 'submissionAccepted', submitter, submission });
  }

  save(): SavedSubmitters {
    return [...this.submitters].map(([submitter, ledger]) => ({ submitter, ...ledger.save() }));
  }

  restore(saved: SavedSubmitters, taskCount: number): void {
    for (const { submitter, ...state } of saved) this.submitters.set(submitter, SubmissionLedger.restored(state));
    this.taskCount = taskCount;
  }

  private take(input: TaskSubmitted, nowMicros: number): void {
    const taskClass = this.registry.skills.internClass(input.taskClass ?? '');
    const kind = this.scheduler.kinds.intern(input.request, taskClass, input.skill);
    const task = submittedTask(input, ++this.taskCount, kind, nowMicros);
    this.tasks.set(task.task, task);
    this.arrives(task, nowMicros);
    if (input.gang === undefined) this.scheduler.enqueue(task, nowMicros);
    else this.scheduler.enqueueMember(task, input.gang, nowMicros);
  }

  private refuse(input: TaskSubmitted): void {
    const { submitter, submission } = input;
    const problem = submissionProblem(input, this.scheduler.cluster.models);
    const reason = problem ?? `${this.settings.get('scheduler.queueLengthMax')} tasks wait already`;
    const code = problem === undefined ? 'SIRA_QUEUE_FULL' : 'SIRA_MESSAGE_REFUSED';
    this.output.emit({ kind: 'submissionRefused', submitter, submission, code, reason });
  }
}
