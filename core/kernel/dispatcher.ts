// Tells leading agents to begin and to stop, and says it again until they answer. It numbers what each incarnation of an agent
// is told to begin, so that a late copy begins nothing twice. Which attempts there are is the scheduler's to say; an answer
// needs no call here: an attempt that has moved on is skipped in its turn.

import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import { RetryQueue } from '../base/retry-queue.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Attempt } from '../scheduler/task.ts';
import type { Dispatch, Stop } from './effects.ts';
import type { KernelSettings } from './kernel-settings.ts';

export interface DispatcherState {
  readonly orders: readonly number[];
  readonly retries: ReturnType<RetryQueue['save']>;
}

export class Dispatcher {
  private readonly attempts: ReadonlyMap<number, Attempt>;
  private readonly registry: AgentRegistry;
  private readonly settings: KernelSettings;
  private readonly emit: (effect: Dispatch | Stop) => void;
  private readonly faults: FaultSwitch;
  /** Attempts that each agent was given to lead in its present incarnation. */
  private readonly orders: number[] = [];
  /** Two questions an attempt: 2 · attempt, has it begun; 2 · attempt + 1, has it stopped. */
  private readonly retries = new RetryQueue();
  private readonly isOpen = (question: number): boolean => {
    const attempt = this.attempts.get(Math.floor(question / 2));
    return attempt !== undefined && attempt.state === (question % 2 === 0 ? 'dispatched' : 'cancelling');
  };

  constructor(
    attempts: ReadonlyMap<number, Attempt>,
    registry: AgentRegistry,
    settings: KernelSettings,
    emit: (effect: Dispatch | Stop) => void,
    faults: FaultSwitch = noFaults,
  ) {
    this.faults = faults;
    this.attempts = attempts;
    this.registry = registry;
    this.settings = settings;
    this.emit = emit;
  }

  /** When {@link repeatDue} has something to say again, `Infinity` if never. */
  get nextRetryMicros(): number {
    return this.retries.nextDeadline(this.isOpen);
  }

  /** The agent has a new incarnation: its orders count from 1 again. */
  incarnationBegan(agent: number): void {
    this.orders[agent] = 0;
  }

  dispatch(attempt: Attempt, nowMicros: number): void {
    const leader = attempt.machines[0] as number;
    attempt.order = (this.orders[leader] as number) + 1;
    this.orders[leader] = attempt.order;
    this.sayBegin(attempt);
    this.askAgain(2 * attempt.attempt, nowMicros);
  }

  /** Its resources are held until the agent answers, or is dead. */
  stop(attempt: Attempt, nowMicros: number): void {
    if (attempt.state === 'cancelling') return;
    attempt.state = 'cancelling';
    this.sayStop(attempt);
    this.askAgain(2 * attempt.attempt + 1, nowMicros);
  }

  repeatDue(nowMicros: number): void {
    while (this.nextRetryMicros <= nowMicros) {
      const question = this.retries.takeDue(nowMicros);
      const attempt = this.attempts.get(Math.floor(question / 2)) as Attempt;
      if (attempt.state === 'dispatched') this.sayBegin(attempt);
      else this.sayStop(attempt);
      this.askAgain(question, nowMicros);
    }
  }

  save(): DispatcherState {
    return { orders: [...this.orders], retries: this.retries.save() };
  }

  restore(state: DispatcherState): void {
    this.orders.push(...state.orders);
    this.retries.restore(state.retries);
  }

  private askAgain(question: number, nowMicros: number): void {
    const retryMicros = this.settings.get('dispatch.retryMicros');
    const isSoon = this.faults.fires('dispatch.repeatSoon');
    this.retries.add(question, nowMicros + (isSoon ? Math.ceil(retryMicros / 32) : retryMicros));
  }

  private sayBegin(attempt: Attempt): void {
    const agent = attempt.machines[0] as number;
    const everyMicros = attempt.task.checkpointMicros;
    const dispatch: Dispatch = {
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
    };
    if (everyMicros === 0) this.emit(dispatch);
    else this.emit({ ...dispatch, checkpoint: { everyMicros, resumeMicros: attempt.resumeMicros } });
  }

  private sayStop(attempt: Attempt): void {
    const agent = attempt.machines[0] as number;
    this.emit({
      kind: 'stop',
      agent,
      incarnation: this.registry.incarnationOf(agent),
      task: attempt.task.task,
      attempt: attempt.attempt,
      order: attempt.order,
    });
  }
}
