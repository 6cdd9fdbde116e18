// Remembers the last events of a run as rows of numbers, cheaply enough to be always on, and tells on demand those that
// concern one task or agent: the causal chain that a violation carries. Inputs and effects that concern nobody are left out.

import { formatDuration } from '../../core/base/time.ts';
import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';
import type { Concerned } from './violation.ts';

const eventNames = [
  'task arrives at the submitter',
  'submitter learns that the task was accepted',
  'submitter learns that the task was refused',
  'submitter takes the end of the task',
  'kernel hears: task submitted',
  'kernel hears: task cancelled',
  'kernel hears: dispatch accepted',
  'kernel hears: completed',
  'kernel hears: failed',
  'kernel hears: stopped',
  'kernel hears: agent says hello',
  'kernel hears: agent drains',
  'kernel hears: agent closed its connection',
  'kernel says: submission accepted',
  'kernel says: submission refused',
  'kernel says: dispatch',
  'kernel says: stop',
  'kernel says: result recorded',
  'kernel says: agent registered',
  'kernel decides: task waits, backs off or is dropped',
  'kernel delivers the end of the task',
  'agent is ready',
  'agent is suspect',
  'agent is dead',
  'agent changes its state',
  'agent gets no new work: it came back too often',
  'agent gets no new work: its results are worse than others’',
  'agent gets new work again',
  'work begins',
  'work completes',
  'work fails',
  'work is stopped',
  'work is lost with its machine',
  'machine hangs',
  'machine goes on',
] as const;

type EventName = (typeof eventNames)[number];
const code = Object.fromEntries(eventNames.map((name, index) => [name, index])) as Readonly<Record<EventName, number>>;

const taskArrives = code['task arrives at the submitter'];
const heardSubmitted = code['kernel hears: task submitted'];
const heardAccepted = code['kernel hears: dispatch accepted'];
const heardCompleted = code['kernel hears: completed'];
const heardFailed = code['kernel hears: failed'];
const heardStopped = code['kernel hears: stopped'];
const saidAccepted = code['kernel says: submission accepted'];
const saidDispatch = code['kernel says: dispatch'];
const saidRecorded = code['kernel says: result recorded'];
const decidedUnplaced = code['kernel decides: task waits, backs off or is dropped'];
const deliversEnd = code['kernel delivers the end of the task'];
const workBegins = code['work begins'];
const workEnds: Readonly<Record<WorkEnd, number>> = {
  completed: code['work completes'],
  failed: code['work fails'],
  stopped: code['work is stopped'],
  lost: code['work is lost with its machine'],
};

// A row: time, event, then whom it concerns, 0 for nobody (agents count from 1 here).
const width = 6;

export class FlightRecorder implements WorldObserver {
  /** Most events that a chain names. */
  private readonly chainMax: number;
  private readonly rows: Float64Array;
  private readonly length: number;
  private count = 0;
  /** Agent number plus 1 by machine; 0 before it registered. */
  private readonly agentOfMachine: number[] = [];
  private readonly machineOfName = new Map<string, number>();

  /** `length`: events remembered. `names`: the machines' names, in the world's order. */
  constructor(names: readonly string[], length = 20_000, chainMax = 40) {
    this.rows = new Float64Array(length * width);
    this.length = length;
    this.chainMax = chainMax;
    names.forEach((name, machine) => {
      this.machineOfName.set(name, machine);
      this.agentOfMachine.push(0);
    });
  }

  taskArrived(submission: number, _task: WorkloadTask, nowMicros: number): void {
    this.note(nowMicros, taskArrives, 0, submission, 0, 0);
  }

  submissionAnswered(submission: number, accepted: boolean, _reason: string, nowMicros: number): void {
    const event = accepted
      ? code['submitter learns that the task was accepted']
      : code['submitter learns that the task was refused'];
    this.note(nowMicros, event, 0, submission, 0, 0);
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    switch (input.kind) {
      case 'taskSubmitted':
        this.note(nowMicros, heardSubmitted, 0, input.submission, 0, 0);
        return;
      case 'dispatchAccepted':
        this.note(nowMicros, heardAccepted, input.task, 0, input.attempt, input.agent + 1);
        return;
      case 'taskFinished': {
        const event =
          input.outcome === 'completed' ? heardCompleted : input.outcome === 'failed' ? heardFailed : heardStopped;
        this.note(nowMicros, event, input.task, 0, input.attempt, input.agent + 1);
        return;
      }
      case 'taskCancelled':
        this.note(nowMicros, code['kernel hears: task cancelled'], 0, input.submission, 0, 0);
        return;
      case 'agentHello':
        this.note(
          nowMicros,
          code['kernel hears: agent says hello'],
          0,
          0,
          0,
          this.agentOfMachine[this.machineOfName.get(input.name) ?? -1] ?? 0,
        );
        return;
      case 'agentDraining':
        this.note(nowMicros, code['kernel hears: agent drains'], 0, 0, 0, input.agent + 1);
        return;
      case 'agentDisconnected':
        this.note(nowMicros, code['kernel hears: agent closed its connection'], 0, 0, 0, input.agent + 1);
        return;
      default:
        return;
    }
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    switch (effect.kind) {
      case 'submissionAccepted':
        this.note(nowMicros, saidAccepted, 0, effect.submission, 0, 0);
        return;
      case 'submissionRefused':
        this.note(nowMicros, code['kernel says: submission refused'], 0, effect.submission, 0, 0);
        return;
      case 'dispatch':
        this.note(nowMicros, saidDispatch, effect.task, effect.submission, effect.attempt, effect.agent + 1);
        return;
      case 'stop':
        this.note(nowMicros, code['kernel says: stop'], effect.task, 0, effect.attempt, effect.agent + 1);
        return;
      case 'resultRecorded':
        this.note(nowMicros, saidRecorded, effect.task, 0, effect.attempt, effect.agent + 1);
        return;
      case 'agentRegistered': {
        const machine = this.machineOfName.get(effect.name);
        if (machine !== undefined) this.agentOfMachine[machine] = effect.agent + 1;
        this.note(nowMicros, code['kernel says: agent registered'], 0, 0, 0, effect.agent + 1);
        return;
      }
      case 'agentStateChanged': {
        const { to } = effect;
        const name =
          to === 'ready' || to === 'suspect' || to === 'dead' ? (`agent is ${to}` as const) : 'agent changes its state';
        this.note(nowMicros, code[name], 0, 0, 0, effect.agent + 1);
        return;
      }
      case 'agentHeld': {
        const name = !effect.held
          ? 'agent gets new work again'
          : effect.cause === 'flapping'
            ? 'agent gets no new work: it came back too often'
            : 'agent gets no new work: its results are worse than others’';
        this.note(nowMicros, code[name], 0, 0, 0, effect.agent + 1);
        return;
      }
      case 'decisionMade':
        if (effect.record.attempt === 0) this.note(nowMicros, decidedUnplaced, effect.record.task, 0, 0, 0);
        return;
      case 'deliver': {
        const end = effect.payload as TaskEnded;
        this.note(nowMicros, deliversEnd, end.task, end.submission, 0, 0);
        return;
      }
      default:
        return;
    }
  }

