// Ridge regression with several targets at once, by the normal equations and a Cholesky decomposition, summed in a fixed order.

import { assert } from '../../core/base/assert.ts';

/** Gathers XᵀX and XᵀY row by row, so that the rows need not be kept. */
export class NormalEquations {
  readonly inputCount: number;
  readonly targetCount: number;
  private readonly gram: Float64Array;
  private readonly cross: Float64Array;
  private rowWeight = 0;

  constructor(inputCount: number, targetCount: number) {
    this.inputCount = inputCount;
    this.targetCount = targetCount;
    this.gram = new Float64Array(inputCount * inputCount);
    this.cross = new Float64Array(inputCount * targetCount);
  }

  /** Adds an example: `inputCount` inputs from `inputStart` on and `targetCount` targets from `targetStart` on. */
  add(inputs: Float64Array, inputStart: number, targets: Float64Array, targetStart: number, weight = 1): void {
    const { gram, cross, inputCount, targetCount } = this;
    for (let row = 0; row < inputCount; row++) {
      const value = weight * inputs[inputStart + row]!;
      const gramStart = row * inputCount;
      for (let column = 0; column <= row; column++)
        gram[gramStart + column] = gram[gramStart + column]! + value * inputs[inputStart + column]!;
      const crossStart = row * targetCount;
      for (let column = 0; column < targetCount; column++)
        cross[crossStart + column] = cross[crossStart + column]! + value * targets[targetStart + column]!;
    }
    this.rowWeight += weight;
  }

  /** Coefficients, inputs × targets, of least ‖Y − XB‖² + penalty · n · ‖B‖²; `penalty` > 0 is relative to the number of rows. */
  solve(penalty: number): Float64Array {
    return this.solveTowards(new Float64Array(this.cross.length), penalty);
  }

  /** The same with penalty · n · ‖B − prior‖². */
  solveTowards(prior: Float64Array, penalty: number): Float64Array {
    const { inputCount, targetCount } = this;
    const weight = penalty * Math.max(1, this.rowWeight);
    const factor = this.gram.slice();
    for (let at = 0; at < inputCount; at++) factor[at * inputCount + at] = factor[at * inputCount + at]! + weight;
    cholesky(factor, inputCount);
    const solution = this.cross.map((value, at) => value + weight * prior[at]!);
    for (let target = 0; target < targetCount; target++) substitute(factor, inputCount, solution, targetCount, target);
    return solution;
  }
}

/** Replaces the lower triangle of a positive definite `matrix`, size × size, by its Cholesky factor. */
function cholesky(matrix: Float64Array, size: number): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column]!;
      for (let at = 0; at < column; at++) sum -= matrix[row * size + at]! * matrix[column * size + at]!;
      if (row === column) {
        assert(sum > 0, 'the penalty makes the matrix positive definite');
        matrix[row * size + row] = Math.sqrt(sum);
      } else {
        matrix[row * size + column] = sum / matrix[column * size + column]!;
      }
    }
  }
}

/** Solves for one column of `values`, size × stride, in place. */
function substitute(factor: Float64Array, size: number, values: Float64Array, stride: number, column: number): void {
  for (let row = 0; row < size; row++) {
    let sum = values[row * stride + column]!;
    for (let at = 0; at < row; at++) sum -= factor[row * size + at]! * values[at * stride + column]!;
    values[row * stride + column] = sum / factor[row * size + row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = values[row * stride + column]!;
    for (let at = row + 1; at < size; at++) sum -= factor[at * size + row]! * values[at * stride + column]!;
    values[row * stride + column] = sum / factor[row * size + row]!;
  }
}
