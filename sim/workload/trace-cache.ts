// Keeps the traces that a run has read, so that its seeds and policies share one reading of a file. A trace depends on its source
// alone, never changes, and is the same object each time. Bounded: sources that name another window for each seed would fill it.

import type { RecordedSource } from './read-trace.ts';
import { readTrace } from './read-trace.ts';
import type { Trace } from './trace.ts';

const tracesMax = 2;

export class TraceCache {
  /** By source, least recently asked for first. */
  private readonly traces = new Map<string, Trace>();
  /** Files read so far. */
  readCount = 0;

  /** As {@link readTrace}, from memory if the source was read lately. `{seed}` in the file's name stands for the seed. */
  read(named: RecordedSource, seed: number): Trace {
    const source = { ...named, file: named.file.replaceAll('{seed}', String(seed)) };
    const bySeed = source.format === 'swf' && source.firstJob === '{seed}';
    const key = `${JSON.stringify(source)} ${bySeed ? seed : ''}`;
    let trace = this.traces.get(key);
    if (trace === undefined) {
      trace = readTrace(source, seed);
      this.readCount++;
    }
    this.traces.delete(key);
    this.traces.set(key, trace);
    for (const oldest of this.traces.keys()) {
      if (this.traces.size <= tracesMax) break;
      this.traces.delete(oldest);
    }
    return trace;
  }
}
