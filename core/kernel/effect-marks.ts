// What the journal keeps of the effects of an input: not the effects, which a replay makes again, but enough to see that it made
// the same: the digest over all effects of the kernel so far, and a fingerprint after each effect of this input, so that the
// first one that differs is named and not only its input. It is bounded, however many effects there are: a few bytes for most
// inputs, 147 at most. Which of two differing kernels is right, marks do not say.

import { Digest } from '../base/digest.ts';
import type { PackedReader, PackedWriter } from '../base/packed-values.ts';
import { digestEffect } from './effect-digest.ts';
import type { Effect } from './effects.ts';

export interface EffectMarks {
  /** Over all effects of the kernel up to this input's last: 16 hex digits. */
  readonly digest: string;
  readonly effectCount: number;
  /** 16 bits each, over this input's effects up to and with the last of each group of {@link groupLength} effects. */
  readonly fingerprints: readonly number[];
}

/** Groups of effects that have a fingerprint of their own, at most. */
const groupsMax = 64;

/** Bytes that marks take at most. */
export const marksBytesMax = 8 + 1 + 8 + 2 * groupsMax;

/** Effects that share a fingerprint: 1 unless there are more than 64. */
export function groupLength(effectCount: number): number {
  return Math.max(1, Math.ceil(effectCount / groupsMax));
}

/** `digest`: the kernel's, after these effects. */
export function markEffects(effects: readonly Effect[], digest: string): EffectMarks {
  const effectCount = effects.length;
  const length = groupLength(effectCount);
  const running = new Digest();
  const fingerprints: number[] = [];
  for (let index = 0; index < effectCount; index++) {
    digestEffect(running, effects[index] as Effect);
    if ((index + 1) % length !== 0 && index + 1 < effectCount) continue;
    fingerprints.push(fingerprintOf(running));
  }
  return { digest, effectCount, fingerprints };
}

/** Writes what {@link markEffects} makes, as two words of the digest, and keeps nothing: it is done for every input. */
export function writeMarks(writer: PackedWriter, effects: readonly Effect[], words: readonly [number, number]): void {
  for (const word of words) for (let shift = 24; shift >= 0; shift -= 8) writer.byte((word >>> shift) & 0xff);
  const effectCount = effects.length;
  writer.number(effectCount);
  const length = groupLength(effectCount);
  const running = new Digest();
  for (let index = 0; index < effectCount; index++) {
    digestEffect(running, effects[index] as Effect);
    if ((index + 1) % length !== 0 && index + 1 < effectCount) continue;
    const fingerprint = fingerprintOf(running);
    writer.byte(fingerprint >>> 8);
    writer.byte(fingerprint & 0xff);
  }
}

/** Malformed bytes make the reader note a fault. */
export function readMarks(reader: PackedReader): EffectMarks {
  let digest = '';
  for (let at = 0; at < 8; at++) digest += reader.byte().toString(16).padStart(2, '0');
  const effectCount = reader.number();
  if (!Number.isSafeInteger(effectCount) || effectCount < 0) reader.fail(`${effectCount} is no number of effects`);
  const fingerprints: number[] = [];
  if (reader.fault === undefined) {
    const count = Math.ceil(effectCount / groupLength(effectCount));
    for (let at = 0; at < count; at++) fingerprints.push(reader.byte() * 256 + reader.byte());
  }
  return { digest, effectCount, fingerprints };
}

/** Where two inputs' effects part: their indexes from `from` to `to`, both included; `undefined` if the marks agree. The digest
 *  may differ alone, when the kernels had parted before: then it is all effects. */
export function firstDifference(
  recorded: EffectMarks,
  replayed: EffectMarks,
): { readonly from: number; readonly to: number } | undefined {
  const sameCount = recorded.effectCount === replayed.effectCount;
  if (recorded.digest === replayed.digest && sameCount) return undefined;
  const length = groupLength(recorded.effectCount);
  // Fingerprints over groups of other lengths cannot be compared, but for those that both are of one effect each.
  if (length === groupLength(replayed.effectCount)) {
    const count = Math.max(recorded.fingerprints.length, replayed.fingerprints.length);
    for (let group = 0; group < count; group++) {
      if (recorded.fingerprints[group] === replayed.fingerprints[group]) continue;
      return { from: group * length, to: group * length + length - 1 };
    }
  }
  return { from: 0, to: Math.max(recorded.effectCount, replayed.effectCount) - 1 };
}

function fingerprintOf(running: Digest): number {
  const [first, second] = running.save();
  return ((first ^ second) >>> 8) & 0xffff;
}
