// What the thread of the simulations is asked and answers: plain data.

import type { WitnessVerdict } from '../../core/policy/rollout.ts';
import type { TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { ErrorParts } from '../../sim/experiment/error-parts.ts';
import type { Candidate } from './candidates.ts';
import type { Configuration } from './configuration.ts';
import type { Effect, Evidence, RecommendationKind, Risk } from './recommendation.ts';

/** How advice is made: the part of the settings that simulations need. */
export interface AdviceRules {
  readonly objective: string;
  readonly tasksMin: number;
  readonly tasksMax: number;
  readonly seeds: number;
  readonly worthShare: number;
  readonly harmShare: number;
  readonly errorMax: number;
}

export interface AnalyseJob {
  readonly kind: 'analyse';
  /** Rows of `tasks` and `agent_load`, each in the order of its key. */
  readonly batches: readonly TelemetryBatch[];
  /** The column `run` of those. */
  readonly run: string;
  readonly present: Configuration;
  readonly rules: AdviceRules;
  /** Of the files of evidence. */
  readonly folder: string;
  /** Simulate these instead of looking for some. */
  readonly candidates?: readonly Candidate[] | undefined;
  readonly widenings: Readonly<Partial<Record<RecommendationKind, number>>>;
}

export interface MeasureJob {
  readonly kind: 'measure';
  readonly batches: readonly TelemetryBatch[];
  /** Tasks that arrived from then on. */
  readonly sinceMicros: number;
  /** As it was before the change. */
  readonly before: Configuration;
  readonly metric: string;
  /** Simulated over measured before the change, less 1. */
  readonly fidelity: number;
  readonly rules: AdviceRules;
  readonly folder: string;
}

export interface GateJob {
  readonly kind: 'gate';
  readonly incumbent: Configuration['policy'];
  readonly candidate: Configuration['policy'];
  /** Folder of the suite. */
  readonly suite: string;
  /** Data folder of the kernel, for the replay gate. */
  readonly journal: string;
}

export type AdviceJob = AnalyseJob | MeasureJob | GateJob;

export interface JudgedCandidate {
  readonly isGood: boolean;
  readonly effects: readonly Effect[];
  readonly reasons: readonly string[];
  readonly evidence: Evidence | null;
  readonly risk: Risk | null;
}

export interface Measured {
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly tasks: number;
  readonly after: number;
  /** 95% interval of it, by the window's own ups and downs; the same as it for what is no mean. */
  readonly afterLow: number;
  readonly afterHigh: number;
  readonly without: number;
}

/** What the gates say, in their order; those after one that does not pass are not asked. */
export type Gated = readonly {
  readonly witness: 'simulation' | 'replay';
  readonly verdict: WitnessVerdict;
  readonly evidence: string;
}[];

/** The last is one of `done`, `measured`, `gated` and `failed`. */
export type AdviceAnswer =
  | {
      readonly kind: 'found';
      readonly sentence: string;
      readonly candidates: readonly Candidate[];
      /** Service over estimate, by class. */
      readonly estimateRatios: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'progress'; readonly index: number; readonly share: number }
  | { readonly kind: 'judged'; readonly index: number; readonly judged: JudgedCandidate }
  | {
      readonly kind: 'done';
      readonly answer: 'advice' | 'doNothing' | 'cannotTell';
      readonly sentence: string;
      readonly reasons: readonly string[];
      readonly evidence: Evidence | null;
    }
  | { readonly kind: 'measured'; readonly measured: Measured | { readonly reason: string } }
  | { readonly kind: 'gated'; readonly gated: Gated }
  | { readonly kind: 'failed'; readonly error: ErrorParts };
