// A recommendation as data: what to change, what that is predicted to do and on what evidence, how risky it is, what became of it.
// Everything here is plain JSON: it is what is kept, what goes over HTTP, and what people read.

import type { BackfillRule, PreemptRule, UnplacedRule } from '../../core/scheduler/framework.ts';

/** `doNothing` and `cannotTell` are answers, with their reasons, not gaps. */
export const recommendationKinds = [
  'policy',
  'limits',
  'machines',
  'power',
  'retrain',
  'doNothing',
  'cannotTell',
] as const;
export type RecommendationKind = (typeof recommendationKinds)[number];

/**
 * - `simulating`: waits for the simulator, or is in it (`progress`).
 * - `recommended`: its interval excludes no benefit, its guards hold, and nothing would undo it.
 * - `notRecommended`: simulated, and not worth it, or it would chase itself; the reasons say which.
 * - `answered`: of the kinds `doNothing` and `cannotTell`.
 * - `applying`: a rollout of the policy runs, with its gates and guards.
 * - `awaitsPerson`: somebody must do the steps named; applying it once more says that they are done.
 * - `measuring`: it is in force, and the window in which its effect is measured is not over.
 * - `confirmed`: the realized effect is no worse than the predicted interval allows. `unproven`: it could not be measured.
 * - `reverted`: taken back by itself, because the effect fell outside its interval on the bad side, or the rollout did.
 * - `rolledBack`, `dismissed`: by a person. `expired`: nobody decided in time. `failed`: the simulation could not be run.
 */
export const recommendationStates = [
  'simulating',
  'recommended',
  'notRecommended',
  'answered',
  'applying',
  'awaitsPerson',
  'measuring',
  'confirmed',
  'unproven',
  'reverted',
  'rolledBack',
  'dismissed',
  'expired',
  'failed',
] as const;
export type RecommendationState = (typeof recommendationStates)[number];

export const riskLevels = ['low', 'medium', 'high'] as const;
export type RiskLevel = (typeof riskLevels)[number];

/** Fields of a scheduling policy that advice may change. */
export interface PolicyChange {
  readonly order?: string;
  readonly place?: string;
  readonly unplaced?: UnplacedRule;
  readonly backfill?: BackfillRule;
  readonly overtakeMax?: number;
  readonly preempt?: PreemptRule;
  readonly tenantWeights?: Readonly<Record<string, number>>;
}

export interface MachinesChange {
  /** So many more machines like the most frequent one. */
  readonly add?: number;
  /** Agents by name. */
  readonly remove?: readonly string[];
  /** These agents with so many times their cores and memory. */
  readonly resize?: { readonly agents: readonly string[]; readonly factor: number };
}

/** What is changed; what is left out stays. */
export interface Change {
  readonly policy?: PolicyChange;
  /** Kernel settings by dotted name. */
  readonly settings?: Readonly<Record<string, number>>;
  readonly machines?: MachinesChange;
  /** Machines without work sleep after so long. */
  readonly sleep?: { readonly afterMicros: number };
  /** `durations`: the estimates of run times are corrected by what tasks of each class took lately. */
  readonly retrain?: 'durations';
}

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** What a change does to one metric. Changes are relative: −0.2 is a fifth less. */
export interface Effect {
  readonly metric: string;
  readonly title: string;
  readonly unit: string;
  /** Means over seeds. */
  readonly present: number;
  readonly changed: number;
  /** 95% interval of the mean relative change over the seeds, paired; corrected for the number of candidates. */
  readonly change: Interval;
  /** Where the relative change of a single window will lie with 95%: what the realized effect is held against. */
  readonly expected: Interval;
  readonly role: 'objective' | 'guard';
  /** Guards: a relative change that is surely above this speaks against it; null for objectives. */
  readonly atMost: number | null;
}

/** How anyone can run the simulation again. */
export interface Evidence {
  /** Telemetry that the world was made of. */
  readonly run: string;
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly tasks: number;
  /** As measured in the window, by metric. */
  readonly measured: Readonly<Record<string, number>>;
  /** Simulated over measured objective of the present settings, less 1. */
  readonly fidelity: number;
  readonly seeds: readonly number[];
  /** Scenario files with the SHA-256 of each and of the traces that they name. */
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  /** Of the policy and the settings that were simulated as the present. */
  readonly present: string;
  /** Over the digests of all simulated runs: the same code and files give the same. */
  readonly digest: string;
  readonly commands: readonly string[];
  readonly assumptions: readonly string[];
}

