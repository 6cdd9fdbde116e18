// The bounds and times of the durable topics, and the terms of a topic, checked. Everything that a TopicBroker keeps in memory
// is bounded by what stands here, times the number of topics and groups.

import { assert } from '../../base/assert.ts';
import { accepted, refused, type Status } from '../../base/status.ts';
import { microsPerDay, microsPerHour, microsPerMinute, microsPerSecond } from '../../base/time.ts';
import type { LogSettings } from '../../log/log.ts';
import type { TopicTerms } from './topic-protocol.ts';

export interface TopicSettings {
  readonly topicCountMax: number;
  readonly groupCountMax: number;
  readonly membersPerGroupMax: number;
  /** Subscribers that are connected. */
  readonly subscriberCountMax: number;
  /** Producers whose sequences one topic remembers; one that was silent for `producerIdleMicros` gives its place to another,
   *  and a repeat that it sends after that is stored again. */
  readonly producersPerTopicMax: number;
  readonly producerIdleMicros: number;
  /** How far a sequence may run ahead of the lowest missing one; a power of two, at least 32. */
  readonly producerWindow: number;
  /** Everything about one message, payload included. */
  readonly messageBytesMax: number;
  /** Messages that one group has in hand: delivered, delayed, waiting for credit. The look-ahead for priorities and keys. */
  readonly windowMessagesMax: number;
  /** Their bytes, at most (one more message may come). */
  readonly windowBytesMax: number;
  /** Newest messages that each topic keeps in memory, so that groups at the end read no files. */
  readonly hotMessagesMax: number;
  readonly hotBytesMax: number;
  /** What one read of older messages asks for. */
  readonly readMessagesMax: number;
  readonly readBytesMax: number;
  /** Deliveries of higher priority that may pass the oldest message that is ready; the next one is its own. */
  readonly priorityPassesMax: number;
  /** Longest gap at original speed. */
  readonly replayGapMicrosMax: number;
  /** Commits and dead letters under way, and the bytes of their results. */
  readonly commitCountMax: number;
  readonly commitBytesMax: number;
  /** Offsets and results of one commit. */
  readonly commitPartsMax: number;
  readonly tensorCountMax: number;
  /** How long a tensor that was freed is remembered, so that a repeated announcement does not bring it back; as many as may live. */
  readonly tensorMemoryMicros: number;
  /** Publications that refer to one tensor. */
  readonly tensorPublicationsMax: number;
  /** Messages of a topic after which its producers are written down; an opening reads at most that many and what came since. */
  readonly checkpointMessages: number;
  /** The ledger is compacted after so many bytes. */
  readonly ledgerCompactBytes: number;
  /** What terms leave out. */
  readonly defaultTerms: TopicTerms;
  /** Of all logs: `codeHash`, sizes of segments. Retention and record sizes are set by terms and `messageBytesMax`. */
  readonly log: Partial<LogSettings>;
}

export const defaultTopicTerms: TopicTerms = {
  retainMicros: 7 * microsPerDay,
  retainBytesMax: Number.POSITIVE_INFINITY,
  retentionOverridesGroups: false,
  compaction: false,
  backlogMessagesMax: Number.POSITIVE_INFINITY,
  backlogBytesMax: Number.POSITIVE_INFINITY,
  whenFull: 'refuse',
  attemptsMax: 16,
  deadLetterTopic: '',
  acknowledgeWaitMicros: 30 * microsPerSecond,
  backoffFloorMicros: microsPerSecond,
  backoffCeilingMicros: 10 * microsPerMinute,
  backoffJitter: 0.5,
};

export const defaultTopicSettings: TopicSettings = {
  topicCountMax: 10_000,
  groupCountMax: 10_000,
  membersPerGroupMax: 1_024,
  subscriberCountMax: 100_000,
  producersPerTopicMax: 10_000,
  producerIdleMicros: 24 * microsPerHour,
  producerWindow: 1_024,
  messageBytesMax: 1024 * 1024,
  windowMessagesMax: 1_024,
  windowBytesMax: 8 * 1024 * 1024,
  hotMessagesMax: 4_096,
  hotBytesMax: 8 * 1024 * 1024,
  readMessagesMax: 256,
  readBytesMax: 512 * 1024,
  priorityPassesMax: 63,
  replayGapMicrosMax: microsPerMinute,
  commitCountMax: 1_024,
  commitBytesMax: 64 * 1024 * 1024,
  commitPartsMax: 1_024,
  tensorCountMax: 100_000,
  tensorMemoryMicros: 10 * microsPerMinute,
  tensorPublicationsMax: 1_024,
  checkpointMessages: 100_000,
  ledgerCompactBytes: 16 * 1024 * 1024,
  defaultTerms: defaultTopicTerms,
  log: {},
};

