// What the kernel tells of a recommendation, as the console reads it, and its words for people.

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Changes are relative; less is better. */
export interface Effect {
  readonly metric: string;
  readonly title: string;
  readonly unit: string;
  readonly present: number;
  readonly changed: number;
  readonly change: Interval;
  /** Of a single window. */
  readonly expected: Interval;
  readonly role: string;
  readonly atMost: number | null;
}

export interface Evidence {
  readonly run: string;
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly tasks: number;
  readonly fidelity: number;
  readonly seeds: readonly number[];
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  readonly digest: string;
  readonly commands: readonly string[];
  readonly assumptions: readonly string[];
}

export interface Realized {
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly tasks: number;
  readonly before: number;
  readonly after: number;
  readonly without: number;
  readonly change: number;
  readonly verdict: string;
  readonly reason: string;
}

export interface Recommendation {
  readonly id: number;
  readonly version: number;
  readonly kind: string;
  readonly state: string;
  readonly progress: number;
  readonly title: string;
  readonly finding: string;
  readonly reasons: readonly string[];
  readonly isWhatIf: boolean;
  readonly change: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
  readonly evidence: Evidence | null;
  readonly risk: { readonly level: string; readonly rule: string } | null;
  readonly means: string;
  readonly steps: readonly string[];
  readonly createdMicros: number;
  readonly expiresMicros: number;
  readonly applied: { readonly atMicros: number; readonly who: string; readonly rollout: number | null } | null;
  readonly realized: Realized | null;
  readonly history: readonly {
    readonly atMicros: number;
    readonly state: string;
    readonly who: string;
    readonly why: string;
  }[];
}

export interface RecommendationPage {
  readonly recommendations: readonly Recommendation[];
  readonly next: number | null;
  readonly analysis: { readonly state: string; readonly atMicros: number; readonly sentence: string };
}

export interface Ledger {
  readonly entries: readonly {
    readonly id: number;
    readonly title: string;
    readonly expected: Interval;
    readonly realized: number;
    readonly covered: boolean;
    readonly outcome: string;
  }[];
  readonly summaries: readonly {
    readonly kind: string;
    readonly count: number;
    readonly coverage: number;
    readonly meanError: number;
    readonly widening: number;
  }[];
}

const words: Readonly<Record<string, string>> = {
  notRecommended: 'not recommended',
  awaitsPerson: 'awaits a person',
  rolledBack: 'rolled back',
  doNothing: 'do nothing',
  cannotTell: 'cannot tell',
  byHand: 'by hand',
};

/** A state, a kind or a means in words. */
export const sayAdvice = (word: string): string => words[word] ?? word;

/** What may be asked of one, by its state. */
export const actionStates = {
  apply: ['recommended', 'awaitsPerson'],
  dismiss: ['simulating', 'recommended', 'notRecommended', 'answered', 'awaitsPerson'],
  rollback: ['applying', 'measuring', 'confirmed', 'unproven'],
  simulate: ['recommended', 'notRecommended', 'expired', 'failed'],
} as const;
export type AdviceAction = keyof typeof actionStates;