  workStarted(dispatch: Dispatch, _machines: readonly number[], nowMicros: number): void {
    this.note(nowMicros, workBegins, dispatch.task, dispatch.submission, dispatch.attempt, dispatch.agent + 1);
  }

  workEnded(dispatch: Dispatch, _machines: readonly number[], end: WorkEnd, nowMicros: number): void {
    this.note(nowMicros, workEnds[end], dispatch.task, dispatch.submission, dispatch.attempt, dispatch.agent + 1);
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    this.note(nowMicros, code['submitter takes the end of the task'], end.task, end.submission, 0, 0);
  }

  machineHung(machine: number, hung: boolean, nowMicros: number): void {
    const event = hung ? code['machine hangs'] : code['machine goes on'];
    this.note(nowMicros, event, 0, 0, 0, this.agentOfMachine[machine] ?? 0);
  }

  /** The remembered events that concern the same task, or else the same agent, oldest first: the last `chainMax` of them. */
  chain(concerned: Concerned): string[] {
    const { tasks, submissions, attempts, agents } = this.related(concerned);
    const lines: string[] = [];
    for (
      let position = this.count - 1;
      position >= Math.max(0, this.count - this.length) && lines.length < this.chainMax;
      position--
    ) {
      const at = (position % this.length) * width;
      const [time, event, task, submission, attempt, agent] = this.rows.subarray(at, at + width) as unknown as number[];
      const concerns =
        tasks.has(task as number) ||
        submissions.has(submission as number) ||
        attempts.has(attempt as number) ||
        // Of an agent only what it does as a whole, unless nothing but the agent was named.
        (agents.has(agent as number) &&
          (attempt === 0 || (tasks.size === 0 && submissions.size === 0 && attempts.size === 0)));
      if (!concerns) continue;
      const named = [
        submission === 0 ? '' : `submission ${submission}`,
        task === 0 ? '' : `task ${task}`,
        attempt === 0 ? '' : `attempt ${attempt}`,
        agent === 0 ? '' : `agent ${(agent as number) - 1}`,
      ].filter((part) => part !== '');
      lines.push(`${time} µs (${formatDuration(time as number)})  ${eventNames[event as number]}  ${named.join(', ')}`);
    }
    return lines.reverse();
  }

  /** All names under which the events may mention the same task, and the agents of its attempts. */
  private related(concerned: Concerned): Record<'tasks' | 'submissions' | 'attempts' | 'agents', Set<number>> {
    const setOf = (value: number | undefined): Set<number> =>
      new Set(value === undefined || value === 0 ? [] : [value]);
    const tasks = setOf(concerned.task);
    const submissions = setOf(concerned.submission);
    const attempts = setOf(concerned.attempt);
    const agents = setOf(concerned.agent === undefined ? undefined : concerned.agent + 1);
    // A dispatch ties them all; twice over the ring, since the first find may name what earlier rows have.
    for (let pass = 0; pass < 2; pass++) {
      for (let position = Math.max(0, this.count - this.length); position < this.count; position++) {
        const at = (position % this.length) * width;
        const [task, submission, attempt, agent] = this.rows.subarray(at + 2, at + width) as unknown as [
          number,
          number,
          number,
          number,
        ];
        if (!tasks.has(task) && !submissions.has(submission) && !attempts.has(attempt)) continue;
        if (task !== 0) tasks.add(task);
        if (submission !== 0) submissions.add(submission);
        if (attempt !== 0) attempts.add(attempt);
        if (agent !== 0) agents.add(agent);
      }
    }
    return { tasks, submissions, attempts, agents };
  }

  private note(
    nowMicros: number,
    event: number,
    task: number,
    submission: number,
    attempt: number,
    agent: number,
  ): void {
    const { rows } = this;
    const at = (this.count++ % this.length) * width;
    rows[at] = nowMicros;
    rows[at + 1] = event;
    rows[at + 2] = task;
    rows[at + 3] = submission;
    rows[at + 4] = attempt;
    rows[at + 5] = agent;
  }
}
