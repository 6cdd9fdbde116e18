// Plays the recordings of a live broker of durable topics to new ones, and compares what each says, call by call, with the marks that
// the live one left. It reads the recordings alone: what the disk answered is in them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { SiraError } from '../../core/base/errors.ts';
import {
  playCall,
  type RecordedCall,
  type RecordedFrame,
  type RecordingHead,
} from '../../core/bus/topics/recorded-call.ts';
import { TopicBroker } from '../../core/bus/topics/topic-broker.ts';
import type { TopicEffect } from '../../core/bus/topics/topic-protocol.ts';

export interface TopicsVerdict {
  readonly file: string;
  readonly verdict: 'equal' | 'different';
  readonly calls: number;
  readonly inputs: number;
  /** What was said, files left out. */
  readonly effects: number;
  readonly recordedDigest: string;
  readonly replayedDigest: string;
  /** Bytes of a frame that a crash had left. */
  readonly tornBytes: number;
  /** The first call after which they differ, in words. */
  readonly told: readonly string[];
}

/** `codeHash`: of the code that runs; undefined: whatever code recorded. Throws SIRA_FILE_MISSING, SIRA_LOG_VERSION, SIRA_LOG_CORRUPT. */
export function verifyTopics(dataFolder: string, codeHash: string | undefined): TopicsVerdict[] {
  const folder = join(dataFolder, 'topics', 'recordings');
  let files: string[];
  try {
    files = readdirSync(folder).filter((file) => /^\d+\.calls$/.test(file));
  } catch {
    files = [];
  }
  if (files.length === 0)
    throw new SiraError(
      'SIRA_FILE_MISSING',
      `there is no recording in ${folder}`,
      {},
      'Start the kernel with --record-topics, or with "topics: { record: true }" in its configuration.',
    );
  files.sort((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10));
  return files.map((file) => verifyOne(join(folder, file), codeHash));
}

function verifyOne(file: string, codeHash: string | undefined): TopicsVerdict {
  const { frames, tornBytes } = readFrames(file);
  const head = frames[0] as RecordingHead | undefined;
  if (head?.format !== 1) throw new SiraError('SIRA_LOG_CORRUPT', 'it does not begin as a recording does', { file });
  if (codeHash !== undefined && head.codeHash !== codeHash)
    throw new SiraError('SIRA_LOG_VERSION', `it was recorded by the code ${head.codeHash}, and this is ${codeHash}`, {
      file,
    });
  const broker = new TopicBroker(
    { messageBytesMax: head.messageBytesMax, log: { codeHash: head.codeHash } },
    head.seed,
  );
  const counts = { calls: 0, inputs: 0, effects: 0 };
  let recordedDigest = '';
  const said: TopicEffect[] = [];
  const sink = { push: (effect: TopicEffect): unknown => effect.kind !== 'file' && said.push(effect) };
  for (const frame of frames.slice(1) as RecordedFrame[]) {
    said.length = 0;
    counts.calls++;
    if (frame.call.call === 'handle') counts.inputs++;
    let failure: string | undefined;
    try {
      playCall(broker, frame.call, sink);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    counts.effects += said.length;
    recordedDigest = frame.digest;
    if (failure === undefined && broker.digest === frame.digest) continue;
    const told = tell(counts.calls, frame, broker.digest, said, failure);
    return { file, verdict: 'different', ...counts, recordedDigest, replayedDigest: broker.digest, tornBytes, told };
  }
  return { file, verdict: 'equal', ...counts, recordedDigest, replayedDigest: broker.digest, tornBytes, told: [] };
}

function readFrames(file: string): { readonly frames: readonly unknown[]; readonly tornBytes: number } {
  const bytes = readFileSync(file);
  const frames: unknown[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (at + 4 + length > bytes.length) break;
    try {
      frames.push(deserialize(bytes.subarray(at + 4, at + 4 + length)));
    } catch {
      throw new SiraError('SIRA_LOG_CORRUPT', `the frame at byte ${at} cannot be read`, { file });
    }
    at += 4 + length;
  }
  return { frames, tornBytes: bytes.length - at };
}

function tell(
  number: number,
  { call, digest }: RecordedFrame,
  replayed: string,
  said: readonly TopicEffect[],
  failure: string | undefined,
): string[] {
  const lines = [
    `call ${number}: ${describe(call)}`,
    failure === undefined
      ? `after it the live broker had the digest ${digest}, this one has ${replayed}`
      : `the live broker took it; this one fails: ${failure}`,
  ];
  if (said.length === 0) lines.push('this one says nothing to it');
  for (const effect of said.slice(0, 5)) lines.push(`this one says: ${shortened(effect)}`);
  return lines;
}

function describe(call: RecordedCall): string {
  if (call.call === 'handle') return shortened(call.input);
  if (call.call === 'complete') return `the disk answers for ${call.store} at ${call.nowMicros} µs`;
  return call.call === 'flush' ? 'flush' : `${call.call} at ${call.nowMicros} µs`;
}

function shortened(value: object): string {
  const text = JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? `${part.length} bytes` : part));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
