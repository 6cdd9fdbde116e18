// What `npm run availability` plays: several lives of the fleet, and the same faults under other settings, for a shorter span,
// to see which setting the figures hang on.

import { microsPerSecond } from '../../core/base/time.ts';
import { defaultStudy, type StudySettings } from '../../sim/experiment/availability/fleet.ts';
import { jobsOf, type LifeJob, type LifePlan, planLife, yearMicros } from '../../sim/experiment/availability/life.ts';

export interface StudyOptions {
  readonly years: number;
  /** The first life's; the others follow. */
  readonly seed: number;
  readonly lives: number;
  /** Of the lives under other settings; 0 for none. */
  readonly variantYears: number;
}

export interface Variant {
  readonly name: string;
  readonly plan: LifePlan;
  readonly jobs: readonly LifeJob[];
}

const controlsPerYear = 20;
const second = microsPerSecond;
const heartbeat = (intervalMicros: number, leaseMicros: number): Partial<StudySettings> => ({
  heartbeat: { intervalMicros, leaseMicros },
});
const settings = (changes: StudySettings['settings']): Partial<StudySettings> => ({
  settings: { ...defaultStudy.settings, ...changes },
});

const changes: readonly (readonly [name: string, changes: Partial<StudySettings>])[] = [
  ['lease 6 s', heartbeat(second, 6 * second)],
  ['lease 25 s', heartbeat(second, 25 * second)],
  ['lease 40 s, heartbeats every 10 s', heartbeat(10 * second, 40 * second)],
  ['retry 5 s, slow machines kept', settings({ 'dispatch.retryMicros': 5 * second, 'health.slowFactor': 0 })],
  ['standbys take twice as long', { fleet: { ...defaultStudy.fleet, takeoverFactor: 2 } }],
];

export function planStudy({ years, seed, lives, variantYears }: StudyOptions): {
  readonly lives: readonly Variant[];
  readonly variants: readonly Variant[];
} {
  const make = (name: string, plan: LifePlan): Variant => ({ name, plan, jobs: jobsOf(planLife(plan)) });
  return {
    lives: Array.from({ length: lives }, (_, index) =>
      make(`seed ${seed + index}`, {
        study: defaultStudy,
        seed: seed + index,
        spanMicros: years * yearMicros,
        acceleration: 1,
        controls: controlsPerYear * years,
      }),
    ),
    variants:
      variantYears === 0
        ? []
        : changes.map(([name, change]) =>
            make(name, {
              study: { ...defaultStudy, ...change },
              seed,
              spanMicros: variantYears * yearMicros,
              acceleration: 1,
              controls: 0,
            }),
          ),
  };
}
