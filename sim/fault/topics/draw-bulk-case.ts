// Bulk cases of the durable topics: a seed draws a few hundred thousand messages in large bursts, through exclusive, shared and
// key-ordered groups and through groups that commit, with crashes, partitions and bad disks between. What the swarm's small cases
// look for in corners, these look for in numbers.

import type { GroupMode, TopicTerms } from '../../../core/bus/topics/topic-protocol.ts';
import { soundDisk } from '../../world/disk-spec.ts';
import type { TopicCase } from '../../world/topic-case.ts';
import type { TopicGroupSpec, TopicMemberSpec } from '../../world/topic-member.ts';
import type { TopicProducerSpec } from '../../world/topic-producer.ts';
import { drawFaults, TopicDraw } from './draw-topic-case.ts';

const millisecond = 1000;
const second = 1000 * millisecond;

/** `messages`: how many the producers publish, about. */
export function drawBulkCase(seed: number, messages = 300_000): TopicCase {
  const draw = new TopicDraw(seed, 'topics.bulk');
  const producers: TopicProducerSpec[] = [];
  const members: TopicMemberSpec[] = [];
  const terms: Partial<TopicTerms> = {
    retainMicros: 30 * second,
    attemptsMax: 4,
    deadLetterTopic: 'dead',
    acknowledgeWaitMicros: 5 * second,
    backoffFloorMicros: 100 * millisecond,
    backoffCeilingMicros: second,
  };
  const modes: readonly GroupMode[] = ['exclusive', 'shared', 'keyOrdered'];
  const topicCount = draw.whole(1, 2);
  const topics: { name: string; terms: Partial<TopicTerms> }[] = [];
  const producersPerTopic = draw.whole(1, 3);
  const each = Math.max(100, Math.round(messages / (topicCount * producersPerTopic)));
  const burst = draw.pick([256, 512, 1024]);
  const gapMicros = draw.pick([2, 5, 10]) * millisecond;
  const publishedMicros = Math.ceil(each / burst) * gapMicros + second;
  for (let index = 0; index < topicCount; index++) {
    const name = `topic-${'ab'[index]}`;
    topics.push({ name, terms });
    for (let number = 0; number < producersPerTopic; number++) producers.push(producer(draw, producers.length, name));
    const mode = draw.pick(modes);
    const group: TopicGroupSpec = {
      name: `${name}-g`,
      topic: name,
      mode,
      start: 'earliest',
      speed: 'full',
      atMicros: 2,
      rejectShare: draw.pick([0, 0.002]),
      deadlyShare: draw.pick([0, 0, 0.0005]),
      resultTopic: draw.chance(0.15) ? 'results' : '',
    };
    members.push(...membersOf(group, mode === 'exclusive' ? 1 : draw.whole(2, 4)));
  }
  for (const topic of ['results', 'dead']) {
    topics.unshift({ name: topic, terms: { ...terms, deadLetterTopic: '', attemptsMax: 1000 } });
    const group = { ...calm, name: `audit-${topic}`, topic };
    members.push(...membersOf(group, 1));
  }
  const horizonMicros = publishedMicros + 2 * second;
  const clients = [...producers.map(({ name }) => name), ...members.map(({ name }) => name)];
  return {
    seed,
    settings: {
      producerWindow: 4096,
      windowMessagesMax: draw.pick([2048, 8192]),
      hotMessagesMax: draw.pick([2048, 8192]),
      log: { segmentBytesMax: draw.pick([2 ** 20, 2 ** 22]), segmentAgeMaxMicros: 10 * second },
    },
    topics,
    producers,
    members,
    seeks: [],
    tensorLosses: [],
    network: {
      latency: { distribution: 'constant', meanMicros: draw.pick([100, 500]), sigma: 0 },
      bandwidthBytesPerSecond: 0,
      loss: draw.pick([0, 0, 0.01]),
      duplication: draw.pick([0, 0.01]),
      reordering: draw.pick([0, 0.01]),
    },
    link: {
      latency: { distribution: 'constant', meanMicros: draw.pick([100, 500]), sigma: 0 },
      breakShare: draw.pick([0, 0.0005]),
      noticeMicros: 100 * millisecond,
    },
    reconnectMicros: 100 * millisecond,
    disk: {
      ...soundDisk,
      capacityBytes: 2 ** 34,
      bandwidthBytesPerSecond: 0,
      syncLatency: { distribution: 'lognormal', meanMicros: 2 * millisecond, sigma: 0.3 },
    },
    maintainMicros: second,
    faults: drawFaults(draw, clients, horizonMicros, draw.whole(1, 6)),
    horizonMicros,
    settleMicros: 3600 * second,
  };

  function producer(drawn: TopicDraw, index: number, topic: string): TopicProducerSpec {
    return {
      name: `p${index}`,
      stream: {
        topic,
        messages: each,
        startMicros: 1000 + index * 300,
        burst,
        gapMicros,
        keys: drawn.pick([1000, 5000]),
        hotShare: drawn.pick([0, 0.001]),
        prioritized: drawn.chance(0.2),
        deadlineShare: drawn.pick([0, 0, 0.01]),
        deadlineMicros: 200 * millisecond,
        delayShare: drawn.pick([0, 0, 0.001]),
        delayMicros: 500 * millisecond,
        payloadBytesMax: drawn.pick([16, 64, 128]),
        tensorEvery: 0,
        tensorLeaseMicros: 0,
      },
      window: 4096,
      retryMicros: 200 * millisecond,
      repeatShare: drawn.pick([0, 0.02]),
      settles: drawn.chance(0.5),
      forgets: drawn.chance(0.2),
    };
  }
}

const calm: TopicGroupSpec = {
  name: '',
  topic: '',
  mode: 'exclusive',
  start: 'earliest',
  speed: 'full',
  atMicros: 2,
  rejectShare: 0,
  deadlyShare: 0,
  resultTopic: '',
};

function membersOf(group: TopicGroupSpec, count: number): TopicMemberSpec[] {
  const settlesAll = group.mode === 'exclusive' && group.rejectShare + group.deadlyShare === 0;
  return Array.from({ length: count }, (_, number) => ({
    name: `${group.name}-m${number}`,
    group,
    workMicros: 0,
    chunk: 4096,
    windowMessages: 4096,
    windowBytes: 2 ** 30,
    settlesBy: group.resultTopic !== '' ? 'commit' : settlesAll ? 'cumulative' : 'each',
    repeatShare: 0.01,
    slowShare: 0.001,
    slowMicros: 6 * second,
    extends: number % 2 === 0,
  }));
}
