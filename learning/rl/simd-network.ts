// A dense network whose layers are computed in float32 by simd-kernels.ts, several times as fast as in plain arithmetic. Parameters and
// gradients stay in float64 outside, as optimizers and checkpoints know them; what lies in the kernels' memory is a copy, padded
// to multiples of four, of the parameters at the last `forward`.

import { assert } from '../../core/base/assert.ts';
import type { RandomStream } from '../../core/base/random.ts';
import { DenseNetwork } from './dense-network.ts';
import { instantiateKernels, type SimdKernels } from './simd-kernels.ts';
import { createMemory } from './wasm-builder.ts';

/** Rows whose share of a gradient is added up at once: their values and slopes stay in the processor's first cache. */
const gradientRows = 32;

/** Where a layer's numbers lie in memory, in float32. */
interface LayerPlaces {
  readonly inputs: number;
  readonly outputs: number;
  /** Padded. */
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** [inputs, outputWidth]. */
  readonly kernel: number;
  readonly bias: number;
  /** [outputs, inputWidth]. */
  readonly transposed: number;
  /** [inputWidth, outputWidth]. */
  readonly kernelGradient: number;
  readonly biasGradient: number;
  /** [rows, inputWidth], [rows, outputWidth] and the slopes of the latter. */
  readonly from: number;
  readonly to: number;
  readonly slopes: number;
}

export class SimdNetwork extends DenseNetwork {
  private places: readonly LayerPlaces[] = [];
  private zeros = 0;
  private numbers = new Float32Array(0);
  private kernels: SimdKernels | undefined;
  private rowCapacity = 0;
  private answer = new Float64Array(0);

  /** As the plain network: the same stream gives the same weights. */
  constructor(widths: readonly number[], stream: RandomStream, lastScale = 1) {
    super(widths, stream, lastScale);
    this.reserveRows(64);
  }

  override forward(inputs: Float64Array, rows: number): Float64Array {
    assert(rows > 0, 'there is a row');
    if (rows > this.rowCapacity) this.reserveRows(Math.max(rows, 2 * this.rowCapacity));
    const { numbers, places } = this;
    const first = places[0]!;
    copyRows(inputs, 0, first.inputs, numbers, first.from, first.inputWidth, rows);
    for (const [layer, place] of places.entries()) {
      const { inputs: count, outputs, inputWidth, outputWidth, kernel, bias } = place;
      const at = this.offsets[layer]!;
      copyRows(this.parameters, at, outputs, numbers, kernel, outputWidth, count);
      copyRows(this.parameters, at + count * outputs, outputs, numbers, bias, outputWidth, 1);
      const least = layer + 1 < places.length ? 0 : Number.NEGATIVE_INFINITY;
      this.multiply(place.to, place.from, kernel, bias, rows, outputWidth, count, inputWidth, 1, 0, least);
    }
    const last = places.at(-1)!;
    const length = rows * last.outputs;
    if (this.answer.length < length) this.answer = new Float64Array(2 * length);
    copyRows(numbers, last.to, last.outputWidth, this.answer, 0, last.outputs, rows);
    return this.answer;
  }

  override backward(_inputs: Float64Array, rows: number, outputSlopes: Float64Array, gradient: Float64Array): void {
    assert(gradient.length === this.parameters.length, 'a gradient has one number a parameter');
    const { numbers, places } = this;
    const last = places.at(-1)!;
    copyRows(outputSlopes, 0, last.outputs, numbers, last.slopes, last.outputWidth, rows);
    for (let layer = places.length - 1; layer >= 0; layer--) {
      const place = places[layer]!;
      this.addParameterGradient(place, rows, gradient, this.offsets[layer]!);
      if (layer > 0) this.passBack(place, places[layer - 1]!, rows, this.offsets[layer]!);
    }
  }

