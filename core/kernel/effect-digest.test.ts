// A table of one effect of each kind; every field of each, and every element of its lists, is changed in turn. What may change
// without a change of the digest is listed, with the reason.

import { expect, test } from 'vitest';
import { Digest } from '../base/digest.ts';
import { digestEffect } from './effect-digest.ts';
import type { Effect } from './effects.ts';

const effects: readonly Effect[] = [
  {
    kind: 'agentRegistered',
    gateway: 1,
    name: 'alpha',
    agent: 2,
    incarnation: 3,
    helloSentMicros: 4,
    leaseMicros: 5,
    heartbeatIntervalMicros: 6,
    stop: [
      { task: 7, attempt: 8 },
      { task: 9, attempt: 10 },
    ],
  },
  { kind: 'agentRefused', gateway: 1, name: 'alpha', incarnation: 2, reason: 'incarnation is dead' },
  { kind: 'heartbeatsRecorded', gateway: 1, batch: 2 },
  { kind: 'submissionAccepted', submitter: 1, submission: 2 },
  { kind: 'submissionRefused', submitter: 1, submission: 2, code: 'SIRA_QUEUE_FULL', reason: 'full' },
  {
    kind: 'dispatch',
    agent: 1,
    incarnation: 2,
    task: 3,
    attempt: 4,
    order: 5,
    submitter: 6,
    submission: 7,
    machines: [1, 8],
    deviceMasks: [9, 10],
    checkpoint: { everyMicros: 11, resumeMicros: 12 },
  },
  { kind: 'stop', agent: 1, incarnation: 2, task: 3, attempt: 4, order: 5 },
  { kind: 'resultRecorded', agent: 1, incarnation: 2, task: 3, attempt: 4 },
  {
    kind: 'decisionMade',
    record: {
      decision: 1,
      task: 2,
      submission: 3,
      attempt: 4,
      kind: 5,
      outcome: 'placed',
      rule: 'backfilled',
      machines: [6, 7],
      deviceMasks: [8, 9],
      ranked: [
        { machine: 6, score: 0.5, scores: [0.25, 0.75] },
        { machine: 10, score: 0.4, scores: [0.1, 0.2] },
      ],
      feasibleCount: 11,
      tieCount: 12,
      reasonCounts: [13, 14, 15, 16, 17, 18],
      propensity: 0.125,
      policyVersion: 19,
      queueLength: 20,
      shadowMicros: 21,
      victims: [22, 23],
    },
  },
  { kind: 'agentStateChanged', agent: 1, from: 'ready', to: 'suspect', reason: 'heartbeat overdue' },
  { kind: 'agentHeld', agent: 1, cause: 'flapping', held: true, untilMicros: 2 },
  { kind: 'settingAnswered', name: 'scheduler.attemptsMax', version: 1, refusal: 'no' },
  { kind: 'wakeAt', timeMicros: 1 },
  { kind: 'subscribed', subscriber: 's', subscription: 'n', topic: 't', resumed: true, offset: 1 },
  {
    kind: 'deliver',
    subscriber: 's',
    subscription: 'n',
    topic: 't',
    offset: 1,
    attempt: 2,
    producer: 'p',
    sequence: 3,
    payload: { task: 4, submission: 5, outcome: 'completed', attempts: 6, attempt: 9, agent: 7, serviceMicros: 8 },
    correlation: null,
  },
  {
    kind: 'deliver',
    subscriber: 's',
    subscription: 'n',
    topic: 't',
    offset: 1,
    attempt: 2,
    producer: 'p',
    sequence: 3,
    payload: null,
    correlation: { role: 'request', requester: 'r', correlation: 4 },
  },
  { kind: 'published', producer: 'p', sequence: 1, offset: 2, duplicate: false },
  { kind: 'refused', input: 'publish', client: 'c', sequence: 1, reason: 'topic is full', code: 'SIRA_QUEUE_FULL' },
  { kind: 'requestTimedOut', requester: 'r', correlation: 1, code: 'SIRA_REQUEST_TIMED_OUT' },
];

