// Dense layers with relu between them, forward and backward, in float64 arithmetic on typed arrays: for the small networks of
// scheduling policies several times as fast as a tensor library (reports/decisions/0018). All parameters lie in one array, so
// that an optimizer, a checkpoint and another backend see the same numbers.

import { assert } from '../../core/base/assert.ts';
import type { RandomStream } from '../../core/base/random.ts';
import type { DenseLayer } from '../../core/policy/policy-artifact.ts';

export class DenseNetwork {
  /** Width of the input, of each hidden layer, and of the output. */
  readonly widths: readonly number[];
  /** For each layer its kernel, row-major [inputs, outputs], then its bias. */
  readonly parameters: Float64Array;
  protected readonly offsets: readonly number[];
  /** What each layer gave at the last `forward`, row-major. */
  private values: Float64Array[] = [];
  private slopes: Float64Array[] = [];
  private capacity = 0;

  /** Weights are uniform in ±√(6/(inputs + outputs)) (Glorot and Bengio, 2010), those of the last layer times `lastScale`. */
  constructor(widths: readonly number[], stream: RandomStream, lastScale = 1) {
    this.widths = widths;
    const offsets = [0];
    for (let layer = 0; layer + 1 < widths.length; layer++)
      offsets.push(offsets[layer]! + (widths[layer]! + 1) * widths[layer + 1]!);
    this.offsets = offsets;
    this.parameters = new Float64Array(offsets.at(-1)!);
    for (let layer = 0; layer < this.layerCount; layer++) {
      const [inputs, outputs] = [widths[layer]!, widths[layer + 1]!];
      const limit = Math.sqrt(6 / (inputs + outputs)) * (layer === this.layerCount - 1 ? lastScale : 1);
      for (let place = 0; place < inputs * outputs; place++)
        this.parameters[offsets[layer]! + place] = (2 * stream.nextFloat() - 1) * limit;
    }
  }

  get layerCount(): number {
    return this.widths.length - 1;
  }

  /** `rows` inputs, row-major; the answer, row-major as well, is valid until the next call. */
  forward(inputs: Float64Array, rows: number): Float64Array {
    this.reserve(rows);
    let from = inputs;
    for (let layer = 0; layer < this.layerCount; layer++) {
      const to = this.values[layer]!;
      applyLayer(this.parameters, this.offsets[layer]!, this.widths[layer]!, this.widths[layer + 1]!, from, to, rows);
      if (layer + 1 < this.layerCount) {
        const end = rows * this.widths[layer + 1]!;
        for (let place = 0; place < end; place++) if (to[place]! < 0) to[place] = 0;
      }
      from = to;
    }
    return from;
  }

  /** Adds to `gradient` that of Σ slope·output, for the inputs of the last `forward`. `outputSlopes` is row-major. */
  backward(inputs: Float64Array, rows: number, outputSlopes: Float64Array, gradient: Float64Array): void {
    assert(gradient.length === this.parameters.length, 'a gradient has one number a parameter');
    let slopes = outputSlopes;
    for (let layer = this.layerCount - 1; layer >= 0; layer--) {
      const from = layer === 0 ? inputs : this.values[layer - 1]!;
      const [width, outputs] = [this.widths[layer]!, this.widths[layer + 1]!];
      const back = layer === 0 ? undefined : this.slopes[layer - 1]!;
      backLayer(this.parameters, gradient, this.offsets[layer]!, width, outputs, from, slopes, back, rows);
      if (back !== undefined) slopes = back;
    }
  }

  /** The layers as an artifact holds them. */
  layers(): DenseLayer[] {
    return Array.from({ length: this.layerCount }, (_, layer) => {
      const [inputs, outputs] = [this.widths[layer]!, this.widths[layer + 1]!];
      const at = this.offsets[layer]!;
      return {
        inputs,
        outputs,
        kernel: Float32Array.from(this.parameters.subarray(at, at + inputs * outputs)),
        bias: Float32Array.from(this.parameters.subarray(at + inputs * outputs, at + (inputs + 1) * outputs)),
      };
    });
  }

  private reserve(rows: number): void {
    if (rows <= this.capacity) return;
    this.capacity = Math.max(rows, 2 * this.capacity);
    const room = (): Float64Array[] => this.widths.slice(1).map((width) => new Float64Array(this.capacity * width));
    this.values = room();
    this.slopes = room();
  }
}

function applyLayer(
  parameters: Float64Array,
  offset: number,
  inputs: number,
  outputs: number,
  from: Float64Array,
  to: Float64Array,
  rows: number,
): void {
  const biasAt = offset + inputs * outputs;
  const blocked = outputs - (outputs % 4);
  for (let row = 0; row < rows; row++) {
    const fromAt = row * inputs;
    const toAt = row * outputs;
    for (let output = 0; output < blocked; output += 4) {
      let first = parameters[biasAt + output]!;
      let second = parameters[biasAt + output + 1]!;
      let third = parameters[biasAt + output + 2]!;
      let fourth = parameters[biasAt + output + 3]!;
      let place = offset + output;
      for (let input = 0; input < inputs; input++) {
        const value = from[fromAt + input]!;
        first += parameters[place]! * value;
        second += parameters[place + 1]! * value;
        third += parameters[place + 2]! * value;
        fourth += parameters[place + 3]! * value;
        place += outputs;
      }
      to[toAt + output] = first;
      to[toAt + output + 1] = second;
      to[toAt + output + 2] = third;
      to[toAt + output + 3] = fourth;
    }
    for (let output = blocked; output < outputs; output++) {
      let sum = parameters[biasAt + output]!;
      let place = offset + output;
      for (let input = 0; input < inputs; input++) {
        sum += parameters[place]! * from[fromAt + input]!;
        place += outputs;
      }
      to[toAt + output] = sum;
    }
  }
}

/** `back` takes the slopes of the layer before, 0 where its relu was closed. */
function backLayer(
  parameters: Float64Array,
  gradient: Float64Array,
  offset: number,
  inputs: number,
  outputs: number,
  from: Float64Array,
  slopes: Float64Array,
  back: Float64Array | undefined,
  rows: number,
): void {
  const biasAt = offset + inputs * outputs;
  for (let row = 0; row < rows; row++) {
    const fromAt = row * inputs;
    const slopeAt = row * outputs;
    for (let output = 0; output < outputs; output++) gradient[biasAt + output]! += slopes[slopeAt + output]!;
    for (let input = 0; input < inputs; input++) {
      const value = from[fromAt + input]!;
      const place = offset + input * outputs;
      // Behind a closed relu nothing flows, in either direction.
      if (value === 0) {
        if (back !== undefined) back[fromAt + input] = 0;
        continue;
      }
      let sum = 0;
      for (let output = 0; output < outputs; output++) {
        const slope = slopes[slopeAt + output]!;
        gradient[place + output]! += value * slope;
        sum += parameters[place + output]! * slope;
      }
      if (back !== undefined) back[fromAt + input] = sum;
    }
  }
}
