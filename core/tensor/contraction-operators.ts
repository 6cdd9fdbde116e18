// The demand of the operators that multiply and sum over shared axes: matrix products and convolutions. Bytes are the
// compulsory ones: every operand once to the chip, every result once back, as for a kernel that blocks well.

import { SiraError } from '../base/errors.ts';
import { bytesPerElement, type DataType } from './data-type.ts';
import { checkExtents, type OperatorLoad, operatorLoad } from './operator-load.ts';

export interface MatmulShape {
  /** Independent products; 1 when not given. */
  readonly batch?: number;
  /** [rows, inner] × [inner, columns] → [rows, columns]. */
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** The right operand is one matrix for the whole batch, and a weight: it stays resident. */
  readonly rightIsWeight?: boolean;
  /** Adds a vector of `columns` to each row, a weight as well. */
  readonly bias?: boolean;
}

/** 2 · batch · rows · inner · columns FLOPs: a multiplication and an addition for each term of each sum. */
export function matmul(shape: MatmulShape, dataType: DataType, name = 'matmul'): OperatorLoad {
  const { batch = 1, rows, inner, columns, rightIsWeight = false, bias = false } = shape;
  checkExtents(name, { batch, rows, inner, columns });
  const size = bytesPerElement(dataType);
  const left = batch * rows * inner * size;
  const right = (rightIsWeight ? 1 : batch) * inner * columns * size;
  const result = batch * rows * columns * size;
  const biasBytes = bias ? columns * size : 0;
  return operatorLoad(name, dataType, {
    flops: 2 * batch * rows * inner * columns + (bias ? batch * rows * columns : 0),
    bytesRead: left + right + biasBytes,
    bytesWritten: result,
    residentBytes: (rightIsWeight ? right : 0) + biasBytes,
    activationBytes: left + result + (rightIsWeight ? 0 : right),
  });
}

export interface Conv2dShape {
  readonly batch: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly height: number;
  readonly width: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  /** Divides both channel counts; equal to `channelsIn` for a depthwise convolution. */
  readonly groups?: number;
  readonly bias?: boolean;
}

/** Extent of a convolution's output along one axis: ⌊(extent + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1. */
export function convolvedExtent(
  extent: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
): number {
  return Math.floor((extent + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** 2 · batch · channelsOut · heightOut · widthOut · (channelsIn / groups) · kernelHeight · kernelWidth FLOPs. */
export function conv2d(shape: Conv2dShape, dataType: DataType, name = 'conv2d'): OperatorLoad {
  const { batch, channelsIn, channelsOut, height, width, kernelHeight, kernelWidth } = shape;
  const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = false } = shape;
  checkExtents(name, {
    batch,
    channelsIn,
    channelsOut,
    height,
    width,
    kernelHeight,
    kernelWidth,
    stride,
    dilation,
    groups,
  });
  checkExtents(name, { padding }, 0);
  if (channelsIn % groups !== 0 || channelsOut % groups !== 0) {
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `${name}: ${groups} groups do not divide ${channelsIn} and ${channelsOut} channels`,
      { field: 'groups' },
    );
  }
  const heightOut = convolvedExtent(height, kernelHeight, stride, padding, dilation);
  const widthOut = convolvedExtent(width, kernelWidth, stride, padding, dilation);
  if (heightOut < 1 || widthOut < 1) {
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `${name}: a kernel of ${kernelHeight} × ${kernelWidth} does not fit into ${height} × ${width}`,
    );
  }
  const size = bytesPerElement(dataType);
  const input = batch * channelsIn * height * width * size;
  const outputs = batch * channelsOut * heightOut * widthOut;
  const weights = (channelsOut * (channelsIn / groups) * kernelHeight * kernelWidth + (bias ? channelsOut : 0)) * size;
  return operatorLoad(name, dataType, {
    flops: 2 * outputs * (channelsIn / groups) * kernelHeight * kernelWidth + (bias ? outputs : 0),
    bytesRead: input + weights,
    bytesWritten: outputs * size,
    residentBytes: weights,
    activationBytes: input + outputs * size,
  });
}
