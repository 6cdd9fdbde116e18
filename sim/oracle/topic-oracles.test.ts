// Each oracle of the durable topics is shown a short story in which its promise is broken, and must say so; and the same story
// told right, which it must let pass.

import { describe, expect, test } from 'vitest';
import type {
  DeliverEffect,
  GroupMode,
  TopicEffect,
  TopicInput,
  TopicTerms,
} from '../../core/bus/topics/topic-protocol.ts';
import { defaultTopicTerms } from '../../core/bus/topics/topic-settings.ts';
import { drawTopicCase } from '../fault/topics/draw-topic-case.ts';
import type { TopicCase } from '../world/topic-case.ts';
import { TopicStream, type TopicStreamSpec } from '../world/topic-stream.ts';
import { TopicOracles } from './topic-oracles.ts';
import { OracleViolation } from './violation.ts';

const plain: TopicStreamSpec = {
  topic: 't',
  messages: 50,
  startMicros: 10,
  burst: 1,
  gapMicros: 10,
  keys: 0,
  hotShare: 0,
  prioritized: false,
  deadlineShare: 0,
  deadlineMicros: 0,
  delayShare: 0,
  delayMicros: 0,
  payloadBytesMax: 20,
  tensorEvery: 0,
  tensorLeaseMicros: 0,
};

interface StoryOptions {
  readonly stream?: Partial<TopicStreamSpec>;
  readonly terms?: Partial<TopicTerms>;
  readonly mode?: GroupMode;
  readonly settlesBy?: 'each' | 'commit';
}

/** Topic `t`, producer `p`, group `g` with members `m` and `n`, and a result topic read by `r` for group `audit`. */
class Story {
  readonly oracles: TopicOracles;
  readonly stream: TopicStream;
  now = 1000;
  private readonly mode: GroupMode;

  constructor({ stream = {}, terms = {}, mode = 'shared', settlesBy = 'each' }: StoryOptions = {}) {
    this.mode = mode;
    const base = drawTopicCase(1);
    const member = base.members[0]!;
    const group = {
      ...member.group,
      name: 'g',
      topic: 't',
      mode,
      resultTopic: settlesBy === 'commit' ? 'results' : '',
    };
    const drawn: TopicCase = {
      ...base,
      topics: [
        { name: 't', terms: { acknowledgeWaitMicros: 100, retainMicros: Number.POSITIVE_INFINITY, ...terms } },
        { name: 'results', terms: {} },
        { name: 'dead', terms: {} },
      ],
      members: [
        { ...member, name: 'm', group, settlesBy },
        { ...member, name: 'n', group, settlesBy },
        {
          ...member,
          name: 'r',
          group: { ...group, name: 'audit', topic: 'results', resultTopic: '' },
          settlesBy: 'each',
        },
      ],
    };
    this.oracles = new TopicOracles({ case: drawn, defaultTerms: defaultTopicTerms, replayGapMicrosMax: 1000 });
    this.stream = new TopicStream(0, 'p', { ...plain, ...stream }, 7);
    this.oracles.streamBegins(this.stream);
  }

  heard(input: TopicInput): void {
    this.oracles.heard(input, this.now);
  }

  said(effect: TopicEffect): void {
    this.oracles.said(effect, this.now);
  }

  join(subscriber: string, group = 'g', topic = 't', offset = 0, connection = 1): void {
    const { now: timeMicros, mode } = this;
    this.heard({ kind: 'subscriberConnected', timeMicros, subscriber, connection });
    this.heard({
      kind: 'subscribe',
      timeMicros,
      subscriber,
      connection,
      group,
      topic,
      mode,
      start: 'earliest',
      speed: 'full',
    });
    const resumed = this.oracles.book.groups.has(group);
    this.said({ kind: 'subscribed', subscriber, connection, group, topic, resumed, offset, epoch: 0 });
    this.heard({ kind: 'grant', timeMicros, subscriber, connection, group, messages: 100, bytes: 1e6 });
  }

  publish(...offsets: number[]): void {
    for (const offset of offsets) {
      const sequence = offset + 1;
      this.said({ kind: 'published', topic: 't', producer: 'p', sequence, offset, duplicate: false });
    }
  }

