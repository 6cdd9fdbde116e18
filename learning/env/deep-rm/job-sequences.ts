// Sequences of DeepRM's jobs: at most one a time step, of a length and a demand for each of two resources. Drawn as in the
// environment's `job_distribution.py` (Mao et al., HotNets 2016), or read from a file.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { SiraError } from '../../../core/base/errors.ts';
import { RandomStream } from '../../../core/base/random.ts';

/** One sequence: by time step, a length of 0 for none. */
export interface JobSequence {
  readonly lengths: Int32Array;
  /** Of the first and of the second resource. */
  readonly demands: readonly [Int32Array, Int32Array];
}

/** Four of five jobs take 1 to 3 steps, the others 10 to 15; half of its slots or more of one resource, 1 or 2 of the other. */
export function drawSequence(seed: number, rate: number, steps = 50): JobSequence {
  const random = new RandomStream(seed, 'deep-rm jobs');
  const between = (low: number, high: number): number => low + random.nextBelow(high - low + 1);
  const lengths = new Int32Array(steps);
  const demands = [new Int32Array(steps), new Int32Array(steps)] as const;
  for (let step = 0; step < steps; step++) {
    if (random.nextFloat() >= rate) continue;
    lengths[step] = random.nextFloat() < 0.8 ? between(1, 3) : between(10, 15);
    const dominant = random.nextBelow(2);
    demands[dominant]![step] = between(5, 10);
    demands[1 - dominant]![step] = between(1, 2);
  }
  return { lengths, demands: [...demands] };
}

/** Sequences from JSON with `len` [sequences, steps] and `size` [sequences, steps, 2], gzipped. SIRA_FILE_MISSING,
 *  SIRA_TRACE_MALFORMED. */
export function readSequences(file: string): JobSequence[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new SiraError('SIRA_FILE_MISSING', `cannot read ${file}`, { file });
  }
  const { len, size } = JSON.parse(gunzipSync(bytes).toString()) as { len: number[][]; size: number[][][] };
  if (!Array.isArray(len) || !Array.isArray(size) || len.length !== size.length)
    throw new SiraError('SIRA_TRACE_MALFORMED', 'no sequences of jobs: `len` and `size` do not belong together', {
      file,
    });
  return len.map((lengths, sequence) => ({
    lengths: Int32Array.from(lengths),
    demands: [0, 1].map((resource) => Int32Array.from(size[sequence]!, (demand) => demand[resource]!)) as [
      Int32Array,
      Int32Array,
    ],
  }));
}
