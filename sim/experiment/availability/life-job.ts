// Plays the windows of one job, one after the other. Jobs and results are plain data and cross to worker threads and back; a
// thread keeps the life that it planned last, since its next job is most likely of the same.

import { assert } from '../../../core/base/assert.ts';
import { type LifeJob, type PlannedLife, planLife } from './life.ts';
import { type PlayedWindow, playWindow } from './play-window.ts';

export interface LifeJobResult {
  readonly windows: readonly PlayedWindow[];
}

export class LifeJobRunner {
  private life: PlannedLife | undefined;
  private planText = '';

  run({ plan, part, first, end }: LifeJob): LifeJobResult {
    const planText = JSON.stringify(plan);
    if (this.life === undefined || this.planText !== planText) this.life = planLife(plan);
    this.planText = planText;
    const { life } = this;
    const windows: PlayedWindow[] = [];
    for (let at = first; at < end; ) {
      // A control is alone: what it meets would be a fault of the plan.
      const stretch =
        part === 'controls' ? [life.controls[at] as (typeof life.controls)[number]] : life.windows.slice(at, end);
      const { played, count } = playWindow(life, stretch);
      windows.push(played);
      at += count;
    }
    const next = part === 'windows' ? life.windows[end] : undefined;
    const last = windows.at(-1) as PlayedWindow;
    assert(next === undefined || last.untilMicros < next.beginMicros, 'windows of two jobs stay apart');
    return { windows };
  }
}
