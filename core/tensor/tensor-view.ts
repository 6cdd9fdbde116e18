// A tensor as a window onto bytes: data type, shape, strides, offset. Slicing, transposing, broadcasting and (where the
// layout allows) reshaping make another window onto the same bytes; only `copy` moves them. A view can never reach outside
// of its bytes: the layout is checked when it is made, indices when they are used. Strings lie in an array instead of bytes.

import { SiraError } from '../base/errors.ts';
import { bytesPerElement, type DataType, type FixedSizeDataType } from './data-type.ts';
import { type Element, readElement, writeElement } from './element-codec.ts';
import {
  broadcastShapes,
  checkShape,
  elementCount,
  equalShapes,
  formatShape,
  inferShape,
  rowMajorStrides,
  type Shape,
} from './shape.ts';

/** Where the elements lie: little-endian bytes, or for strings one array entry each. */
export type TensorData = Uint8Array | string[];

/** Strides and offset in elements; a stride may be 0 (broadcast) or negative. */
export interface Layout {
  readonly strides: readonly number[];
  readonly offset: number;
}

/** What to keep of one axis: from `start` (0) up to but without `stop` (the extent), every `step`-th (1). */
export interface Range {
  readonly start?: number;
  readonly stop?: number;
  readonly step?: number;
}

function invalid(detail: string, remedy?: string): SiraError {
  return new SiraError('SIRA_TENSOR_INVALID', detail, {}, remedy);
}

export class TensorView {
  readonly dataType: DataType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  /** Place of the first element, in elements from the start of the data. */
  readonly offset: number;
  readonly data: TensorData;
  readonly elementCount: number;
  private readonly bytes: DataView | undefined;

  /** Without `layout`: row-major from the first byte. SIRA_TENSOR_INVALID when an element would lie outside of `data`. */
  constructor(dataType: DataType, shape: Shape, data: TensorData, layout?: Layout) {
    checkShape(shape);
    this.dataType = dataType;
    this.shape = shape.slice();
    this.strides = layout === undefined ? rowMajorStrides(shape) : layout.strides.slice();
    this.offset = layout?.offset ?? 0;
    this.data = data;
    this.elementCount = elementCount(shape);
    if (Array.isArray(data) !== (dataType === 'string'))
      throw invalid('strings lie in an array, everything else in bytes');
    this.bytes = Array.isArray(data) ? undefined : new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.checkReach();
  }

  /** A row-major tensor of zeros, false, or empty strings. */
  static zeros(dataType: DataType, shape: Shape): TensorView {
    checkShape(shape);
    const count = elementCount(shape);
    if (dataType === 'string') return new TensorView(dataType, shape, new Array<string>(count).fill(''));
    const byteLength = count * bytesPerElement(dataType);
    if (byteLength > 2 ** 32) throw invalid(`a tensor of ${byteLength} bytes is larger than 4 GiB`);
    return new TensorView(dataType, shape, new Uint8Array(byteLength));
  }