  deliver(offset: number, changes: Partial<DeliverEffect> & { sequence?: number; connection?: number } = {}): void {
    const sequence = changes.sequence ?? offset + 1;
    const { stream, now } = this;
    const { deadlineMicros: _, ...content } = stream.publication(sequence, 0, undefined);
    this.said({
      kind: 'deliver',
      subscriber: 'm',
      connection: 1,
      group: 'g',
      topic: 't',
      attempt: 1,
      deadlineMicros: now + 100,
      lostTensors: [],
      message: {
        offset,
        publishMicros: 100 + offset,
        producer: 'p',
        sequence,
        key: content.key,
        priority: content.priority!,
        deadlineMicros: stream.deadlineMicros(sequence),
        deliverAtMicros: stream.deliverAtMicros(sequence),
        parent: undefined,
        tensors: content.tensors ?? [],
        digest: undefined,
        origin: undefined,
        payload: content.payload,
        settledSequence: -1,
      },
      ...changes,
    } as DeliverEffect);
  }

  acknowledge(offset: number, subscriber = 'm'): void {
    this.heard({ kind: 'acknowledge', timeMicros: this.now, subscriber, group: 'g', offset, cumulative: false });
  }

  cursor(offset: number, epoch = 0): void {
    this.said({ kind: 'cursorMoved', group: 'g', topic: 't', offset, epoch });
  }

  result(source: number, offset: number, producer = '~g'): void {
    const message = {
      ...this.stream.publication(1, 0, undefined),
      offset,
      publishMicros: 500,
      producer,
      sequence: offset + 1,
      parent: { topic: 't', offset: source },
      priority: 0,
      deadlineMicros: -1,
      deliverAtMicros: -1,
      tensors: [],
    };
    const wait = defaultTopicTerms.acknowledgeWaitMicros;
    this.said({
      ...{ kind: 'deliver', subscriber: 'r', connection: 1, group: 'audit', topic: 'results', attempt: 1 },
      ...{ deadlineMicros: this.now + wait, lostTensors: [], message },
    } as unknown as DeliverEffect);
  }
}

function caught(story: () => void): string {
  try {
    story();
  } catch (error) {
    if (error instanceof OracleViolation) return error.oracle;
    throw error;
  }
  return '';
}

function begun(options: StoryOptions = {}, published = 4): Story {
  const story = new Story(options);
  story.join('m');
  story.publish(...Array.from({ length: published }, (_, offset) => offset));
  return story;
}

/** First offset at or after `from` of which `holds`. */
function find(from: number, holds: (sequence: number) => boolean): number {
  for (let offset = from; offset < 50; offset++) if (holds(offset + 1)) return offset;
  throw new Error('no such message');
}

test('a story told right passes', () => {
  const story = begun();
  for (const offset of [0, 1, 2, 3]) story.deliver(offset);
  for (const offset of [1, 0, 3, 2]) story.acknowledge(offset);
  story.cursor(2);
  story.cursor(4);
  expect(story.oracles.missing()).toBeUndefined();
  story.oracles.finish(story.now);
});

describe('durability', () => {
  test('an offset is given to another message', () => {
    expect(caught(() => begun().deliver(1, { sequence: 9 }))).toBe('topic durability');
  });

  test('a payload is not as it was sent', () => {
    const story = begun();
    const one = story.stream.publication(1, 0, undefined);
    const payload = Uint8Array.from([...one.payload, 1]);
    const broken = (): void =>
      story.said({
        ...{ kind: 'deliver', subscriber: 'm', connection: 1, group: 'g', topic: 't', attempt: 1 },
        ...{ deadlineMicros: story.now + 100, lostTensors: [] },
        message: { ...one, offset: 0, publishMicros: 1, deadlineMicros: -1, deliverAtMicros: -1, tensors: [], payload },
      } as unknown as DeliverEffect);
    expect(caught(broken)).toBe('topic content');
  });

  test('what was confirmed as a duplicate was never there', () => {
    const story = begun();
    story.said({ kind: 'published', topic: 't', producer: 'p', sequence: 9, offset: -1, duplicate: true });
    expect(caught(() => story.oracles.finish(story.now))).toBe('topic durability');
  });

  test('a message is stored twice', () => {
    expect(caught(() => begun().deliver(7, { sequence: 2 }))).toBe('topic once');
  });
});

