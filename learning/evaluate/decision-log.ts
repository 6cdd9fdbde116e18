// Reads a record of decisions for off-policy estimates: each placement beside which a candidate decided in the shadow, with its
// propensity, and the slowdown of the task as it came out. Fed with a kernel's inputs and effects, of a journal or a simulated
// run. Each decision is judged in the state that the policy that served had brought about, and as if the next were that policy's again:
// what a candidate would make of a cluster that it has all to itself, the canary must show. A model of outcomes by class of request and machine, learned from the other half of the record, makes the estimates
// doubly robust.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { LoggedDecision } from './off-policy.ts';

interface Open {
  readonly key: string;
  readonly machine: number;
  readonly shadow: number;
  readonly propensity: number;
  readonly submittedMicros: number;
  readonly estimateMicros: number;
}

interface Closed extends Open {
  readonly slowdown: number;
}

export class DecisionLog {
  private readonly floorMicros: number;
  private readonly submitted = new Map<string, { readonly submittedMicros: number; readonly estimateMicros: number }>();
  private readonly byTask = new Map<number, string>();
  private readonly open = new Map<number, Omit<Open, 'submittedMicros' | 'estimateMicros'>>();
  private readonly closed: Closed[] = [];

  /** `slowdownFloorMicros`: estimates below count as this. */
  constructor(slowdownFloorMicros: number) {
    this.floorMicros = slowdownFloorMicros;
  }

  input(body: InputBody, nowMicros: number): void {
    if (body.kind === 'taskSubmitted') {
      const key = `${body.submitter}/${body.submission}`;
      if (!this.submitted.has(key))
        this.submitted.set(key, { submittedMicros: nowMicros, estimateMicros: body.estimateMicros });
    } else if (body.kind === 'taskFinished' && body.outcome === 'completed') this.finished(body.task, nowMicros);
  }

  effect(effect: Effect): void {
    if (effect.kind === 'dispatch') this.byTask.set(effect.task, `${effect.submitter}/${effect.submission}`);
    if (effect.kind !== 'decisionMade') return;
    const { task, outcome, machines, shadow, propensity, kind } = effect.record;
    if (outcome !== 'placed') return;
    // What is placed again owes its outcome to more than one decision.
    if (shadow === undefined || this.byTask.has(task)) this.open.delete(task);
    else this.open.set(task, { key: String(kind), machine: machines[0] as number, shadow, propensity });
  }

  /** In the order in which the tasks ended. */
  decisions(): LoggedDecision[] {
    const models = [0, 1].map((half) => modelOf(this.closed.filter((_, index) => index % 2 === half)));
    return this.closed.map(({ key, machine, shadow, propensity, slowdown }, index) => {
      const guess = models[1 - (index % 2)] as (key: string, machine: number) => number;
      return {
        ...{ propensity, target: machine === shadow ? 1 : 0, outcome: slowdown },
        guessLogged: guess(key, machine),
        guessTarget: guess(key, shadow),
      };
    });
  }

  private finished(task: number, nowMicros: number): void {
    const open = this.open.get(task);
    const key = this.byTask.get(task);
    this.open.delete(task);
    this.byTask.delete(task);
    const submitted = key === undefined ? undefined : this.submitted.get(key);
    if (key !== undefined) this.submitted.delete(key);
    if (open === undefined || submitted === undefined) return;
    const { submittedMicros, estimateMicros } = submitted;
    const slowdown = (nowMicros - submittedMicros) / Math.max(estimateMicros, this.floorMicros);
    this.closed.push({ ...open, submittedMicros, estimateMicros, slowdown });
  }
}

/** Means by request kind and machine, drawn towards the mean of all by five observations' worth. */
function modelOf(closed: readonly Closed[]): (key: string, machine: number) => number {
  const prior = 5;
  const all = closed.reduce((sum, { slowdown }) => sum + slowdown, 0) / Math.max(1, closed.length);
  const cells = new Map<string, { sum: number; count: number }>();
  for (const { key, machine, slowdown } of closed) {
    const cell = cells.get(`${key} ${machine}`) ?? { sum: 0, count: 0 };
    cell.sum += slowdown;
    cell.count++;
    cells.set(`${key} ${machine}`, cell);
  }
  return (key, machine) => {
    const { sum, count } = cells.get(`${key} ${machine}`) ?? { sum: 0, count: 0 };
    return (sum + prior * all) / (count + prior);
  };
}
