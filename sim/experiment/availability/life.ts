// The plan of a study: lives of the fleet by seed, each with its faults and the windows that are played, cut into jobs for
// threads. A plan is data; the same plan has the same jobs and the same results everywhere.

import { microsPerDay, microsPerMinute } from '../../../core/base/time.ts';
import { type DrawnFault, drawFaults } from './draw-faults.ts';
import type { StudySettings } from './fleet.ts';
import type { Life } from './play-window.ts';
import { drawControls, planWindows, type Window } from './windows.ts';

export const yearMicros = 365 * microsPerDay;

export interface LifePlan {
  readonly study: StudySettings;
  readonly seed: number;
  readonly spanMicros: number;
  /** How many times as often everything fails: 1, unless a short span is to hold many faults. */
  readonly acceleration: number;
  /** Stretches of the calm that are played to see that nothing happens there. */
  readonly controls: number;
}

export interface PlannedLife extends Life {
  readonly plan: LifePlan;
  readonly windows: readonly Window[];
  readonly controls: readonly Window[];
}

/** Windows from `first` to before `end` of a life, or its controls. */
export interface LifeJob {
  readonly plan: LifePlan;
  readonly part: 'windows' | 'controls';
  readonly first: number;
  readonly end: number;
}

const controlMicros = 5 * microsPerMinute;
const windowsPerJob = 40;
const controlsPerJob = 40;
/** Windows so far apart never grow into one. */
const gapMicros = microsPerDay;

export function planLife(plan: LifePlan): PlannedLife {
  const { study, seed, spanMicros, acceleration, controls } = plan;
  const faults: DrawnFault[] = drawFaults({ seed, fleet: study.fleet, spanMicros, acceleration });
  const windows = planWindows(faults, spanMicros);
  return {
    plan,
    study,
    seed,
    faults,
    windows,
    controls: drawControls(windows, spanMicros, seed, controls, controlMicros),
  };
}

/** The whole life as one window: what the windows are compared with. */
export function wholeLife({ plan }: PlannedLife): Window {
  return { beginMicros: 0, fromMicros: 0, untilMicros: plan.spanMicros, isControl: false };
}

export function jobsOf({ plan, windows, controls }: PlannedLife): LifeJob[] {
  const jobs: LifeJob[] = [];
  let first = 0;
  windows.forEach((window, index) => {
    const next = windows[index + 1];
    const isApart = next === undefined || next.beginMicros - window.untilMicros >= gapMicros;
    if (next !== undefined && (index + 1 - first < windowsPerJob || !isApart)) return;
    jobs.push({ plan, part: 'windows', first, end: index + 1 });
    first = index + 1;
  });
  for (let at = 0; at < controls.length; at += controlsPerJob)
    jobs.push({ plan, part: 'controls', first: at, end: Math.min(controls.length, at + controlsPerJob) });
  return jobs;
}
