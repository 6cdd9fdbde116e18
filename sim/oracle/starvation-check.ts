// The promise against starvation: what could be placed is placed. Once an instant is closed, no task waits that fits somewhere and is
// passed over, where the policy holds nothing back for others; and a task that was put off is tried again within the longest wait.

import type { InputBody } from '../../core/kernel/inputs.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { Asking, ClusterModel } from './cluster-model.ts';
import type { Fail } from './violation.ts';

export interface StarvationOptions {
  readonly profile: Pick<Profile, 'unplaced' | 'overtakeMax' | 'backfill'>;
  readonly heartbeat: { readonly intervalMicros: number };
  /** `scheduler.backoffMaxMicros`. */
  readonly backoffMaxMicros: number;
  /** Cycles may end early, and what is left for the next input may be put off by a journal that takes none. */
  readonly mayBeCut: boolean;
}

export class StarvationCheck {
  private readonly model: ClusterModel;
  private readonly fail: Fail;
  private readonly judges: boolean;
  private readonly lateMicros: number;
  private backoffMaxMicros: number;
  private lastMicros = 0;
  private isClosed = false;
  /** Tasks that were put off, and when. */
  private readonly putOff = new Map<number, number>();

  constructor(options: StarvationOptions, model: ClusterModel, fail: Fail) {
    const { unplaced, overtakeMax, backfill } = options.profile;
    this.model = model;
    this.fail = fail;
    this.judges =
      (unplaced === 'skip' || unplaced === 'backoff') && overtakeMax === 0 && backfill === 'none' && !options.mayBeCut;
    this.lateMicros = options.heartbeat.intervalMicros + 1_000_000;
    this.backoffMaxMicros = options.backoffMaxMicros;
  }

  /** The model has settled what was before this input, and knows nothing of this one. */
  inputBegins(input: InputBody, nowMicros: number): void {
    if (nowMicros > this.lastMicros && this.isClosed && input.kind !== 'instantEnded') this.judge(this.lastMicros);
    this.lastMicros = nowMicros;
    this.isClosed = input.kind === 'instantEnded';
    if (input.kind === 'resumed')
      for (const [task, since] of this.putOff) this.putOff.set(task, since + input.pausedMicros);
    if (input.kind === 'heartbeats') this.judgeDelays(nowMicros);
  }

  decided({ task, outcome }: DecisionRecord, nowMicros: number): void {
    if (outcome === 'backs off') this.putOff.set(task, nowMicros);
    else this.putOff.delete(task);
  }

  setTo(backoffMaxMicros: number): void {
    this.backoffMaxMicros = Math.max(this.backoffMaxMicros, backoffMaxMicros);
  }

  private judge(nowMicros: number): void {
    if (!this.judges) return;
    // Many tasks ask for the same.
    const fitting = new Map<WorkloadTask['request'], boolean>();
    for (const { task, submission, of, gang, backedOff } of this.model.waiting()) {
      if (gang !== '' || backedOff) continue;
      const { request } = of;
      let fits = of.skill === undefined ? fitting.get(request) : undefined;
      if (fits === undefined) {
        fits = this.fits(of);
        if (of.skill === undefined) fitting.set(request, fits);
      }
      if (fits)
        this.fail('starvation', `task ${task} waits although it fits, and nothing is kept for others`, nowMicros, {
          task,
          submission,
        });
    }
  }

  private judgeDelays(nowMicros: number): void {
    for (const [number, since] of this.putOff) {
      const task = this.model.tasks.get(number);
      if (task === undefined || task.state !== 'waiting') this.putOff.delete(number);
      else if (nowMicros > since + this.backoffMaxMicros + this.lateMicros) {
        const what = `task ${number} was put off at ${since} µs, and has not been tried since`;
        this.fail('starvation', what, nowMicros, { task: number, submission: task.submission });
      }
    }
  }

  private fits(of: Asking): boolean {
    let count = 0;
    for (const [machine, state] of this.model.machines.entries())
      if (state?.fits(of) === true && this.model.isOpen(machine)) count++;
    return count >= of.request.machineCount;
  }
}
