// Makes a failing case of the durable topics smaller, as long as the same oracle still finds fault with it: fewer faults, seeks,
// subscribers, producers and messages (ddmin over each list), then every trouble taken out that is not needed.

import { soundDisk } from '../../world/disk-spec.ts';
import type { TopicCase } from '../../world/topic-case.ts';
import type { Finding } from '../check-case.ts';
import { checkTopicCase } from './check-topic-case.ts';

export interface ShrunkTopicCase {
  readonly case: TopicCase;
  readonly finding: Finding;
  readonly runs: number;
}

export interface ShrinkTopicOptions {
  /** Cases run, at most. */
  readonly runsMax: number;
  /** What finds fault; {@link checkTopicCase} if left out. */
  readonly check?: ((drawn: TopicCase) => Finding | undefined) | undefined;
}

/** How long a smaller case may take to come to rest before that is its fault. */
const settleMicros = 60_000_000;

/** The smallest case found that fails as `drawn` does; undefined if `drawn` keeps every promise. */
export function shrinkTopicCase(drawn: TopicCase, { runsMax, check }: ShrinkTopicOptions): ShrunkTopicCase | undefined {
  const find = check ?? ((small: TopicCase) => checkTopicCase(small).finding);
  let finding = find(drawn);
  if (finding === undefined) return undefined;
  const { oracle } = finding;
  let best = drawn;
  let runs = 1;
  const attempt = (candidate: TopicCase): boolean => {
    if (runs >= runsMax || JSON.stringify(candidate) === JSON.stringify(best)) return false;
    runs++;
    const found = find(candidate);
    if (found?.oracle !== oracle) return false;
    best = candidate;
    finding = found;
    return true;
  };
  const shrinkList = <Item>(
    pick: (of: TopicCase) => readonly Item[],
    put: (kept: readonly Item[]) => TopicCase,
  ): void => {
    for (let length = pick(best).length; length >= 1; length = Math.floor(length / 2)) {
      for (let start = pick(best).length - length; start > -length; start -= length) {
        const list = pick(best);
        const fewer = [...list.slice(0, Math.max(0, start)), ...list.slice(Math.max(0, start) + length)];
        if (fewer.length < list.length) attempt(put(fewer));
      }
    }
  };
  if (oracle !== 'topic liveness') attempt({ ...best, settleMicros });
  for (let before = ''; before !== JSON.stringify(best) && runs < runsMax; ) {
    before = JSON.stringify(best);
    shrinkList(
      ({ faults }) => faults,
      (faults) => ({ ...best, faults }),
    );
    shrinkList(
      ({ seeks }) => seeks,
      (seeks) => ({ ...best, seeks }),
    );
    shrinkList(
      ({ leaves }) => leaves ?? [],
      (leaves) => ({ ...best, leaves }),
    );
    shrinkList(
      ({ members }) => members,
      (members) => ({ ...best, members }),
    );
    shrinkList(
      ({ producers }) => producers,
      (producers) => ({ ...best, producers }),
    );
    for (const simpler of simplifications) attempt(simpler(best));
  }
  return { case: best, finding, runs };
}

const simplifications: readonly ((drawn: TopicCase) => TopicCase)[] = [
  (drawn) => ({ ...drawn, tensorLosses: [] }),
  (drawn) => ({ ...drawn, settings: {} }),
  (drawn) => ({ ...drawn, disk: soundDisk }),
  (drawn) => ({ ...drawn, network: { ...drawn.network, loss: 0, duplication: 0, reordering: 0 } }),
  (drawn) => ({ ...drawn, link: { ...drawn.link, breakShare: 0 } }),
  (drawn) => ({ ...drawn, horizonMicros: Math.ceil(drawn.horizonMicros / 2), faults: endedBy(drawn) }),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, messages: Math.ceil(stream.messages / 2) })),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, messages: Math.max(1, stream.messages - 1) })),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, tensorEvery: 0 })),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, delayShare: 0, deadlineShare: 0 })),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, prioritized: false })),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, keys: 0, hotShare: 0 })),
  (drawn) => withStreams(drawn, (stream) => ({ ...stream, payloadBytesMax: 0 })),
  (drawn) => ({ ...drawn, producers: drawn.producers.map((producer) => ({ ...producer, repeatShare: 0 })) }),
  (drawn) => ({ ...drawn, producers: drawn.producers.map((producer) => ({ ...producer, forgets: false })) }),
  (drawn) => ({ ...drawn, members: drawn.members.map((member) => ({ ...member, repeatShare: 0, slowShare: 0 })) }),
];

/** The faults that are over by half the horizon. */
function endedBy({ faults, horizonMicros }: TopicCase): TopicCase['faults'] {
  return faults.filter(({ atMicros, forMicros }) => atMicros + forMicros < horizonMicros / 2);
}

type Stream = TopicCase['producers'][number]['stream'];

function withStreams(drawn: TopicCase, change: (stream: Stream) => Stream): TopicCase {
  return { ...drawn, producers: drawn.producers.map((producer) => ({ ...producer, stream: change(producer.stream) })) };
}
