// The tasks that have not ended, found by who submitted them, by the kernel's number or by the attempt that runs. It also
// remembers which submissions it has seen, so that one that is answered twice is one task. Bounded: beyond `lengthMax` open
// tasks, further ones are not followed.

import { BoundedMap } from '../base/bounded-map.ts';
import { SequenceWindow } from '../base/sequence-window.ts';
import { type TaskFacts, TaskLife } from './task-life.ts';

const lengthMaxDefault = 2_000_000;
const kindsMax = 10_000;

export class OpenTasks {
  private readonly lengthMax: number;
  private readonly bySubmitter = new Map<number, Map<number, TaskLife>>();
  private readonly byTask = new Map<number, TaskLife>();
  private readonly byAttempt = new Map<number, TaskLife>();
  /** Why a task of each kind was last tried in vain. */
  private readonly reasonOfKind = new BoundedMap<number, string>('kinds of requests', kindsMax);
  private readonly seen = new Map<number, SequenceWindow>();
  private length = 0;

  constructor(lengthMax = lengthMaxDefault) {
    this.lengthMax = lengthMax;
  }

  /** The life of a task that is accepted for the first time, or undefined. */
  begin(facts: TaskFacts): TaskLife | undefined {
    const { submitter, submission } = facts;
    let window = this.seen.get(submitter);
    if (window === undefined) {
      window = new SequenceWindow();
      this.seen.set(submitter, window);
    }
    if (window.look(submission) === 'duplicate' || this.find(submitter, submission) !== undefined) return undefined;
    if (window.look(submission) === 'new') window.note(submission);
    if (this.length >= this.lengthMax) return undefined;
    const life = new TaskLife(facts);
    let own = this.bySubmitter.get(submitter);
    if (own === undefined) {
      own = new Map();
      this.bySubmitter.set(submitter, own);
    }
    own.set(submission, life);
    this.length++;
    return life;
  }

  find(submitter: number, submission: number): TaskLife | undefined {
    return this.bySubmitter.get(submitter)?.get(submission);
  }

  has(life: TaskLife): boolean {
    return this.find(life.facts.submitter, life.facts.submission) === life;
  }

  ofTask(task: number): TaskLife | undefined {
    return this.byTask.get(task);
  }

  ofAttempt(attempt: number): TaskLife | undefined {
    return this.byAttempt.get(attempt);
  }

  /** The kernel's number of it. */
  number(life: TaskLife, task: number): void {
    if (life.task === task) return;
    life.task = task;
    this.byTask.set(task, life);
  }

  /** `kind` is that of its request: tasks of a kind that does not fit are not tried one by one, and wait for the same. */
  placed(life: TaskLife, kind: number, attempt: number, agent: number, nowMicros: number): void {
    this.byAttempt.delete(life.attempt);
    if (life.waitReason === '' && life.facts.submittedMicros < nowMicros)
      life.waitReason = this.reasonOfKind.get(kind) ?? '';
    life.placed(attempt, agent, nowMicros);
    this.byAttempt.set(attempt, life);
  }

  waits(life: TaskLife, kind: number, reasonCounts: readonly number[]): void {
    life.waits(reasonCounts);
    this.reasonOfKind.set(kind, life.waitReason);
  }

  completed(life: TaskLife, serviceMicros: number, queueMicros: number, nowMicros: number): void {
    this.byAttempt.delete(life.attempt);
    life.completed(serviceMicros, queueMicros, nowMicros);
  }

  lost(life: TaskLife, nowMicros: number): void {
    this.byAttempt.delete(life.attempt);
    life.lost(nowMicros);
  }

  /** Those whose attempt the agent leads. */
  ledBy(agent: number): TaskLife[] {
    const led: TaskLife[] = [];
    for (const life of this.byAttempt.values()) if (life.agent === agent) led.push(life);
    return led;
  }

  /** Those that the kernel has a number for. */
  numbered(): Iterable<TaskLife> {
    return this.byTask.values();
  }

  end(life: TaskLife): void {
    const { submitter, submission } = life.facts;
    const own = this.bySubmitter.get(submitter);
    if (own?.delete(submission) === true) this.length--;
    if (own?.size === 0) this.bySubmitter.delete(submitter);
    this.byTask.delete(life.task);
    this.byAttempt.delete(life.attempt);
  }
}