describe('order', () => {
  test('an exclusive group gets an older message later', () => {
    const story = begun({ mode: 'exclusive' });
    story.deliver(0);
    story.deliver(2);
    expect(caught(() => story.deliver(1))).toBe('topic order');
  });

  const keyed: StoryOptions = { stream: { keys: 1 }, mode: 'keyOrdered' };

  test('two messages of a key at once', () => {
    const story = begun(keyed);
    story.deliver(0);
    expect(caught(() => story.deliver(1))).toBe('topic order');
  });

  test('an older message of a key later', () => {
    const story = begun(keyed);
    story.deliver(1);
    story.acknowledge(1);
    expect(caught(() => story.deliver(0))).toBe('topic order');
  });

  test('one key after the other, over a crash', () => {
    const story = begun(keyed);
    story.deliver(0);
    story.acknowledge(0);
    story.deliver(1);
    story.oracles.down(story.now);
    story.join('m', 'g', 't', 0, 2);
    for (const offset of [0, 1]) {
      story.deliver(offset, { connection: 2 });
      story.acknowledge(offset);
    }
  });

  test('two members have one message', () => {
    const story = begun();
    story.join('n');
    story.deliver(0);
    expect(caught(() => story.deliver(0, { subscriber: 'n', attempt: 2 }))).toMatch(/order|retry/);
  });
});

describe('once', () => {
  const commits: StoryOptions = { settlesBy: 'commit' };
  function committed(): Story {
    const story = begun(commits, 2);
    story.join('r', 'audit', 'results');
    story.deliver(0);
    story.deliver(1);
    story.heard({
      kind: 'commit',
      timeMicros: 0,
      subscriber: 'm',
      group: 'g',
      commit: 1,
      offsets: [0, 1],
      results: [],
    });
    story.said({ kind: 'committed', subscriber: 'm', group: 'g', commit: 1, duplicate: false });
    story.cursor(2);
    return story;
  }

  test('each result once', () => {
    const story = committed();
    story.result(0, 0);
    story.result(1, 1);
    story.oracles.finish(story.now);
  });

  test('a result twice', () => {
    const story = committed();
    story.result(0, 0);
    expect(caught(() => story.result(0, 1))).toBe('topic once');
  });

  test('a result that is missing', () => {
    const story = committed();
    story.result(0, 0);
    expect(caught(() => story.oracles.finish(story.now))).toBe('topic once');
  });
});

describe('cursor', () => {
  test('ahead of what was acknowledged', () => {
    const story = begun();
    story.deliver(0);
    story.deliver(1);
    story.acknowledge(1);
    expect(caught(() => story.cursor(2))).toBe('topic cursor');
  });

  test('acknowledged by somebody else', () => {
    const story = begun();
    story.join('n');
    story.deliver(0);
    story.acknowledge(0, 'n');
    expect(caught(() => story.cursor(1))).toBe('topic cursor');
  });

  test('falls back, even over a crash', () => {
    const story = begun();
    story.deliver(0);
    story.acknowledge(0);
    story.cursor(1);
    story.oracles.down(story.now);
    expect(caught(() => story.join('m', 'g', 't', 0, 2))).toBe('topic cursor');
  });

  test('what is settled comes again', () => {
    const story = begun();
    story.deliver(0);
    story.deliver(1);
    story.acknowledge(1);
    expect(caught(() => story.deliver(1, { attempt: 2 }))).toBe('topic cursor');
  });
});

describe('credit', () => {
  test('more than was granted', () => {
    const story = begun({}, 0);
    const over = (): void => {
      for (let offset = 0; offset < 50; offset++) {
        story.publish(offset);
        story.deliver(offset);
        story.acknowledge(offset);
      }
      story.now += 1000;
      for (let offset = 0; offset < 51; offset++) story.oracles.book.groups.get('g')!.members.get('m')!.delivered++;
      story.deliver(49, { attempt: 2 });
    };
    expect(caught(over)).toBe('topic credit');
  });

  test('to nobody that is connected', () => {
    const story = begun();
    story.heard({ kind: 'subscriberDisconnected', timeMicros: 0, subscriber: 'm', connection: 1 });
    expect(caught(() => story.deliver(0))).toBe('topic credit');
  });
});

