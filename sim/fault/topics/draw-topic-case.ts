// Swarm testing of the durable topics: a seed draws a whole case: topics and their terms, producers, groups of all modes, what
// their messages and members are like, settings, network, disk, and which kinds of trouble there are. Small cases are dense with
// trouble; bulk cases send a few hundred thousand messages through a world with less of it.

import { RandomStream } from '../../../core/base/random.ts';
import type { GroupMode, ReplayPosition, TopicTerms } from '../../../core/bus/topics/topic-protocol.ts';
import type { TopicSettings } from '../../../core/bus/topics/topic-settings.ts';
import { type DiskSpec, soundDisk } from '../../world/disk-spec.ts';
import type { TopicCase, TopicFault, TopicFaultKind, TopicSeek } from '../../world/topic-case.ts';
import type { TopicGroupSpec, TopicMemberSpec } from '../../world/topic-member.ts';
import type { TopicProducerSpec } from '../../world/topic-producer.ts';

const millisecond = 1000;
const second = 1000 * millisecond;

/** Draws from one stream, with the words of a case. */
export class TopicDraw {
  readonly random: RandomStream;

  constructor(seed: number, name: string) {
    this.random = new RandomStream(seed, name);
  }

  chance(share: number): boolean {
    return this.random.nextFloat() < share;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.random.nextBelow(values.length)] as T;
  }

  /** A whole number from `low` to `high`. */
  whole(low: number, high: number): number {
    return low + this.random.nextBelow(high - low + 1);
  }

  /** `value` in a share of cases, else `other`. */
  sometimes<T>(share: number, value: () => T, other: T): T {
    return this.chance(share) ? value() : other;
  }
}

export function drawTopicCase(seed: number): TopicCase {
  return withRot(withLeaves(drawPlainCase(seed)));
}

/** In one case of three some unsubscribe: drawn from a stream of its own, so that the rest is what its seed always drew. */
function withLeaves(drawn: TopicCase): TopicCase {
  const draw = new TopicDraw(drawn.seed, 'topics.leaving');
  if (!draw.chance(0.33)) return drawn;
  const sought = new Set(drawn.seeks.map(({ group }) => group));
  // A group that is made anew gives its tensors, results and dead letters again: those of others are counted elsewhere.
  const hasTensors = new Set(drawn.producers.filter(({ stream }) => stream.tensorEvery > 0).map((p) => p.stream.topic));
  const hasDead = new Set(drawn.topics.filter(({ terms }) => (terms.deadLetterTopic ?? '') !== '').map((t) => t.name));
  const members = drawn.members.filter(({ group }) => !group.name.startsWith('audit') && !hasTensors.has(group.topic));
  if (members.length === 0) return drawn;
  const leaves = Array.from({ length: draw.whole(1, 6) }).flatMap(() => {
    const { name, group } = draw.pick(members);
    const atMicros = draw.whole(1, drawn.horizonMicros - 2);
    const forMicros = Math.min(
      draw.whole(1, draw.pick([millisecond, second, 3 * second])),
      drawn.horizonMicros - atMicros,
    );
    const mayEnd = group.resultTopic === '' && !hasDead.has(group.topic) && !sought.has(group.name);
    const endsGroup = draw.chance(0.6) && mayEnd;
    // All at once, mostly: the last one ends it.
    const leaving =
      endsGroup && draw.chance(0.7) ? members.filter((other) => other.group.name === group.name) : [{ name }];
    return leaving.map((member) => ({ atMicros, forMicros, member: member.name, endsGroup }));
  });
  return { ...drawn, leaves };
}

/** In one case of sixteen bits flip on the disk: likewise. What is damaged is found and named, and nobody need live with it. */
function withRot(drawn: TopicCase): TopicCase {
  const draw = new TopicDraw(drawn.seed, 'topics.rot');
  if (!draw.chance(1 / 16)) return drawn;
  const disk = { ...drawn.disk, bitRotMeanMicros: draw.pick([300 * millisecond, 2 * second, 10 * second]) };
  return { ...drawn, disk };
}

