// How far a simulated run is from the live one: waiting, service and completion, each by mean and quantiles, with the sorted times
// themselves for a figure.

import type { Profile } from '../../core/scheduler/framework.ts';
import { fitCalibration } from '../../sim/replay/fit-calibration.ts';
import type { RecordedWorld } from '../../sim/replay/recorded-world.ts';
import { quantile, type TaskTimes } from '../../sim/replay/task-times.ts';
import { simulateRecord } from '../../sim/replay/what-if.ts';
import type { Calibration } from '../../sim/world/calibration.ts';

export const fidelityKinds = ['waiting', 'service', 'completion'] as const;
export type FidelityKind = (typeof fidelityKinds)[number];
export const fidelityMeasures = ['mean', 'p50', 'p95', 'p99'] as const;

/** Tasks of this class come before what is measured, and are left out. */
export const warmUpClass = 'warm-up';

/** One run draws what the calibration leaves to chance once; what is expected is told by several together. */
export const simulatedRuns = 10;

export interface FidelityOf {
  readonly kind: FidelityKind;
  /** Ascending, microseconds. */
  readonly live: readonly number[];
  readonly simulated: readonly number[];
  /** By measure: live and simulated, microseconds, and simulated over live less 1. */
  readonly measures: Readonly<
    Record<
      (typeof fidelityMeasures)[number],
      { readonly live: number; readonly simulated: number; readonly error: number }
    >
  >;
}

export interface Fidelity {
  readonly calibration: Calibration;
  readonly tasks: number;
  /** Service of the judged run over the agents' time from its first arrival to its last, 0 to 1. */
  readonly offeredLoad: number;
  readonly kinds: readonly FidelityOf[];
  /** Errors of completion where each task takes what it took live, instead of a draw from its estimate. */
  readonly measuredService: { readonly p50: number; readonly p95: number };
}

/** Calibrated on one run, judged on another, of which the simulator is told arrivals, requests and estimates alone. */
export function judgeFidelity(calibrated: RecordedWorld, judged: RecordedWorld): Fidelity {
  const { calibration } = fitCalibration(calibrated);
  const simulated = Array.from({ length: simulatedRuns }, (_, index) =>
    simulateRecord(judged, judged.profile as Profile, {}, calibration, true, index + 1),
  );
  const known = simulateRecord(judged, judged.profile as Profile, {}, calibration);
  const { p50, p95 } = compare(
    'completion',
    timesOf([judged.times], 'completion'),
    timesOf([known], 'completion'),
  ).measures;
  const live = judged.times.all.filter(({ outcome }) => outcome === 'completed');
  const span = (live.at(-1)?.arrivedMicros ?? 0) - (live[0]?.arrivedMicros ?? 0);
  const cpuMilli = judged.machines.reduce((sum, machine) => sum + machine.cpuMilli, 0);
  const worked = live.reduce(
    (sum, { submitted, serviceMicros }) => sum + submitted.request.cpuMilli * serviceMicros,
    0,
  );
  return {
    calibration,
    tasks: live.length,
    offeredLoad: span === 0 ? 0 : worked / (cpuMilli * span),
    kinds: fidelityKinds.map((kind) => compare(kind, timesOf([judged.times], kind), timesOf(simulated, kind))),
    measuredService: { p50: p50.error, p95: p95.error },
  };
}

function compare(kind: FidelityKind, live: readonly number[], simulated: readonly number[]): FidelityOf {
  const of = (measure: (times: readonly number[]) => number) => {
    const [was, is] = [measure(live), measure(simulated)];
    return { live: was, simulated: is, error: was === 0 ? 0 : is / was - 1 };
  };
  const mean = (times: readonly number[]): number =>
    times.reduce((sum, each) => sum + each, 0) / Math.max(1, times.length);
  return {
    ...{ kind, live, simulated },
    measures: {
      mean: of(mean),
      p50: of((times) => quantile(times, 0.5)),
      p95: of((times) => quantile(times, 0.95)),
      p99: of((times) => quantile(times, 0.99)),
    },
  };
}

function timesOf(runs: readonly TaskTimes[], kind: FidelityKind): number[] {
  const times = runs
    .flatMap(({ all }) => all)
    .flatMap(({ outcome, arrivedMicros, endedMicros, serviceMicros }) => {
      if (outcome !== 'completed' || endedMicros < 0) return [];
      if (kind === 'service') return [serviceMicros];
      const completionMicros = endedMicros - arrivedMicros;
      return [kind === 'completion' ? completionMicros : Math.max(0, completionMicros - serviceMicros)];
    });
  return times.sort((left, right) => left - right);
}
