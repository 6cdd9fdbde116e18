// Several environments of one kind stepped together: their candidates' rows lie one environment after the other, and an
// environment whose episode has ended begins the next one at once. Episode seeds come from one stream, in the order in which
// episodes end, so that a run repeats.

import type { RandomState, RandomStream } from '../../core/base/random.ts';
import type { Environment } from './environment.ts';

export interface EndedEpisode {
  /** Undiscounted. */
  readonly reward: number;
  readonly steps: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export class VectorEnvironment {
  readonly environments: readonly Environment[];
  /** By environment, of the last step. */
  readonly rewards: Float64Array;
  readonly ended: Uint8Array;
  readonly truncated: Uint8Array;
  /** Candidates of each, after the last step. */
  readonly counts: Int32Array;
  private readonly stream: RandomStream;
  private readonly episodeRewards: Float64Array;
  private readonly episodeSteps: Int32Array;

  constructor(environments: readonly Environment[], stream: RandomStream) {
    this.environments = environments;
    this.stream = stream;
    const { length } = environments;
    this.rewards = new Float64Array(length);
    this.ended = new Uint8Array(length);
    this.truncated = new Uint8Array(length);
    this.counts = new Int32Array(length);
    this.episodeRewards = new Float64Array(length);
    this.episodeSteps = new Int32Array(length);
  }

  /** Where the stream of episode seeds stands. */
  save(): RandomState {
    return this.stream.save();
  }

  restore(state: RandomState): void {
    this.stream.restore(state);
  }

  /** Begins a new episode everywhere. */
  reset(): void {
    for (let index = 0; index < this.environments.length; index++) this.begin(index);
  }

  /** All candidates' rows at `at`, environment after environment; returns how many there are. */
  observe(out: Float64Array, at = 0): number {
    const width = this.environments[0]!.featureNames.length;
    let rows = 0;
    for (let index = 0; index < this.environments.length; index++) {
      this.environments[index]!.observe(out, at + rows * width);
      rows += this.counts[index]!;
    }
    return rows;
  }

  /** One choice for each. `onTruncated` may look at an environment whose time is up, before its next episode begins. */
  step(
    choices: Int32Array,
    onEnded: (episode: EndedEpisode) => void,
    onTruncated?: (index: number, environment: Environment) => void,
  ): void {
    for (let index = 0; index < this.environments.length; index++) {
      const environment = this.environments[index]!;
      const reward = environment.step(choices[index]!);
      this.rewards[index] = reward;
      this.episodeRewards[index]! += reward;
      this.episodeSteps[index]! += 1;
      this.ended[index] = environment.done ? 1 : 0;
      this.truncated[index] = environment.truncated ? 1 : 0;
      if (!environment.done) {
        this.counts[index] = environment.candidateCount;
        continue;
      }
      onEnded({
        reward: this.episodeRewards[index]!,
        steps: this.episodeSteps[index]!,
        metrics: environment.metrics(),
      });
      if (environment.truncated) onTruncated?.(index, environment);
      this.begin(index);
    }
  }

  private begin(index: number): void {
    const environment = this.environments[index]!;
    environment.reset(this.stream.nextUint32());
    this.counts[index] = environment.candidateCount;
    this.episodeRewards[index] = 0;
    this.episodeSteps[index] = 0;
  }
}