describe('retry', () => {
  const terms = { backoffFloorMicros: 1000, backoffCeilingMicros: 4000, backoffJitter: 0.5, attemptsMax: 2 };

  test('before the back-off is over', () => {
    const story = begun({ terms });
    story.deliver(0);
    story.now += 100 + 499;
    expect(caught(() => story.deliver(0, { attempt: 2 }))).toBe('topic retry');
    story.now += 1;
    story.deliver(0, { attempt: 2 });
  });

  test('more attempts than there are', () => {
    expect(caught(() => begun({ terms }).deliver(0, { attempt: 3 }))).toBe('topic retry');
  });

  test('a dead letter before the last attempt, and one that is nowhere', () => {
    const dead = (attempts: number): TopicEffect => ({
      ...{ kind: 'deadLettered', group: 'g', topic: 't', offset: 0, attempts },
      ...{ cause: 'rejected', deadLetterTopic: 'dead' },
    });
    const early = begun({ terms: { ...terms, deadLetterTopic: 'dead' } });
    expect(caught(() => early.said(dead(1)))).toBe('topic retry');
    const story = begun({ terms: { ...terms, deadLetterTopic: 'dead' } });
    story.said(dead(2));
    expect(caught(() => story.oracles.finish(story.now))).toBe('topic retry');
  });
});

describe('time', () => {
  test('too late, and dropped too early', () => {
    const stream = { deadlineShare: 1, deadlineMicros: 100_000 };
    const late = begun({ stream });
    late.now = late.stream.deadlineMicros(1) + 1;
    expect(caught(() => late.deliver(0))).toBe('topic time');
    const early = begun({ stream });
    const deadlineMicros = early.stream.deadlineMicros(1);
    const drop = (): void =>
      early.said({ kind: 'lateDropped', group: 'g', topic: 't', offset: 0, deadlineMicros, count: 1 });
    expect(caught(drop)).toBe('topic time');
  });

  test('too early', () => {
    const story = begun({ stream: { delayShare: 1, delayMicros: 100_000 } });
    expect(caught(() => story.deliver(0))).toBe('topic time');
  });

  test('an older message of higher priority waits', () => {
    const story = begun({ stream: { prioritized: true } }, 50);
    const high = find(0, (sequence) => story.stream.priority(sequence) === 9);
    const low = find(high + 1, (sequence) => story.stream.priority(sequence) === 0);
    expect(caught(() => story.deliver(low))).toBe('topic time');
  });
});

test('retention: lost although the terms forbid it', () => {
  const skipped = { kind: 'skipped', group: 'g', topic: 't', cause: 'retention', fromOffset: 0, toOffset: 2 } as const;
  expect(caught(() => begun().said(skipped))).toBe('topic retention');
  begun({ terms: { retentionOverridesGroups: true } }).said(skipped);
});

test('replay: a group that does not begin at the beginning', () => {
  const story = new Story();
  expect(caught(() => story.join('m', 'g', 't', 3))).toBe('topic replay');
});

describe('tensors', () => {
  function owned(): Story {
    const story = new Story({ stream: { tensorEvery: 1, tensorLeaseMicros: 1e9 } });
    story.join('m');
    story.heard(story.stream.announcement(1, story.now));
    story.said({ kind: 'tensorKept', tensor: 'p/1', owner: 'p' });
    story.publish(0);
    return story;
  }
  const released: TopicEffect = { kind: 'tensorReleased', tensor: 'p/1', owner: 'p', cause: 'done' };

  test('released while somebody needs it, or twice', () => {
    const story = owned();
    story.deliver(0);
    expect(caught(() => story.said(released))).toBe('topic tensors');
    const done = owned();
    done.deliver(0);
    done.acknowledge(0);
    done.said(released);
    expect(caught(() => done.said(released))).toBe('topic tensors');
  });

  test('lost, and nobody is told', () => {
    const story = owned();
    story.heard({ kind: 'tensorLost', timeMicros: story.now, tensor: 'p/1', reason: '' });
    story.now += 30_000_000;
    expect(caught(() => story.deliver(0))).toBe('topic tensors');
  });
});
