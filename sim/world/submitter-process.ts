// The simulated submitter: a process that runs the client library, and an application with a disk of its own, on which stands what it
// must not forget: tasks whose answer it does not know, and those that it wants no longer. The process may die and come back.

import type { FaultSwitch } from '../../core/base/fault-points.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import { SubmitterClient, type ToSubmitter } from '../../core/client/submitter-client.ts';
import type { TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody, TaskSubmitted } from '../../core/kernel/inputs.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import type { WorkloadTask } from '../workload/workload.ts';

/** What the submitter needs of the world around it. */
export interface SubmitterWorld {
  readonly simulation: Simulation;
  submitterSays(message: InputBody): void;
  answered(submission: number, accepted: boolean, reason: string): void;
  /** Called once a task. */
  taskEnded(end: TaskEnded): void;
  /** True until the end of the task is known. */
  isOpen(submission: number): boolean;
}

export class SubmitterProcess {
  private readonly world: SubmitterWorld;
  private readonly retryMicros: number;
  private readonly faults: FaultSwitch;
  private readonly wakeHandler: number;
  private client: SubmitterClient | undefined;
  /** By submission. */
  private readonly unanswered = new Map<number, WorkloadTask>();
  private readonly unwanted = new Set<number>();
  private submissionCount = 0;
  private formerDeferrals = 0;
  private wasAway = false;

  constructor(world: SubmitterWorld, retryMicros: number, faults: FaultSwitch) {
    this.world = world;
    this.retryMicros = retryMicros;
    this.faults = faults;
    const { simulation } = world;
    this.wakeHandler = simulation.defineHandler('submitter wakes', () => this.client?.wake(simulation.nowMicros));
  }

  /** Times that it was told to come again later. */
  get deferralCount(): number {
    return this.formerDeferrals + (this.client?.deferralCount ?? 0);
  }

  /** Begins, or comes back, and then sends again whatever it knows no answer for. The kernel tells what it has taken, and every end
   *  that was not acknowledged. */
  start(): void {
    if (this.client !== undefined) return;
    const now = this.world.simulation.nowMicros;
    const client = this.createClient();
    this.client = client;
    if (this.submissionCount > 0) client.resume(this.submissionCount, 0);
    client.start(now);
    for (const [submission, task] of this.unanswered) {
      const { request, estimateMicros, priority, tenant } = task;
      client.submitAgain({ submission, request, estimateMicros, priority, tenant, ...moreOf(task) }, now);
    }
    for (const submission of this.unwanted) client.cancel(submission, now);
  }

  /** The process dies, with all that the client remembers. Tasks go on coming; they are sent when it is back. */
  crash(): void {
    this.formerDeferrals += this.client?.deferralCount ?? 0;
    this.client = undefined;
    this.wasAway = true;
  }

  /** Its connection broke, and there is another one. */
  reconnect(): void {
    this.client?.reconnected(this.world.simulation.nowMicros);
  }

  /** Tasks come as 1, 2, 3 …; the answer comes with a later event. */
  submit(task: WorkloadTask): void {
    this.unanswered.set(++this.submissionCount, task);
    const { request, estimateMicros, priority, tenant } = task;
    const { nowMicros } = this.world.simulation;
    this.client?.submit(request, estimateMicros, priority, tenant, nowMicros, moreOf(task));
  }

  cancel(submission: number): void {
    this.unwanted.add(submission);
    this.client?.cancel(submission, this.world.simulation.nowMicros);
  }

  receive(message: ToSubmitter): void {
    this.client?.receive(message, this.world.simulation.nowMicros);
  }

  private createClient(): SubmitterClient {
    const { simulation } = this.world;
    return new SubmitterClient(
      {
        submitter: 1,
        retryMicros: this.retryMicros,
        acknowledgeEvery: 64,
        acknowledgeMicros: 5 * microsPerSecond,
      },
      {
        send: (message) => this.world.submitterSays(message),
        wakeAt: (timeMicros) => {
          simulation.schedule(timeMicros, eventPriority.timer, this.wakeHandler, 0, undefined);
        },
        answered: (submission, accepted, reason) => {
          this.unanswered.delete(submission);
          if (!accepted) this.unwanted.delete(submission);
          this.world.answered(submission, accepted, reason);
        },
        ended: (end) => {
          this.unwanted.delete(end.submission);
          // One that was away is told again of ends that it had not acknowledged; its application knows them.
          if (!this.wasAway || this.world.isOpen(end.submission)) this.world.taskEnded(end);
        },
      },
      this.faults,
    );
  }
}

/** What only some tasks say to the kernel. */
function moreOf({
  checkpointMicros,
  gang,
  taskClass,
  size,
  skill,
}: WorkloadTask): Pick<TaskSubmitted, 'checkpointMicros' | 'gang' | 'taskClass' | 'size' | 'skill'> {
  const isPlain =
    checkpointMicros === undefined && gang === undefined && taskClass === undefined && skill === undefined;
  return isPlain ? {} : { checkpointMicros, gang, taskClass, size, skill };
}