/** Room in a record beyond `messageBytesMax` for what a dead letter says of its origin. */
export const originBytesMax = 16 * 1024;
export const nameLengthMax = 256;
export const keyLengthMax = 1_024;
export const reasonLengthMax = 1_000;
export const tensorsPerMessageMax = 64;
export const digestBytesMax = 32;
export const priorityMax = 9;

/** Asserts that settings are within their bounds. */
export function checkTopicSettings(settings: TopicSettings): void {
  const counts: (keyof TopicSettings)[] = [
    ...([
      'topicCountMax',
      'groupCountMax',
      'membersPerGroupMax',
      'subscriberCountMax',
      'producersPerTopicMax',
    ] as const),
    ...(['windowMessagesMax', 'windowBytesMax', 'hotMessagesMax', 'hotBytesMax', 'readMessagesMax'] as const),
    ...([
      'readBytesMax',
      'replayGapMicrosMax',
      'commitCountMax',
      'commitBytesMax',
      'commitPartsMax',
      'tensorCountMax',
    ] as const),
    ...([
      'tensorPublicationsMax',
      'tensorMemoryMicros',
      'checkpointMessages',
      'ledgerCompactBytes',
      'messageBytesMax',
    ] as const),
  ];
  for (const name of counts)
    assert(Number.isSafeInteger(settings[name]) && (settings[name] as number) >= 1, `${name} is at least 1`);
  assert(settings.messageBytesMax <= 4 * 1024 * 1024, 'a message has at most 4 MiB');
  assert(settings.priorityPassesMax >= 0, 'priorityPassesMax is not negative');
  assert(checkTerms(settings.defaultTerms).ok, 'the default terms are within their bounds');
}

/** SIRA_MESSAGE_REFUSED with what is wrong, if something is. */
export function checkTerms(terms: TopicTerms): Status {
  const atLeast = (name: keyof TopicTerms, min: number, whole: boolean): string | undefined => {
    const value = terms[name] as number;
    const fits = value >= min && (value === Number.POSITIVE_INFINITY || !whole || Number.isSafeInteger(value));
    return typeof value === 'number' && fits ? undefined : `${name} is at least ${min}, not ${value}`;
  };
  const wrong =
    atLeast('retainMicros', 1, false) ??
    atLeast('retainBytesMax', 1, false) ??
    atLeast('backlogMessagesMax', 1, true) ??
    atLeast('backlogBytesMax', 1, false) ??
    atLeast('attemptsMax', 1, true) ??
    atLeast('acknowledgeWaitMicros', 1, true) ??
    atLeast('backoffFloorMicros', 1, true) ??
    atLeast('backoffCeilingMicros', 1, true) ??
    atLeast('backoffJitter', 0, false);
  if (wrong !== undefined) return refused('SIRA_MESSAGE_REFUSED', wrong);
  if (terms.attemptsMax > 1000) return refused('SIRA_MESSAGE_REFUSED', 'attemptsMax is at most 1000');
  if (terms.backoffJitter > 1) return refused('SIRA_MESSAGE_REFUSED', 'backoffJitter is at most 1');
  if (terms.backoffCeilingMicros < terms.backoffFloorMicros)
    return refused('SIRA_MESSAGE_REFUSED', 'backoffCeilingMicros is at least backoffFloorMicros');
  if (!Number.isFinite(terms.acknowledgeWaitMicros) || !Number.isFinite(terms.backoffCeilingMicros))
    return refused('SIRA_MESSAGE_REFUSED', 'waits are finite');
  if (terms.whenFull !== 'refuse' && terms.whenFull !== 'dropOldest')
    return refused('SIRA_MESSAGE_REFUSED', 'whenFull is refuse or dropOldest');
  if (terms.deadLetterTopic !== '' && !isClientName(terms.deadLetterTopic))
    return refused('SIRA_MESSAGE_REFUSED', 'deadLetterTopic is no name');
  return accepted;
}

/** Whether a client, topic or group may have this name. */
export function isClientName(name: unknown): name is string {
  return typeof name === 'string' && name.length >= 1 && name.length <= nameLengthMax && name.charCodeAt(0) !== 126;
}