function drawPlainCase(seed: number): TopicCase {
  const draw = new TopicDraw(seed, 'topics.swarm');
  const topicCount = draw.whole(1, 3);
  const hasDead = draw.chance(0.6);
  const hasTensors = draw.chance(0.25);
  const topics: { name: string; terms: Partial<TopicTerms> }[] = [];
  const producers: TopicProducerSpec[] = [];
  const members: TopicMemberSpec[] = [];
  const seeks: TopicSeek[] = [];
  let publishedMicros = 0;
  for (let index = 0; index < topicCount; index++) {
    const name = `topic-${'abc'[index]}`;
    const terms = drawTerms(draw, hasDead);
    topics.push({ name, terms });
    const tensorEvery = hasTensors && index === 0 ? draw.whole(1, 6) : 0;
    for (let number = draw.whole(1, 2); number > 0; number--) {
      const spec = drawProducer(draw, `p${producers.length}`, name, tensorEvery);
      producers.push(spec);
      const { startMicros, messages, burst, gapMicros } = spec.stream;
      publishedMicros = Math.max(publishedMicros, startMicros + Math.ceil(messages / burst) * gapMicros);
    }
    for (let number = draw.whole(1, 3); number > 0; number--) {
      const isFirst = number === 1;
      const group = drawGroup(draw, `${name}-g${number}`, name, isFirst, publishedMicros);
      members.push(...drawMembers(draw, group, terms));
      if (tensorEvery === 0 && group.resultTopic === '' && draw.chance(0.15))
        seeks.push({
          atMicros: draw.whole(1, publishedMicros + second),
          group: group.name,
          position: drawPosition(draw, publishedMicros),
        });
    }
  }
  const audits = ['results', ...(hasDead ? ['dead'] : [])];
  for (const topic of audits) {
    // First: a topic that names it for its dead letters would make it with other terms.
    topics.unshift({ name: topic, terms: endless });
    members.push({ ...auditor, name: `audit-${topic}`, group: { ...auditGroup, name: `audit-${topic}`, topic } });
  }
  const horizonMicros = publishedMicros + draw.whole(1, 8) * second;
  const clients = [...producers.map(({ name }) => name), ...members.map(({ name }) => name)];
  const isReliable = tensorEvery(producers);
  return {
    seed,
    settings: drawSettings(draw),
    topics,
    producers,
    members,
    seeks,
    tensorLosses: drawLosses(draw, producers, publishedMicros),
    network: drawNetwork(draw, isReliable),
    link: {
      latency: {
        distribution: draw.pick(['constant', 'exponential', 'lognormal'] as const),
        meanMicros: draw.pick([100, 1000, 20 * millisecond]),
        sigma: 1,
      },
      breakShare: draw.sometimes(0.3, () => 0.02 * draw.random.nextFloat(), 0),
      noticeMicros: draw.pick([millisecond, 100 * millisecond, 2 * second]),
    },
    reconnectMicros: draw.pick([50 * millisecond, 500 * millisecond]),
    disk: drawDisk(draw),
    maintainMicros: draw.pick([100 * millisecond, second]),
    faults: drawFaults(draw, clients, horizonMicros, draw.whole(0, 9)),
    horizonMicros,
    settleMicros: 3600 * second,
  };
}

/** Some message somewhere refers to a tensor. */
function tensorEvery(producers: readonly TopicProducerSpec[]): boolean {
  return producers.some(({ stream }) => stream.tensorEvery > 0);
}

/** Results and dead letters are read by somebody who makes no trouble. */
const auditGroup: TopicGroupSpec = {
  name: 'audit',
  topic: 'results',
  mode: 'exclusive',
  start: 'earliest',
  speed: 'full',
  atMicros: 2,
  rejectShare: 0,
  deadlyShare: 0,
  resultTopic: '',
};
const auditor: TopicMemberSpec = {
  name: 'audit',
  group: auditGroup,
  workMicros: 0,
  chunk: 256,
  windowMessages: 512,
  windowBytes: 2 ** 24,
  settlesBy: 'cumulative',
  repeatShare: 0,
  slowShare: 0,
  slowMicros: 0,
  extends: false,
};
/** Of topics in which nothing may be missing in the end. */
const endless: Partial<TopicTerms> = {
  retainMicros: Number.POSITIVE_INFINITY,
  acknowledgeWaitMicros: 5 * second,
  backoffFloorMicros: 50 * millisecond,
  backoffCeilingMicros: second,
  attemptsMax: 1000,
};

function drawTerms(draw: TopicDraw, hasDead: boolean): Partial<TopicTerms> {
  const backoffFloorMicros = draw.pick([1, 20 * millisecond, 300 * millisecond]);
  const isBounded = draw.chance(0.15);
  const isShort = draw.chance(0.25);
  return {
    retainMicros: isShort ? draw.pick([second, 5 * second]) : Number.POSITIVE_INFINITY,
    retainBytesMax: draw.sometimes(0.15, () => draw.whole(5000, 40_000), Number.POSITIVE_INFINITY),
    retentionOverridesGroups: draw.chance(0.2),
    compaction: draw.chance(0.1),
    backlogMessagesMax: isBounded ? draw.whole(20, 200) : Number.POSITIVE_INFINITY,
    whenFull: draw.pick(['refuse', 'dropOldest'] as const),
    attemptsMax: draw.whole(2, 6),
    deadLetterTopic: hasDead && draw.chance(0.8) ? 'dead' : '',
    acknowledgeWaitMicros: draw.pick([200 * millisecond, second, 5 * second]),
    backoffFloorMicros,
    backoffCeilingMicros: backoffFloorMicros * draw.pick([1, 4, 30]),
    backoffJitter: draw.pick([0, 0.2, 0.5, 1]),
  };
}

