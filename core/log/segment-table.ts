// The segments of an open log in order of offset, the last one active: which file holds an offset, and what of it may be
// read. Indices of closed segments are loaded when needed and dropped, least recently used first, beyond a bound.

import { assert } from '../base/assert.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';

export class SegmentTable {
  private readonly segments: Segment[];
  private readonly loadedMax: number;
  /** Closed segments whose index is in memory, least recently used first. */
  private readonly loaded = new Set<Segment>();
  private lastGeneration: number;
  /** Files that are to go and may still be there. Until they are gone for good no other may go: they would come back alone. */
  readonly garbage = new Set<string>();

  /** `segments` in order, the last one active; `generation` the highest ever used. */
  constructor(segments: readonly Segment[], generation: number, loadedMax: number) {
    assert(segments.length >= 1, 'a log has an active segment');
    this.segments = [...segments];
    this.lastGeneration = generation;
    this.loadedMax = loadedMax;
    for (const segment of this.closed) if (segment.index !== undefined) this.keepIndex(segment, segment.index);
  }

  get active(): Segment {
    return this.segments.at(-1)!;
  }

  /** All but the active one. */
  get closed(): readonly Segment[] {
    return this.segments.slice(0, -1);
  }

  get all(): readonly Segment[] {
    return this.segments;
  }

  /** Of the first record kept, or of the next one if there is none. */
  get startOffset(): number {
    return this.segments[0]!.baseOffset;
  }

  /** Exclusive: what is durable ends here. */
  get endOffset(): number {
    return this.active.lastOffset;
  }

  get sizeBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  nextGeneration(): number {
    this.lastGeneration += 1;
    return this.lastGeneration;
  }

  /** The segment whose range has `offset`, startOffset ≤ offset. */
  find(offset: number): Segment {
    let low = 0;
    let high = this.segments.length;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (this.segments[middle]!.baseOffset <= offset) low = middle;
      else high = middle;
    }
    return this.segments[low]!;
  }

  /** The first segment that may hold a record of `timeMicros` or later. */
  findTime(timeMicros: number): Segment {
    return this.segments.find((segment) => segment.lastTimeMicros >= timeMicros) ?? this.active;
  }

  /** The segment behind `segment`, `undefined` behind the active one or if `segment` is not here any more. */
  after(segment: Segment): Segment | undefined {
    const at = this.segments.indexOf(segment);
    return at < 0 ? undefined : this.segments[at + 1];
  }

  has(segment: Segment): boolean {
    return this.segments.includes(segment);
  }

  /** A new active segment; the one before it is closed from now on. */
  push(segment: Segment): void {
    const { active } = this;
    assert(segment.baseOffset === active.lastOffset, 'a segment begins where the last one ends');
    this.segments.push(segment);
    if (active.index !== undefined) this.keepIndex(active, active.index);
  }

  /** The oldest segment is kept no longer. */
  dropFirst(): Segment {
    assert(this.segments.length > 1, 'the active segment stays');
    const segment = this.segments.shift()!;
    this.garbage.add(segment.file);
    this.loaded.delete(segment);
    return segment;
  }

  /** `output` stands for `sources`, neighbours, from now on. */
  replace(sources: readonly Segment[], output: Segment): void {
    const at = this.segments.indexOf(sources[0]!);
    assert(at >= 0 && this.segments[at + sources.length - 1] === sources.at(-1), 'the sources are neighbours');
    this.segments.splice(at, sources.length, output);
    this.garbage.delete(output.file);
    for (const source of sources) {
      this.garbage.add(source.file);
      this.loaded.delete(source);
    }
    if (output.index !== undefined) this.keepIndex(output, output.index);
  }

  /** Forgets the indices of closed segments; they are read again when they are needed. */
  dropIndexes(): void {
    for (const segment of this.loaded) segment.index = undefined;
    this.loaded.clear();
  }

  /** Keeps the index of a closed segment in memory, as the one used last. */
  keepIndex(segment: Segment, index: SegmentIndex): void {
    segment.index = index;
    this.loaded.delete(segment);
    this.loaded.add(segment);
    if (this.loaded.size <= this.loadedMax) return;
    const [oldest] = this.loaded;
    oldest!.index = undefined;
    this.loaded.delete(oldest!);
  }
}
