// What one tensor operator demands of a device: floating-point operations, bytes to and from memory, bytes over a link, and
// memory held. Every operator file computes these from shapes alone; roofline.ts turns them into time. Counts are doubles:
// exact below 2⁵³, to 16 digits above.

import { SiraError } from '../base/errors.ts';
import type { DataType } from './data-type.ts';

export interface OperatorLoad {
  readonly name: string;
  /** The type that the arithmetic runs in, which picks the device's peak. */
  readonly dataType: DataType;
  /** Multiplications and additions, each counted as one; an exponential, root or division as one. */
  readonly flops: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Bytes that each participant sends over its link, and the messages that it sends one after the other. */
  readonly linkBytes: number;
  readonly linkMessages: number;
  /** Bytes of what outlives the operator: weights, a cache. */
  readonly residentBytes: number;
  /** Bytes of inputs, outputs and scratch that live while it runs. */
  readonly activationBytes: number;
  /** How often it runs, one after the other, with weights of its own each time. */
  readonly repeats: number;
}

/** The demand of operators that run one after the other. */
export interface TotalLoad {
  readonly flops: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Read and written. */
  readonly bytesMoved: number;
  readonly linkBytes: number;
  readonly residentBytes: number;
  /** Everything resident, and the activations of the operator that needs most. */
  readonly peakMemoryBytes: number;
  /** FLOPs a byte moved; Infinity when nothing moves, 0 when nothing is computed. */
  readonly arithmeticIntensity: number;
}

/** An operator's demand; what is not given is 0, and it runs once. */
export function operatorLoad(
  name: string,
  dataType: DataType,
  demand: Partial<Omit<OperatorLoad, 'name' | 'dataType'>>,
): OperatorLoad {
  return {
    name,
    dataType,
    flops: 0,
    bytesRead: 0,
    bytesWritten: 0,
    linkBytes: 0,
    linkMessages: 0,
    residentBytes: 0,
    activationBytes: 0,
    repeats: 1,
    ...demand,
  };
}

/** The same operator, run `times` as often. */
export function repeated(load: OperatorLoad, times: number): OperatorLoad {
  return { ...load, repeats: load.repeats * times };
}

export function totalLoad(operators: readonly OperatorLoad[]): TotalLoad {
  let flops = 0;
  let bytesRead = 0;
  let bytesWritten = 0;
  let linkBytes = 0;
  let residentBytes = 0;
  let activationBytesMax = 0;
  for (const operator of operators) {
    flops += operator.flops * operator.repeats;
    bytesRead += operator.bytesRead * operator.repeats;
    bytesWritten += operator.bytesWritten * operator.repeats;
    linkBytes += operator.linkBytes * operator.repeats;
    residentBytes += operator.residentBytes * operator.repeats;
    activationBytesMax = Math.max(activationBytesMax, operator.activationBytes);
  }
  return {
    flops,
    bytesRead,
    bytesWritten,
    bytesMoved: bytesRead + bytesWritten,
    linkBytes,
    residentBytes,
    peakMemoryBytes: residentBytes + activationBytesMax,
    arithmeticIntensity: arithmeticIntensity(flops, bytesRead + bytesWritten),
  };
}

/** FLOPs a byte: Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009. */
export function arithmeticIntensity(flops: number, bytesMoved: number): number {
  if (flops === 0) return 0;
  return bytesMoved === 0 ? Infinity : flops / bytesMoved;
}

/** Throws SIRA_TENSOR_INVALID unless every named extent is a whole number of at least `least` (1) and fits 2⁵³. */
export function checkExtents(operator: string, extents: Readonly<Record<string, number>>, least = 1): void {
  for (const [name, extent] of Object.entries(extents)) {
    if (!Number.isSafeInteger(extent) || extent < least) {
      throw new SiraError(
        'SIRA_TENSOR_INVALID',
        `${operator}: ${name} is a whole number of at least ${least}, not ${extent}`,
        { field: name },
      );
    }
  }
}
