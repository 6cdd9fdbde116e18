// Whether an input is well-formed: names, numbers, sizes. What it means now is for the parts to say.

import type { CommitResult, MessageContent, TensorOwnedInput } from './topic-protocol.ts';
import {
  digestBytesMax,
  isClientName,
  keyLengthMax,
  nameLengthMax,
  priorityMax,
  reasonLengthMax,
  type TopicSettings,
  tensorsPerMessageMax,
} from './topic-settings.ts';

/** What is wrong with a message, `undefined` if nothing is. */
export function contentFault(content: MessageContent, settings: TopicSettings): string | undefined {
  const { key, priority, deadlineMicros, deliverAtMicros, parent, tensors, digest, payload } = content;
  if (!(payload instanceof Uint8Array)) return 'a payload is bytes';
  let bytes = payload.length;
  if (key !== undefined) {
    if (typeof key !== 'string' || key.length > keyLengthMax) return `a key has at most ${keyLengthMax} characters`;
    bytes += 2 * key.length;
  }
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= priorityMax))
    return `a priority is a whole number from 0 to ${priorityMax}`;
  if (deadlineMicros !== undefined && !Number.isSafeInteger(deadlineMicros)) return 'a deadline is whole microseconds';
  if (deliverAtMicros !== undefined && !Number.isSafeInteger(deliverAtMicros)) return 'a time is whole microseconds';
  if (digest !== undefined && digest.length > digestBytesMax) return `a digest has at most ${digestBytesMax} bytes`;
  if (parent !== undefined && !(isClientName(parent.topic) && isOffset(parent.offset)))
    return 'a parent is a topic and an offset';
  if (tensors !== undefined) {
    if (tensors.length > tensorsPerMessageMax) return `a message has at most ${tensorsPerMessageMax} tensors`;
    for (const tensor of tensors) {
      if (!isClientName(tensor.tensor) || !isOffset(tensor.sizeBytes)) return 'a tensor has a name and a size';
      if (tensor.digest.length > digestBytesMax) return `a digest has at most ${digestBytesMax} bytes`;
      bytes += 2 * tensor.tensor.length + 60;
    }
  }
  if (bytes + 4 * nameLengthMax > settings.messageBytesMax)
    return `a message has at most ${settings.messageBytesMax} bytes, ${4 * nameLengthMax} of them for names`;
  return undefined;
}

/** What is wrong with the offsets and results of a commit. */
export function commitFault(
  offsets: readonly number[],
  results: readonly CommitResult[],
  settings: TopicSettings,
): string | undefined {
  if (offsets.length === 0) return 'a commit settles at least one offset';
  if (offsets.length > settings.commitPartsMax || results.length > settings.commitPartsMax)
    return `a commit has at most ${settings.commitPartsMax} offsets and results`;
  if (new Set(offsets).size !== offsets.length) return 'a commit names each offset once';
  for (const result of results) {
    const fault = contentFault(result, settings);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

export function tensorFault(input: TensorOwnedInput, settings: TopicSettings): string | undefined {
  const { tensor, owner, sizeBytes, digest, publications, leaseEndMicros } = input;
  if (!isClientName(tensor) || !isClientName(owner)) return 'tensor and owner have names';
  if (!isOffset(sizeBytes)) return 'a size is not negative';
  if (digest.length > digestBytesMax) return `a digest has at most ${digestBytesMax} bytes`;
  if (!(Number.isInteger(publications) && publications >= 1 && publications <= settings.tensorPublicationsMax))
    return `a tensor has 1 to ${settings.tensorPublicationsMax} publications`;
  return Number.isSafeInteger(leaseEndMicros) ? undefined : 'a lease ends at whole microseconds, or −1';
}

export function isReason(reason: unknown): reason is string {
  return typeof reason === 'string' && reason.length <= reasonLengthMax;
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