/** Texts that a field may hold where not every text means something. */
const vocabulary: readonly (readonly string[])[] = [
  ['placed', 'waits', 'dropped', 'backs off', 'evicts'],
  ['completed', 'failed', 'dropped', 'cancelled'],
  ['starting', 'ready', 'busy', 'draining', 'suspect', 'dead'],
  ['flapping', 'outlier'],
  ['request', 'reply'],
  ['SIRA_QUEUE_FULL', 'SIRA_MESSAGE_REFUSED'],
];

/** Not added: the kind has a number, a code follows from the reason or the kind, a delivery's topic from its subscription. */
function isFree(kind: Effect['kind'], path: string): boolean {
  return (
    path === 'kind' ||
    (kind === 'deliver' && path === 'topic') ||
    ((kind === 'refused' || kind === 'requestTimedOut') && path === 'code')
  );
}

function digestOf(effect: unknown): string {
  const digest = new Digest();
  digestEffect(digest, effect as Effect);
  return digest.toHex();
}

function changesOf(value: unknown, field: string): unknown[] {
  switch (typeof value) {
    case 'number':
      return [value + 1, -value - 1, value + 4_294_967_296].slice(0, field === 'long' ? 3 : 2);
    case 'boolean':
      return [!value];
    case 'string': {
      if (value === 'backfilled') return ['in order'];
      const words = vocabulary.find((list) => list.includes(value));
      return words === undefined ? [`${value}!`, ''] : words.filter((word) => word !== value);
    }
    default:
      return [];
  }
}

/** Numbers that grow without end, and must not be cut to 32 bits. */
const longFields = ['task', 'submission', 'decision', 'incarnation', 'submitter', 'order', 'batch', 'offset'];

/** Every effect that differs from this one in one place: a changed value, or a list with an element more, less or moved. */
function* neighbours(value: unknown, path: string): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    if (value.length > 0) yield [`${path} shorter`, value.slice(1)];
    yield [`${path} longer`, [...value, value[0] ?? 1]];
    for (const [index, element] of value.entries()) {
      for (const [where, changed] of neighbours(element, `${path}.${index}`)) yield [where, value.with(index, changed)];
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      const where = path === '' ? key : `${path}.${key}`;
      for (const [deeper, changed] of neighbours(part, where)) yield [deeper, { ...value, [key]: changed }];
    }
  } else {
    const field = path.split('.').at(-1) as string;
    const isLong =
      longFields.includes(field) || field.endsWith('Micros') || (field === 'attempt' && path !== 'attempt');
    for (const changed of changesOf(value, isLong ? 'long' : field)) yield [path, changed];
  }
}

test.each(effects.map((effect) => [effect.kind, effect] as const))('%s: no field can change unseen', (kind, effect) => {
  const original = digestOf(effect);
  expect(digestOf(structuredClone(effect))).toBe(original);
  const seen = new Map([[original, 'unchanged']]);
  let count = 0;
  for (const [path, changed] of neighbours(effect, '')) {
    if (isFree(kind, path)) continue;
    // Machines and device masks come in pairs: the one list is as long as the other.
    if (/(machines|deviceMasks) (shorter|longer)$/.test(path)) continue;
    const digest = digestOf(changed);
    expect(seen.get(digest), `${path} as ${JSON.stringify(changed)}`).toBeUndefined();
    seen.set(digest, path);
    count++;
  }
  expect(count).toBeGreaterThan(0);
});

test('every kind of effect has a digest of its own, whatever it holds', () => {
  const bare = (effect: Effect): string => digestOf(effect);
  expect(new Set(effects.map(bare)).size).toBe(effects.length);
});

test('the order of effects counts', () => {
  const digest = (order: readonly number[]): string => {
    const both = new Digest();
    for (const index of order) digestEffect(both, effects[index] as Effect);
    return both.toHex();
  };
  for (let index = 1; index < effects.length; index++)
    expect(digest([index - 1, index])).not.toBe(digest([index, index - 1]));
});