  /** A row-major tensor of the given elements, the last axis varying fastest. */
  static from(dataType: DataType, shape: Shape, elements: readonly Element[]): TensorView {
    const tensor = TensorView.zeros(dataType, shape);
    if (elements.length !== tensor.elementCount) {
      throw invalid(`shape ${formatShape(shape)} takes ${tensor.elementCount} elements, not ${elements.length}`);
    }
    for (let place = 0; place < elements.length; place++) tensor.write(place, elements[place]!);
    return tensor;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Bytes of the elements if they lay together. SIRA_TENSOR_INVALID for strings. */
  get byteLength(): number {
    return this.elementCount * bytesPerElement(this.dataType);
  }

  /** Whether the elements lie together in row-major order. */
  get isContiguous(): boolean {
    const strides = rowMajorStrides(this.shape);
    return (
      this.elementCount === 0 ||
      this.shape.every((extent, axis) => extent === 1 || this.strides[axis] === strides[axis])
    );
  }

  /** The element at `indices`, one an axis, 0 ≤ index < extent. */
  get(...indices: number[]): Element {
    return this.read(this.placeOf(indices));
  }

  /** Writes the element at `indices`; the value is checked and rounded as in element-codec.ts. */
  set(indices: readonly number[], element: Element): void {
    this.write(this.placeOf(indices), element);
  }

  /** All elements, the last axis varying fastest. */
  toElements(): Element[] {
    const elements: Element[] = [];
    this.forEachPlace((place) => elements.push(this.read(place)));
    return elements;
  }

  /** A window onto part of each axis; axes without a range are kept whole. */
  slice(ranges: readonly (Range | undefined)[]): TensorView {
    if (ranges.length > this.rank) throw invalid(`${ranges.length} ranges for ${this.rank} axes`);
    const shape = this.shape.slice();
    const strides = this.strides.slice();
    let { offset } = this;
    for (let axis = 0; axis < ranges.length; axis++) {
      const extent = this.shape[axis]!;
      const { start = 0, stop = extent, step = 1 } = ranges[axis] ?? {};
      const isSound =
        [start, stop, step].every(Number.isSafeInteger) && 0 <= start && start <= stop && stop <= extent && step >= 1;
      if (!isSound) throw invalid(`range ${start}:${stop}:${step} does not lie in axis ${axis} of extent ${extent}`);
      shape[axis] = Math.ceil((stop - start) / step);
      strides[axis] = strides[axis]! * step;
      // An empty range may start at the end, where no element lies.
      if (shape[axis] !== 0) offset += start * this.strides[axis]!;
    }
    return this.withLayout(shape, strides, offset);
  }

  /** A window in which `axis` is fixed at `index` and gone. */
  select(axis: number, index: number): TensorView {
    this.checkAxis(axis);
    const extent = this.shape[axis]!;
    if (!Number.isInteger(index) || index < 0 || index >= extent)
      throw invalid(`index ${index} outside of axis ${axis} of extent ${extent}`);
    const without = (values: readonly number[]): number[] => values.filter((_, place) => place !== axis);
    return this.withLayout(without(this.shape), without(this.strides), this.offset + index * this.strides[axis]!);
  }

  /** A window with the axes in another order; without `order`, reversed. */
  transpose(order?: readonly number[]): TensorView {
    const axes = order ?? this.shape.map((_, axis) => this.rank - 1 - axis);
    if (axes.length !== this.rank || new Set(axes).size !== this.rank)
      throw invalid(`[${axes.join(', ')}] is no order of ${this.rank} axes`);
    for (const axis of axes) this.checkAxis(axis);
    return this.withLayout(
      axes.map((axis) => this.shape[axis]!),
      axes.map((axis) => this.strides[axis]!),
      this.offset,
    );
  }

  /** A window of another shape with the same elements in row-major order; one extent may be −1. Only for contiguous views. */
  reshape(shape: Shape): TensorView {
    const inferred = inferShape(shape, this.elementCount);
    if (!this.isContiguous)
      throw invalid('a view whose elements do not lie together cannot be reshaped', 'Copy it first.');
    return this.withLayout(inferred, rowMajorStrides(inferred), this.offset);
  }

  /** A window of a larger shape in which axes of extent 1 repeat, by NumPy's rule. */
  broadcastTo(shape: Shape): TensorView {
    checkShape(shape);
    if (!equalShapes(broadcastShapes(this.shape, shape), shape)) {
      throw invalid(`shape ${formatShape(this.shape)} does not broadcast to ${formatShape(shape)}`);
    }
    const missing = shape.length - this.rank;
    const strides = shape.map((_, axis) =>
      axis < missing || this.shape[axis - missing] === 1 ? 0 : this.strides[axis - missing]!,
    );
    return this.withLayout(shape, strides, this.offset);
  }

  /** The same elements in bytes of their own, row-major. */
  copy(): TensorView {
    if (Array.isArray(this.data)) return new TensorView(this.dataType, this.shape, this.toElements() as string[]);
    const size = bytesPerElement(this.dataType);
    const bytes = new Uint8Array(this.byteLength);
    if (this.isContiguous) {
      bytes.set(this.data.subarray(this.offset * size, this.offset * size + bytes.length));
      return new TensorView(this.dataType, this.shape, bytes);
    }
    const source = this.data;
    let target = 0;
    this.forEachPlace((place) => {
      for (let byte = 0; byte < size; byte++) bytes[target + byte] = source[place * size + byte]!;
      target += size;
    });
    return new TensorView(this.dataType, this.shape, bytes);
  }

  private withLayout(shape: Shape, strides: readonly number[], offset: number): TensorView {
    return new TensorView(this.dataType, shape, this.data, { strides, offset });
  }

  private checkAxis(axis: number): void {
    if (!Number.isInteger(axis) || axis < 0 || axis >= this.rank)
      throw invalid(`axis ${axis} of a tensor with ${this.rank} axes`);
  }

  /** The least and greatest place that any index reaches must lie in the data. */
  private checkReach(): void {
    if (this.strides.length !== this.rank) throw invalid(`${this.strides.length} strides for ${this.rank} axes`);
    let least = this.offset;
    let most = this.offset;
    for (let axis = 0; axis < this.rank; axis++) {
      const reach = (this.shape[axis]! - 1) * this.strides[axis]!;
      if (reach < 0) least += reach;
      else most += reach;
    }
    const isWhole =
      Number.isSafeInteger(this.offset) &&
      this.strides.every(Number.isSafeInteger) &&
      Number.isSafeInteger(least) &&
      Number.isSafeInteger(most);
    if (!isWhole) throw invalid('offset and strides are whole numbers that do not overflow');
    if (this.elementCount === 0) return;
    const held = Array.isArray(this.data)
      ? this.data.length
      : Math.floor(this.data.byteLength / bytesPerElement(this.dataType));
    if (least < 0 || most >= held) {
      throw invalid(`shape ${formatShape(this.shape)} reaches elements ${least} to ${most} of data that holds ${held}`);
    }
  }

  private placeOf(indices: readonly number[]): number {
    if (indices.length !== this.rank) throw invalid(`${indices.length} indices for ${this.rank} axes`);
    let place = this.offset;
    for (let axis = 0; axis < indices.length; axis++) {
      const index = indices[axis]!;
      const extent = this.shape[axis]!;
      if (!Number.isInteger(index) || index < 0 || index >= extent)
        throw invalid(`index ${index} outside of axis ${axis} of extent ${extent}`);
      place += index * this.strides[axis]!;
    }
    return place;
  }

  private read(place: number): Element {
    if (this.bytes === undefined) return (this.data as string[])[place]!;
    return readElement(this.bytes, place * bytesPerElement(this.dataType), this.dataType as FixedSizeDataType);
  }

  private write(place: number, element: Element): void {
    if (this.bytes === undefined) {
      if (typeof element !== 'string')
        throw invalid(`${typeof element} ${String(element)} is no element of type string`);
      (this.data as string[])[place] = element;
    } else
      writeElement(this.bytes, place * bytesPerElement(this.dataType), this.dataType as FixedSizeDataType, element);
  }

  /** Visits every place in row-major order of the indices, without a multiplication an element. */
  private forEachPlace(visit: (place: number) => void): void {
    if (this.elementCount === 0) return;
    const indices = new Array<number>(this.rank).fill(0);
    let place = this.offset;
    for (;;) {
      visit(place);
      let axis = this.rank - 1;
      for (; axis >= 0; axis--) {
        indices[axis]! += 1;
        place += this.strides[axis]!;
        if (indices[axis]! < this.shape[axis]!) break;
        place -= this.strides[axis]! * this.shape[axis]!;
        indices[axis] = 0;
      }
      if (axis < 0) return;
    }
  }
}