export interface Risk {
  readonly level: RiskLevel;
  /** The rule that says so. */
  readonly rule: string;
}

export const applyMeans = ['settings', 'rollout', 'drain', 'byHand', 'nothing'] as const;
export type ApplyMeans = (typeof applyMeans)[number];

export interface Applied {
  /** When it was in force: its effect is measured from then on. */
  readonly atMicros: number;
  readonly measureUntilMicros: number;
  readonly who: string;
  readonly why: string;
  /** Values of the settings before it, where it changes any. */
  readonly previous: Readonly<Record<string, number>>;
  /** Of the policy, where it changes that. */
  readonly rollout: number | null;
}

/** What became of the objective after it was applied. */
export interface Realized {
  readonly metric: string;
  readonly fromMicros: number;
  readonly untilMicros: number;
  /** Tasks that ended in the window. */
  readonly tasks: number;
  /** As measured, before and after. */
  readonly before: number;
  readonly after: number;
  /** What the metric would have been in the window without the change, by the simulator, corrected by how far it was off before. */
  readonly without: number;
  /** `after` over `without`, less 1, and its 95% interval by the ups and downs of the window. */
  readonly change: number;
  readonly low: number;
  readonly high: number;
  /** `better` and `worse`: beyond doubt outside the expected interval. */
  readonly verdict: 'inside' | 'better' | 'worse' | 'cannotTell';
  readonly reason: string;
}

export interface Step {
  readonly atMicros: number;
  readonly state: RecommendationState;
  readonly who: string;
  readonly why: string;
}

export interface Recommendation {
  readonly id: number;
  /** Counts the changes of this record: its entity tag. */
  readonly version: number;
  readonly kind: RecommendationKind;
  readonly state: RecommendationState;
  /** Of the simulation, 0 to 1. */
  readonly progress: number;
  readonly title: string;
  /** Why it was looked at: what the analysis found. */
  readonly finding: string;
  /** Why it is recommended, or not. */
  readonly reasons: readonly string[];
  /** Whether a person asked for it (`sira recommend what-if`). */
  readonly isWhatIf: boolean;
  readonly change: Change;
  /** The objective first; empty before it was simulated. */
  readonly effects: readonly Effect[];
  readonly evidence: Evidence | null;
  readonly risk: Risk | null;
  readonly means: ApplyMeans;
  /** What a person must do, in order; empty if nothing. */
  readonly steps: readonly string[];
  readonly createdMicros: number;
  readonly updatedMicros: number;
  /** After this it says nothing of the present any more. */
  readonly expiresMicros: number;
  readonly applied: Applied | null;
  readonly realized: Realized | null;
  readonly history: readonly Step[];
}

/** One piece of advice that was followed and measured. */
export interface LedgerEntry {
  readonly id: number;
  readonly kind: RecommendationKind;
  readonly title: string;
  readonly metric: string;
  readonly atMicros: number;
  readonly expected: Interval;
  readonly realized: number;
  readonly covered: boolean;
  readonly verdict: Realized['verdict'];
  readonly outcome: RecommendationState;
}

export interface LedgerSummary {
  /** `all`, or a kind. */
  readonly kind: string;
  readonly count: number;
  /** Share of realized effects within the expected interval; 0.95 is what is promised. */
  readonly coverage: number;
  /** Of realized less expected change: how far predictions are off on average, and how far whichever way. */
  readonly meanError: number;
  readonly meanAbsoluteError: number;
  /** By which new intervals of this kind are widened. */
  readonly widening: number;
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  readonly summaries: readonly LedgerSummary[];
}

/** How the latest analysis stands. */
export interface AnalysisView {
  readonly state: 'none' | 'running' | 'done' | 'failed';
  readonly atMicros: number;
  /** What limits, in a sentence, or why nobody can tell. */
  readonly sentence: string;
}

/** States in which nothing more will happen to a recommendation. */
export const endStates: readonly RecommendationState[] = [
  ...(['notRecommended', 'answered', 'confirmed', 'unproven', 'reverted', 'rolledBack'] as const),
  ...(['dismissed', 'expired', 'failed'] as const),
];
