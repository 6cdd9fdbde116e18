// Separable CMA-ES: a population is drawn around a mean with a deviation of its own for every parameter, the better half pulls mean and
// deviations towards itself. For whole runs that are cheap and give one number: no gradient, no values of states, no credit of single
// decisions. Source: Hansen and Ostermeier, "Completely Derandomized Self-Adaptation in Evolution Strategies", Evolutionary Computation
// 9(2), 2001, with the diagonal covariance of Ros and Hansen, "A Simple Modification in CMA-ES Achieving Linear Time and Space
// Complexity", PPSN 2008; constants of Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772.

import { type RandomState, RandomStream } from '../../core/base/random.ts';
import { sampleNormal } from '../../sim/engine/distributions.ts';

export interface EvolutionState {
  readonly mean: readonly number[];
  readonly variances: readonly number[];
  readonly path: readonly number[];
  readonly sigmaPath: readonly number[];
  readonly sigma: number;
  readonly generation: number;
  readonly random: RandomState;
}

export class SeparableCmaEs {
  readonly mean: Float64Array;
  sigma: number;
  generation = 0;
  private readonly population: number;
  private readonly variances: Float64Array;
  private readonly path: Float64Array;
  private readonly sigmaPath: Float64Array;
  private readonly random: RandomStream;
  private readonly weights: readonly number[];
  private readonly effective: number;
  private readonly pathRate: number;
  private readonly sigmaRate: number;
  private readonly damping: number;
  private readonly rankOne: number;
  private readonly rankMany: number;
  private readonly expectedLength: number;

  /** `mean`: where to begin; `sigma`: deviation of each parameter at first. */
  constructor(mean: readonly number[], sigma: number, population: number, seed: number) {
    const dimension = mean.length;
    this.mean = Float64Array.from(mean);
    this.sigma = sigma;
    this.population = population;
    this.variances = new Float64Array(dimension).fill(1);
    this.path = new Float64Array(dimension);
    this.sigmaPath = new Float64Array(dimension);
    this.random = new RandomStream(seed, 'evolution');
    const parents = Math.floor(population / 2);
    const raw = Array.from({ length: parents }, (_, rank) => Math.log((population + 1) / 2) - Math.log(rank + 1));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    this.weights = raw.map((weight) => weight / sum);
    const effective = 1 / this.weights.reduce((total, weight) => total + weight * weight, 0);
    this.effective = effective;
    this.pathRate = (4 + effective / dimension) / (dimension + 4 + (2 * effective) / dimension);
    this.sigmaRate = (effective + 2) / (dimension + effective + 5);
    this.damping = 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (dimension + 1)) - 1) + this.sigmaRate;
    // A diagonal has fewer numbers to be learned than a matrix, so it is learned faster.
    const faster = (dimension + 2) / 3;
    const rankOne = 2 / ((dimension + 1.3) ** 2 + effective);
    this.rankOne = Math.min(1, rankOne * faster);
    const rankMany = (2 * (effective - 2 + 1 / effective)) / ((dimension + 2) ** 2 + effective);
    this.rankMany = Math.min(1 - this.rankOne, rankMany * faster);
    this.expectedLength = Math.sqrt(dimension) * (1 - 1 / (4 * dimension) + 1 / (21 * dimension * dimension));
  }

  /** The next generation's parameters. */
  ask(): Float64Array[] {
    return Array.from({ length: this.population }, () =>
      this.mean.map(
        (value, index) => value + this.sigma * Math.sqrt(this.variances[index]!) * sampleNormal(this.random, 0, 1),
      ),
    );
  }

  /** What the last generation's members cost; of equal ones the earlier is the better. */
  tell(members: readonly Float64Array[], costs: readonly number[]): void {
    const { mean, path, sigmaPath, variances, sigma, effective } = this;
    const order = members.map((_, index) => index).sort((left, right) => costs[left]! - costs[right]! || left - right);
    const dimension = mean.length;
    let squares = 0;
    this.generation++;
    const before = mean.slice();
    for (let index = 0; index < dimension; index++) {
      let moved = 0;
      for (const [rank, weight] of this.weights.entries()) moved += weight * members[order[rank]!]![index]!;
      mean[index] = moved;
      const step = (moved - before[index]!) / sigma;
      sigmaPath[index] =
        (1 - this.sigmaRate) * sigmaPath[index]! +
        (Math.sqrt(this.sigmaRate * (2 - this.sigmaRate) * effective) * step) / Math.sqrt(variances[index]!);
      squares += sigmaPath[index]! * sigmaPath[index]!;
    }
    const length = Math.sqrt(squares);
    const settled = Math.sqrt(1 - (1 - this.sigmaRate) ** (2 * this.generation));
    const isMoving = length / settled < (1.4 + 2 / (dimension + 1)) * this.expectedLength ? 1 : 0;
    for (let index = 0; index < dimension; index++) {
      const step = (mean[index]! - before[index]!) / sigma;
      path[index] =
        (1 - this.pathRate) * path[index]! +
        isMoving * Math.sqrt(this.pathRate * (2 - this.pathRate) * effective) * step;
      let spread = 0;
      for (const [rank, weight] of this.weights.entries())
        spread += weight * ((members[order[rank]!]![index]! - before[index]!) / sigma) ** 2;
      variances[index] =
        (1 - this.rankOne - this.rankMany) * variances[index]! +
        this.rankOne * (path[index]! ** 2 + (1 - isMoving) * this.pathRate * (2 - this.pathRate) * variances[index]!) +
        this.rankMany * spread;
    }
    this.sigma = sigma * Math.exp((this.sigmaRate / this.damping) * (length / this.expectedLength - 1));
  }

  save(): EvolutionState {
    return {
      mean: [...this.mean],
      variances: [...this.variances],
      path: [...this.path],
      sigmaPath: [...this.sigmaPath],
      sigma: this.sigma,
      generation: this.generation,
      random: this.random.save(),
    };
  }

  restore(state: EvolutionState): void {
    this.mean.set(state.mean);
    this.variances.set(state.variances);
    this.path.set(state.path);
    this.sigmaPath.set(state.sigmaPath);
    this.sigma = state.sigma;
    this.generation = state.generation;
    this.random.restore(state.random);
  }
}