function drawProducer(draw: TopicDraw, name: string, topic: string, every: number): TopicProducerSpec {
  const hasDeadlines = draw.chance(0.3);
  const hasDelays = draw.chance(0.3);
  return {
    name,
    stream: {
      topic,
      messages: draw.pick([draw.whole(20, 60), draw.whole(100, 400), draw.whole(300, 1200)]),
      startMicros: draw.whole(1, second),
      burst: draw.pick([1, 1, 4, 32]),
      gapMicros: draw.pick([100, 5 * millisecond, 40 * millisecond]),
      keys: draw.pick([0, 2, 8, 50]),
      hotShare: draw.pick([0, 0.2, 0.7]),
      prioritized: draw.chance(0.4),
      deadlineShare: hasDeadlines ? draw.pick([0.1, 0.5, 1]) : 0,
      deadlineMicros: draw.pick([10 * millisecond, 500 * millisecond, 5 * second]),
      delayShare: hasDelays ? draw.pick([0.1, 0.5]) : 0,
      delayMicros: draw.pick([50 * millisecond, second, 4 * second]),
      payloadBytesMax: draw.pick([0, 40, 300, 2000]),
      tensorEvery: every,
      tensorLeaseMicros: draw.pick([20 * second, 300 * second]),
    },
    window: draw.pick([1, 8, 32, 32]),
    retryMicros: draw.pick([50 * millisecond, 300 * millisecond]),
    repeatShare: draw.sometimes(0.4, () => 0.5 * draw.random.nextFloat(), 0),
    settles: draw.chance(0.5),
    forgets: draw.chance(0.4),
  };
}

function drawPosition(draw: TopicDraw, publishedMicros: number): ReplayPosition {
  switch (draw.whole(0, 3)) {
    case 0:
      return 'earliest';
    case 1:
      return 'latest';
    case 2:
      return { offset: draw.whole(0, 100) };
    default:
      return { timeMicros: draw.whole(1, publishedMicros) };
  }
}

function drawGroup(
  draw: TopicDraw,
  name: string,
  topic: string,
  isFirst: boolean,
  publishedMicros: number,
): TopicGroupSpec {
  const commits = draw.chance(0.3);
  const later = draw.chance(0.5);
  return {
    name,
    topic,
    mode: draw.pick(['exclusive', 'shared', 'keyOrdered', 'keyOrdered'] satisfies GroupMode[]),
    start: isFirst ? 'earliest' : drawPosition(draw, publishedMicros),
    speed: draw.chance(isFirst ? 0.05 : 0.2) ? 'original' : 'full',
    atMicros: isFirst ? 2 : later ? draw.whole(2, publishedMicros + second) : 2,
    rejectShare: draw.sometimes(0.4, () => 0.3 * draw.random.nextFloat(), 0),
    deadlyShare: draw.sometimes(0.3, () => 0.1 * draw.random.nextFloat(), 0),
    resultTopic: commits ? 'results' : '',
  };
}

function drawMembers(draw: TopicDraw, group: TopicGroupSpec, terms: Partial<TopicTerms>): TopicMemberSpec[] {
  const count = group.mode === 'exclusive' ? 1 : draw.whole(1, 4);
  const windowMessages = draw.pick([1, 3, 20, 200]);
  const settlesBy =
    group.resultTopic !== ''
      ? 'commit'
      : group.mode === 'exclusive' && group.rejectShare + group.deadlyShare === 0 && draw.chance(0.6)
        ? 'cumulative'
        : 'each';
  const isSlow = draw.chance(0.4);
  return Array.from({ length: count }, (_, number) => ({
    name: `${group.name}-m${number}`,
    group,
    workMicros: draw.pick([0, 10, millisecond]),
    chunk: draw.pick([1, 4, 64]),
    windowMessages,
    windowBytes: draw.sometimes(0.3, () => 2500, 2 ** 24),
    settlesBy,
    repeatShare: draw.sometimes(0.3, () => 0.3, 0),
    slowShare: isSlow ? draw.pick([0.02, 0.2]) : 0,
    slowMicros: Math.round((terms.acknowledgeWaitMicros ?? second) * draw.pick([0.5, 1.2, 4])),
    extends: draw.chance(0.5),
  }));
}

