// The metrics of energy: what a run took, what of it was for work, and what sleeping saved and cost. Only of runs with a power model.

import type { EnergyAccount } from '../world/power/machine-meter.ts';
import type { MetricSpec } from './results.ts';

export interface MeasuredEnergy {
  /** What all machines took until the measured window began, and until it ended. */
  readonly begin: EnergyAccount;
  readonly end: EnergyAccount;
  readonly machines: number;
}

const joulesPerKilowattHour = 3_600_000;

/** Only where the scenario has a power model. */
export const energyMetrics: readonly MetricSpec[] = [
  {
    name: 'energyKilowattHours',
    title: 'energy',
    unit: 'kWh',
    better: 'lower',
    description: 'What all machines took in the measured window: idling, work, sleep and waking. Needs `power`.',
  },
  {
    name: 'energyPerTaskJoules',
    title: 'energy per task',
    unit: 'J',
    better: 'lower',
    description: 'What all machines took in the measured window over the tasks that completed in it. Needs `power`.',
  },
  {
    name: 'workEnergyPercent',
    title: 'energy for work',
    unit: '%',
    better: 'higher',
    description: 'Share of the energy that tasks took; the rest went into idling, sleeping and waking. Needs `power`.',
  },
  {
    name: 'asleepPercent',
    title: 'machines asleep',
    unit: '%',
    better: 'neither',
    description: 'Share of the machines that slept, average over the measured window. Needs `power.sleep`.',
  },
  {
    name: 'wakeUps',
    title: 'wake-ups',
    unit: 'machines',
    better: 'neither',
    description: 'Times that a machine was woken in the measured window. Needs `power.sleep`.',
  },
];

/** What the machines took in all. */
export function totalJoules({ idleJoules, workJoules, sleepJoules, wakeJoules }: EnergyAccount): number {
  return idleJoules + workJoules + sleepJoules + wakeJoules;
}

/** `elapsedMicros`: length of the measured window; `completed`: tasks that ended well in it. */
export function measureEnergy(
  energy: MeasuredEnergy | undefined,
  elapsedMicros: number,
  completed: number,
): Record<string, number | null> {
  if (energy === undefined || elapsedMicros === 0)
    return Object.fromEntries(energyMetrics.map(({ name }) => [name, null]));
  const { begin, end, machines } = energy;
  const joules = totalJoules(end) - totalJoules(begin);
  return {
    energyKilowattHours: joules / joulesPerKilowattHour,
    energyPerTaskJoules: completed === 0 ? null : joules / completed,
    workEnergyPercent: joules === 0 ? null : (100 * (end.workJoules - begin.workJoules)) / joules,
    asleepPercent: (100 * (end.asleepMicros - begin.asleepMicros)) / (machines * elapsedMicros),
    wakeUps: end.wakeUps - begin.wakeUps,
  };
}
