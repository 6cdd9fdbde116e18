// An analysis from rows to advice: the window is read, the present is simulated and held against what was measured, candidates follow
// from what limits, each is simulated beside the present on the same seeds, and what is good is asked whether it would stay. Where
// there are too few rows, or the simulator does not explain them, the answer is that nobody can tell.

import { SiraError } from '../../core/base/errors.ts';
import { partsOf } from '../../sim/experiment/error-parts.ts';
import { bootstrapMean } from '../evaluate/bootstrap.ts';
import type { AdviceAnswer, AdviceJob, AnalyseJob, JudgedCandidate, MeasureJob } from './advice-job.ts';
import { type Candidate, candidatesOf, meansOf, natureOf } from './candidates.ts';
import { changed, keyOf } from './configuration.ts';
import { gatePolicy } from './gate-policy.ts';
import { judgeChange, percent, riskOf } from './judge-change.ts';
import { readWindow } from './recorded-window.ts';
import { rulesFor, whyItTurnsBack } from './settles.ts';
import type { SimulatedRuns } from './simulate-configuration.ts';
import { SimulatedWorld } from './simulated-world.ts';

/** Neighbours share a queue: a window is resampled in so many blocks. */
const blocks = 10;

type Tell = (answer: AdviceAnswer) => void;

/** Does the job; tells what it finds as it finds it. Never throws. */
export async function doJob(job: AdviceJob, tell: Tell): Promise<void> {
  try {
    switch (job.kind) {
      case 'analyse':
        await analyse(job, tell);
        return;
      case 'measure':
        tell({ kind: 'measured', measured: await measure(job) });
        return;
      case 'gate':
        tell({ kind: 'gated', gated: await gatePolicy(job) });
        return;
    }
  } catch (error) {
    tell({ kind: 'failed', error: partsOf(error) });
  }
}

async function analyse(job: AnalyseJob, tell: Tell): Promise<void> {
  const { rules, present } = job;
  const cannotTell = (sentence: string, reasons: readonly string[] = []): void =>
    tell({ kind: 'done', answer: 'cannotTell', sentence, reasons, evidence: null });
  const window = readWindow(job.batches, rules.tasksMax);
  const completed = window?.completed ?? 0;
  if (window === undefined || completed < rules.tasksMin)
    return cannotTell(
      `${completed} tasks completed in the window: fewer than the ${rules.tasksMin} that are asked for`,
    );
  if (present.machines.length === 0) return cannotTell('no agent is alive');
  const world = new SimulatedWorld(window, job.run, job.folder, rules.seeds);
  const before = await world.runs(present);
  // Seed 0 is the window as it was.
  const simulated = before.metrics[rules.objective]?.[0] ?? null;
  const measured = window.metrics[rules.objective] ?? 0;
  if (simulated === null || measured <= 0) return cannotTell(`${rules.objective} is not known of the window`);
  const fidelity = simulated / measured - 1;
  if (Math.abs(fidelity) > rules.errorMax)
    return cannotTell(
      `the simulator makes ${simulated.toPrecision(3)} s of a measured ${rules.objective} of ${measured.toPrecision(3)} s: it does not explain this fleet`,
    );
  const { bottlenecks } = window;
  const candidates = job.candidates ?? candidatesOf(present, world.findings(bottlenecks));
  tell({ kind: 'found', sentence: bottlenecks.limit.sentence, candidates, estimateRatios: window.estimateRatios });
  const analysis: Analysis = { job, world, fidelity, before, count: candidates.length };
  let good = 0;
  for (const [index, candidate] of candidates.entries()) {
    const progress = (share: number): void => tell({ kind: 'progress', index, share });
    const judged = await judgeCandidate(analysis, candidate, progress).catch((error) => {
      // What no scenario may say is no advice; a defect is no judgement.
      if (!(error instanceof SiraError)) throw error;
      return refused(error.message);
    });
    if (judged.isGood) good++;
    tell({ kind: 'judged', index, judged });
  }
  const evidence = world.evidence([present], fidelity);
  const reasons = [
    `the simulator is off by ${percent(fidelity)} on the window`,
    candidates.length === 0
      ? 'nothing that the rules know of would be worth a try'
      : `of ${candidates.length} candidates that were simulated ${good === 0 ? 'none' : good} is worth doing`,
  ];
  const answer = good > 0 ? ('advice' as const) : ('doNothing' as const);
  tell({ kind: 'done', answer, sentence: bottlenecks.limit.sentence, reasons, evidence });
}

interface Analysis {
  readonly job: AnalyseJob;
  readonly world: SimulatedWorld;
  readonly fidelity: number;
  /** The present, on all seeds. */
  readonly before: SimulatedRuns;
  /** Candidates that are looked at together. */
  readonly count: number;
}

function refused(reason: string): JudgedCandidate {
  return { isGood: false, effects: [], reasons: [reason], evidence: null, risk: null };
}

async function judgeCandidate(
  { job: { present, rules, widenings }, world, fidelity, before, count }: Analysis,
  candidate: Candidate,
  progress: (share: number) => void,
): Promise<JudgedCandidate> {
  const configuration = changed(present, candidate.change);
  if (typeof configuration === 'string') return refused(configuration);
  if (keyOf(configuration) === keyOf(present)) return refused('it is so already');
  const misfits = world.misfits(present, configuration);
  if (misfits !== '') return refused(misfits);
  const rulesOf = (change: Candidate['change']) =>
    rulesFor(change, { ...rules, candidates: count, fidelity }, widenings);
  // The last tenth is whether it stays.
  const after = await world.runs(configuration, (share) => progress(0.9 * share));
  const judgement = judgeChange(before, after, rulesOf(candidate.change));
  const { savesEnergy } = natureOf(candidate.change);
  const takesAway = savesEnergy && candidate.change.machines !== undefined;
  const common = {
    effects: judgement.effects,
    evidence: world.evidence([present, configuration], fidelity),
    risk: riskOf(meansOf(candidate.change), judgement.effects, fidelity, takesAway),
  };
  if (!judgement.isGood) return { ...common, isGood: false, reasons: judgement.reasons };
  const back = await whyItTurnsBack(world, present, candidate, rulesOf);
  if (back !== '') return { ...common, isGood: false, reasons: [back, ...judgement.reasons] };
  return { ...common, isGood: true, reasons: judgement.reasons };
}

/** The window after a change, as it was, and as it would have been without: simulated, and corrected by how far the simulator was off. */
async function measure({ batches, sinceMicros, before, metric, fidelity, rules, folder }: MeasureJob) {
  const window = readWindow(batches, rules.tasksMax, sinceMicros);
  const completed = window?.completed ?? 0;
  if (window === undefined || completed < rules.tasksMin)
    return { reason: `${completed} tasks completed since: fewer than the ${rules.tasksMin} that are asked for` };
  const after = window.metrics[metric];
  if (after === undefined) return { reason: `${metric} is not measured of live agents` };
  const world = new SimulatedWorld(window, '', folder, 1);
  const simulated = (await world.runs(before)).metrics[metric]?.[0] ?? null;
  if (simulated === null) return { reason: `${metric} is not known of the simulated window` };
  const { fromMicros, untilMicros } = window;
  const series = window.series[metric] ?? [];
  const { low, high } = bootstrapMean(series, { blockLength: Math.max(1, Math.floor(series.length / blocks)) }) ?? {
    ...{ low: after, high: after },
  };
  const facts = { fromMicros, untilMicros, tasks: completed, after, afterLow: low, afterHigh: high };
  return { ...facts, without: simulated / (1 + fidelity) };
}
