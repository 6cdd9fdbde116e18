// Adam (Kingma and Ba, ICLR 2015, algorithm 1) over one array of parameters, with the gradient's norm bounded.

export interface AdamState {
  readonly first: readonly number[];
  readonly second: readonly number[];
  readonly steps: number;
}

export class Adam {
  private readonly first: Float64Array;
  private readonly second: Float64Array;
  private steps = 0;

  constructor(size: number) {
    this.first = new Float64Array(size);
    this.second = new Float64Array(size);
  }

  /** One step against `gradient`, which is scaled down to `normMax` first. */
  step(parameters: Float64Array, gradient: Float64Array, learningRate: number, normMax: number): void {
    let squares = 0;
    for (let index = 0; index < gradient.length; index++) squares += gradient[index]! * gradient[index]!;
    const norm = Math.sqrt(squares);
    const scale = norm > normMax ? normMax / norm : 1;
    this.steps++;
    const correctedFirst = 1 - 0.9 ** this.steps;
    const correctedSecond = 1 - 0.999 ** this.steps;
    for (let index = 0; index < gradient.length; index++) {
      const slope = gradient[index]! * scale;
      const first = 0.9 * this.first[index]! + 0.1 * slope;
      const second = 0.999 * this.second[index]! + 0.001 * slope * slope;
      this.first[index] = first;
      this.second[index] = second;
      parameters[index]! -= (learningRate * (first / correctedFirst)) / (Math.sqrt(second / correctedSecond) + 1e-5);
    }
  }

  save(): AdamState {
    return { first: [...this.first], second: [...this.second], steps: this.steps };
  }

  restore({ first, second, steps }: AdamState): void {
    this.first.set(first);
    this.second.set(second);
    this.steps = steps;
  }
}
