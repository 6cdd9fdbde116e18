// The demand of the operators that do little with each element, so that memory bounds them: elementwise maps, reductions,
// softmax, layer normalization, embedding look-up, transpose and copy.

import { SiraError } from '../base/errors.ts';
import { softmaxFlopsPerElement } from './attention-operator.ts';
import { bytesPerElement, type DataType } from './data-type.ts';
import { checkExtents, type OperatorLoad, operatorLoad } from './operator-load.ts';
import { broadcastShapes, checkShape, elementCount, formatShape, type Shape } from './shape.ts';

/** One result for each element of the operands' broadcast shape; each operand is read once at its own size. */
export function elementwise(
  operands: readonly Shape[],
  dataType: DataType,
  flopsPerElement = 1,
  name = 'elementwise',
): OperatorLoad {
  checkExtents(name, { flopsPerElement }, 0);
  const size = bytesPerElement(dataType);
  const results = elementCount(broadcastShapes(...operands));
  const bytesRead = operands.reduce((bytes, shape) => bytes + elementCount(shape) * size, 0);
  const bytesWritten = results * size;
  return operatorLoad(name, dataType, {
    flops: flopsPerElement * results,
    bytesRead,
    bytesWritten,
    activationBytes: bytesRead + bytesWritten,
  });
}

/** Sums, or takes another two-operand function, over `axes`: one operation fewer than elements for each result. */
export function reduction(shape: Shape, axes: readonly number[], dataType: DataType, name = 'reduction'): OperatorLoad {
  checkShape(shape);
  for (const axis of axes) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
      throw new SiraError('SIRA_TENSOR_INVALID', `${name}: shape ${formatShape(shape)} has no axis ${axis}`, {
        field: 'axes',
      });
    }
  }
  const size = bytesPerElement(dataType);
  const count = elementCount(shape);
  const results = elementCount(shape.filter((_, axis) => !axes.includes(axis)));
  return operatorLoad(name, dataType, {
    flops: Math.max(0, count - results),
    bytesRead: count * size,
    bytesWritten: results * size,
    activationBytes: (count + results) * size,
  });
}

/** Over the last axis, in one pass over memory: 5 operations an element. */
export function softmax(shape: Shape, dataType: DataType, name = 'softmax'): OperatorLoad {
  return throughMemoryOnce(shape, dataType, softmaxFlopsPerElement, 0, name);
}

/**
 * Over the last axis, with scale and shift (Ba, Kiros and Hinton 2016): mean 1, centring 1, variance 2, division 1, scale 1,
 * shift 1 operations an element.
 */
export function layerNorm(shape: Shape, dataType: DataType, name = 'layer norm'): OperatorLoad {
  return throughMemoryOnce(shape, dataType, 7, 2, name);
}

/** Layer normalization without centring and shift (Zhang and Sennrich 2019): 4 operations an element. */
export function rmsNorm(shape: Shape, dataType: DataType, name = 'RMS norm'): OperatorLoad {
  return throughMemoryOnce(shape, dataType, 4, 1, name);
}

/** Gathers a row of `width` for each of `tokens`; the table is resident, of which only the rows asked for are read. */
export function embeddingLookup(
  shape: {
    readonly tokens: number;
    readonly width: number;
    readonly rows: number;
    readonly indexType?: 'int32' | 'int64';
  },
  dataType: DataType,
  name = 'embedding lookup',
): OperatorLoad {
  const { tokens, width, rows, indexType = 'int64' } = shape;
  checkExtents(name, { tokens, width, rows });
  const size = bytesPerElement(dataType);
  const indexBytes = tokens * bytesPerElement(indexType);
  const gathered = tokens * width * size;
  return operatorLoad(name, dataType, {
    bytesRead: indexBytes + gathered,
    bytesWritten: gathered,
    residentBytes: rows * width * size,
    activationBytes: indexBytes + gathered,
  });
}

/** Every element read once and written once: a copy, a transpose, a change of layout. */
export function copy(shape: Shape, dataType: DataType, name = 'copy'): OperatorLoad {
  return throughMemoryOnce(shape, dataType, 0, 0, name);
}

function throughMemoryOnce(
  shape: Shape,
  dataType: DataType,
  flopsPerElement: number,
  weightRows: number,
  name: string,
): OperatorLoad {
  checkShape(shape);
  const size = bytesPerElement(dataType);
  const count = elementCount(shape);
  const weights = weightRows * (shape.at(-1) ?? 1) * size;
  return operatorLoad(name, dataType, {
    flops: flopsPerElement * count,
    bytesRead: count * size + weights,
    bytesWritten: count * size,
    residentBytes: weights,
    activationBytes: 2 * count * size,
  });
}