  /** Of one layer, from its slopes and what came in. */
  private addParameterGradient(place: LayerPlaces, rows: number, gradient: Float64Array, at: number): void {
    const { inputs, outputs, inputWidth, outputWidth, kernelGradient, biasGradient } = place;
    const { numbers } = this;
    numbers.fill(0, kernelGradient, kernelGradient + inputWidth * outputWidth);
    numbers.fill(0, biasGradient, biasGradient + outputWidth);
    const none = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row += gradientRows) {
      const count = Math.min(gradientRows, rows - row);
      const from = place.from + row * inputWidth;
      const slopes = place.slopes + row * outputWidth;
      const to = kernelGradient;
      this.multiply(to, from, slopes, to, inputWidth, outputWidth, count, 1, inputWidth, outputWidth, none);
      this.kernels!.sumColumns(4 * biasGradient, 4 * slopes, count, outputWidth);
    }
    let index = at;
    for (let input = 0; input < inputs; input++)
      for (let output = 0; output < outputs; output++)
        gradient[index++]! += numbers[kernelGradient + input * outputWidth + output]!;
    for (let output = 0; output < outputs; output++) gradient[index++]! += numbers[biasGradient + output]!;
  }

  /** The slopes of the layer before, 0 where its relu was closed. */
  private passBack(place: LayerPlaces, before: LayerPlaces, rows: number, at: number): void {
    const { inputs, outputs, inputWidth, outputWidth, transposed } = place;
    for (let output = 0; output < outputs; output++)
      for (let input = 0; input < inputs; input++)
        this.numbers[transposed + output * inputWidth + input] = this.parameters[at + input * outputs + output]!;
    const none = Number.NEGATIVE_INFINITY;
    this.multiply(
      before.slopes,
      place.slopes,
      transposed,
      this.zeros,
      rows,
      inputWidth,
      outputs,
      outputWidth,
      1,
      0,
      none,
    );
    this.kernels!.closeSlopes(4 * before.slopes, 4 * before.to, padded(rows) * inputWidth);
  }

  /** {@link SimdKernels.multiply} with places and strides in numbers. */
  private multiply(
    to: number,
    from: number,
    by: number,
    start: number,
    m: number,
    n: number,
    k: number,
    fromRow: number,
    fromColumn: number,
    startRow: number,
    least: number,
  ): void {
    const [rowBytes, columnBytes] = [4 * fromRow, 4 * fromColumn];
    this.kernels!.multiply(
      4 * to,
      4 * from,
      4 * by,
      4 * start,
      padded(m),
      n,
      k,
      rowBytes,
      columnBytes,
      4 * startRow,
      least,
    );
  }

  /** Lays memory out anew. */
  private reserveRows(rows: number): void {
    this.rowCapacity = padded(rows);
    let end = 0;
    const take = (count: number): number => {
      end += count;
      return end - count;
    };
    let from = take(this.rowCapacity * padded(this.widths[0]!));
    this.places = Array.from({ length: this.layerCount }, (_, layer) => {
      const [inputs, outputs] = [this.widths[layer]!, this.widths[layer + 1]!];
      const [inputWidth, outputWidth] = [padded(inputs), padded(outputs)];
      const place = {
        ...{ inputs, outputs, inputWidth, outputWidth, from },
        kernel: take(inputs * outputWidth),
        bias: take(outputWidth),
        transposed: take(outputs * inputWidth),
        kernelGradient: take(inputWidth * outputWidth),
        biasGradient: take(outputWidth),
        to: take(this.rowCapacity * outputWidth),
        slopes: take(this.rowCapacity * outputWidth),
      };
      from = place.to;
      return place;
    });
    this.zeros = take(Math.max(...this.widths.map(padded)));
    const memory = createMemory(4 * end);
    this.numbers = new Float32Array(memory.buffer);
    this.kernels = instantiateKernels(memory);
  }
}

function padded(count: number): number {
  return (count + 3) & ~3;
}

/** `rows` rows of matrices that may be padded: as many columns as both have. */
function copyRows(
  from: Float64Array | Float32Array,
  fromAt: number,
  fromWidth: number,
  to: Float64Array | Float32Array,
  toAt: number,
  toWidth: number,
  rows: number,
): void {
  const width = Math.min(fromWidth, toWidth);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < width; column++)
      to[toAt + row * toWidth + column] = from[fromAt + row * fromWidth + column]!;
}
