// The page of one measurement of fidelity: figures, how they were come by, and what they do not say.

import { markdownTable } from '../tables/markdown.ts';
import { type Fidelity, type FidelityOf, fidelityMeasures, simulatedRuns } from './judge-fidelity.ts';

export interface FidelityCircumstances {
  /** The command line that made it. */
  readonly command: string;
  readonly machine: string;
  /** Load average before and after. */
  readonly loads: readonly [number, number];
  readonly share: number | undefined;
  readonly together: boolean;
}

/** Simulated over live less 1, at most this far off. */
export const fidelityGoal = 0.05;

export function meetsGoal({ kinds, offeredLoad }: Fidelity): boolean {
  const { p50, p95 } = (kinds.find(({ kind }) => kind === 'completion') as FidelityOf).measures;
  return offeredLoad >= 0.8 && Math.abs(p50.error) <= fidelityGoal && Math.abs(p95.error) <= fidelityGoal;
}

export function percent(error: number): string {
  return `${error < 0 ? '−' : '+'}${Math.abs(100 * error).toFixed(1)}%`;
}

/** `reversed`: the same runs, calibrated on the second and judged on the first. */
export function fidelityPage(fidelity: Fidelity, reversed: Fidelity, around: FidelityCircumstances): string {
  const { kinds, tasks, offeredLoad } = fidelity;
  const { share, together, loads } = around;
  const millis = (micros: number): string => (micros / 1000).toFixed(1);
  return `# How far the simulation is off

Made by \`${around.command}\` on ${around.machine}, at a load average of ${loads[0].toFixed(1)} before and ${loads[1].toFixed(1)} after.

A live kernel (\`sira start\`, every acknowledgement synced to the disk), agents that are processes and compute without a pause, and a
submitter that offers tasks by the clock, ran twice, with other tasks each time. The simulator was calibrated on the first run and
judged on the second, of which it was told arrivals, requests and estimates alone. Times are the kernel's: from a task's submission
to the record of its result. What is simulated is ${simulatedRuns} runs, each with its own draws from the calibration.
${share === undefined ? '' : `\nEach agent was held to ${share} of a processor by a control group, as containers with a limit are: so the work takes as long on a machine that\nothers use as well. The kernel had the group's weight, and no limit.\n`}${together ? '\nThe two runs went on at the same time, each with a kernel, agents and a submitter of its own, so that what else the machine did\nbefell both.\n' : ''}
${tasks} tasks at an offered load of ${offeredLoad.toFixed(2)}. Goal: p50 and p95 of completion within ${100 * fidelityGoal}% at a load of at least 0.8: ${meetsGoal(fidelity) ? 'met' : 'missed'}.

${markdownTable(
  ['', '', 'live, ms', 'simulated, ms', 'error'],
  kinds.flatMap(({ kind, measures }) =>
    fidelityMeasures.map((measure) => {
      const { live, simulated, error } = measures[measure];
      return [kind, measure, millis(live), millis(simulated), percent(error)];
    }),
  ),
)}

The other way about, calibrated on the second run and judged on the first, at a load of ${reversed.offeredLoad.toFixed(2)}: ${reversed.kinds
    .map(({ kind, measures }) => `${kind} p50 ${percent(measures.p50.error)}, p95 ${percent(measures.p95.error)}`)
    .join('; ')}.

With each task's measured service in place of a draw from its estimate, completion is off by ${percent(fidelity.measuredService.p50)} (p50) and ${percent(fidelity.measuredService.p95)} (p95), the other way
about by ${percent(reversed.measuredService.p50)} and ${percent(reversed.measuredService.p95)}: kernel, queue and messages are modelled so far; what is left is how estimates become service.

![Live and simulated times: the share of tasks that took no longer](fidelity.svg)
`;
}