function drawSettings(draw: TopicDraw): Partial<TopicSettings> {
  return {
    producerWindow: 64,
    windowMessagesMax: draw.pick([4, 16, 64, 1024]),
    windowBytesMax: draw.pick([5000, 8 * 1024 * 1024]),
    hotMessagesMax: draw.pick([1, 16, 256, 4096]),
    readMessagesMax: draw.pick([2, 16, 256]),
    priorityPassesMax: draw.pick([0, 3, 63]),
    replayGapMicrosMax: draw.pick([20 * millisecond, second]),
    checkpointMessages: draw.pick([10, 100, 100_000]),
    ledgerCompactBytes: draw.pick([2000, 20_000, 16 * 1024 * 1024]),
    log: {
      segmentBytesMax: draw.pick([4096, 16_384, 2 ** 20]),
      recordBytesMax: 4096 * 16,
      segmentAgeMaxMicros: draw.pick([second, Number.POSITIVE_INFINITY]),
      indexEveryBytes: draw.pick([64, 1024, 16_384]),
    },
    messageBytesMax: 4096,
  };
}

function drawNetwork(draw: TopicDraw, isReliable: boolean): TopicCase['network'] {
  const meanMicros = draw.pick([50, millisecond, 20 * millisecond]);
  return {
    latency: { distribution: draw.pick(['constant', 'exponential', 'lognormal'] as const), meanMicros, sigma: 1 },
    bandwidthBytesPerSecond: 0,
    loss: draw.sometimes(0.4, () => 0.3 * draw.random.nextFloat(), 0),
    // A tensor that is announced again after its release is another one to the broker.
    duplication: isReliable ? 0 : draw.sometimes(0.4, () => 0.3 * draw.random.nextFloat(), 0),
    reordering: isReliable ? 0 : draw.sometimes(0.4, () => 0.3 * draw.random.nextFloat(), 0),
  };
}

function drawDisk(draw: TopicDraw): DiskSpec {
  const syncMicros = draw.pick([200, 2 * millisecond, 30 * millisecond]);
  return {
    ...soundDisk,
    bandwidthBytesPerSecond: draw.pick([0, 2_000_000, 500_000_000]),
    syncLatency: { distribution: 'lognormal', meanMicros: syncMicros, sigma: 0.8 },
    syncFailure: draw.sometimes(0.1, () => 0.01, 0),
    readFailure: draw.sometimes(0.1, () => 0.02, 0),
    writeFailure: draw.sometimes(0.1, () => 0.01, 0),
    slowEpisodes: draw.chance(0.2)
      ? { meanBetweenMicros: 2 * second, meanLengthMicros: 300 * millisecond, factor: draw.whole(2, 40) }
      : soundDisk.slowEpisodes,
  };
}

const faultKinds: readonly TopicFaultKind[] = [
  'brokerCrash',
  'brokerPause',
  'diskSlow',
  'diskFull',
  'diskFails',
  'partition',
  'linkBreak',
  'crash',
  'hang',
];

/** Every fault is over by the horizon. */
export function drawFaults(
  draw: TopicDraw,
  clients: readonly string[],
  horizonMicros: number,
  count: number,
): TopicFault[] {
  const kinds = faultKinds.filter((kind) => draw.chance(kind === 'brokerCrash' ? 0.8 : 0.5));
  if (kinds.length === 0) return [];
  return Array.from({ length: count }, () => {
    const kind = draw.pick(kinds);
    const atMicros = draw.whole(1, horizonMicros - 2);
    const longest = draw.pick([10 * millisecond, 300 * millisecond, 3 * second]);
    return {
      kind,
      atMicros,
      forMicros: Math.max(1, Math.min(draw.whole(1, longest), horizonMicros - atMicros - 1)),
      who: kind.startsWith('broker') || kind.startsWith('disk') ? '' : draw.pick(clients),
      factor: draw.whole(2, 100),
    };
  });
}

function drawLosses(
  draw: TopicDraw,
  producers: readonly TopicProducerSpec[],
  publishedMicros: number,
): TopicCase['tensorLosses'] {
  const { name, stream } = producers[0]!;
  if (stream.tensorEvery === 0) return [];
  return Array.from({ length: draw.whole(0, 5) }, () => ({
    atMicros: draw.whole(1, publishedMicros),
    producer: name,
    sequence: draw.whole(1, Math.max(1, Math.floor(stream.messages / stream.tensorEvery))) * stream.tensorEvery,
  }));
}
