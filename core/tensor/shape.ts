// Shapes of tensors: checked once, then trusted. An extent may be 0; the number of elements always fits a safe integer, so
// that no index computed from a checked shape can overflow.

import { SiraError } from '../base/errors.ts';

/** Extents from the slowest to the fastest varying axis; [] is a scalar. */
export type Shape = readonly number[];

/** Axes that a shape may have. */
export const rankMax = 32;

function invalid(detail: string): SiraError {
  return new SiraError('SIRA_TENSOR_INVALID', detail);
}

/** `[2, 3]`, for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Throws SIRA_TENSOR_INVALID unless every extent is a whole number ≥ 0, the rank at most 32, the count of elements below 2⁵³. */
export function checkShape(shape: Shape): void {
  if (shape.length > rankMax) throw invalid(`a shape has at most ${rankMax} axes, not ${shape.length}`);
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis];
    if (!Number.isSafeInteger(extent) || extent! < 0) {
      throw invalid(`axis ${axis} of shape ${formatShape(shape)} is no whole number ≥ 0`);
    }
  }
  elementCount(shape);
}

/**
 * Number of elements of a shape: 1 for a scalar, 0 when an extent is 0. SIRA_TENSOR_INVALID when the product of the extents
 * other than 0 exceeds 2⁵³ − 1 (an empty tensor too must have strides that fit).
 */
export function elementCount(shape: Shape): number {
  let count = 1;
  let isEmpty = false;
  for (const extent of shape) {
    if (extent === 0) isEmpty = true;
    else if (count > Math.floor(Number.MAX_SAFE_INTEGER / extent)) {
      throw invalid(`shape ${formatShape(shape)} has more than 2^53 − 1 elements`);
    } else count *= extent;
  }
  return isEmpty ? 0 : count;
}

/** Elements to step over for one step along each axis when the last axis lies together in memory. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(1, shape[axis]!);
  }
  return strides;
}

export function equalShapes(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((extent, axis) => extent === right[axis]);
}

/** The common shape of operands by NumPy's rule: aligned at the last axis, extents equal or 1. SIRA_TENSOR_INVALID otherwise. */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const rank = shapes.reduce((longest, shape) => Math.max(longest, shape.length), 0);
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const place = rank - shape.length + axis;
      const extent = shape[axis]!;
      if (extent === 1 || extent === result[place]) continue;
      if (result[place] !== 1)
        throw invalid(`shapes ${shapes.map(formatShape).join(' and ')} do not broadcast at axis ${place}`);
      result[place] = extent;
    }
  }
  checkShape(result);
  return result;
}

/** `shape` with one extent of −1, if there is one, replaced so that it holds `count` elements. SIRA_TENSOR_INVALID if it cannot. */
export function inferShape(shape: Shape, count: number): number[] {
  const unknown = shape.indexOf(-1);
  const result = shape.slice();
  if (unknown !== -1) {
    result[unknown] = 1;
    checkShape(result);
    const known = elementCount(result);
    result[unknown] = known === 0 ? 0 : count / known;
  }
  if (!result.every(Number.isSafeInteger)) throw invalid(`${count} elements do not fill shape ${formatShape(shape)}`);
  checkShape(result);
  if (elementCount(result) !== count) throw invalid(`shape ${formatShape(shape)} does not hold ${count} elements`);
  return result;
}
