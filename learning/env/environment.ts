// What an environment is: episodes of choices among candidates, whose number may change from step to step. An observation is one
// row of features for each candidate, as the exported policy sees them; everything random comes from the episode's seed. Who
// steps several at once takes vector-environment.ts; that an environment keeps its word is check-environment.ts's business.

export interface Environment {
  readonly name: string;
  /** Who computes the features: the schema of policies trained here. */
  readonly schema: string;
  /** One name a column. */
  readonly featureNames: readonly string[];
  /** Rows of an observation, at most. */
  readonly candidatesMax: number;
  /** Begins the episode of that seed, whatever state the last one was left in. */
  reset(seed: number): void;
  /** Choices that there are now, at least 1 until the episode has ended, and also after it was truncated. */
  readonly candidateCount: number;
  /** The episode has ended; with {@link truncated}, only because its time is up. */
  readonly done: boolean;
  readonly truncated: boolean;
  /** Writes `candidateCount` rows at `at`, row-major. */
  observe(out: Float64Array, at: number): void;
  /** Heuristics that the environment can be asked about. */
  readonly teachers: readonly string[];
  /** The candidate that a heuristic would take now. */
  choiceOf(teacher: string): number;
  /** Takes candidate number `choice`, below `candidateCount`; returns the reward. */
  step(choice: number): number;
  /** What the ended episode amounted to, by name; the first is what training is judged by. */
  metrics(): Readonly<Record<string, number>>;
}
