// The durable topics as people look at them: what is on the disk of each, and how far each group is. Reads alone.

import type { Topic } from './topic.ts';
import type { TopicGroup } from './topic-group.ts';
import type { GroupMode } from './topic-terms.ts';

export interface TopicDescription {
  readonly name: string;
  /** Messages from here to before `endOffset` are kept. */
  readonly startOffset: number;
  readonly endOffset: number;
  /** Messages between the slowest group and the end, at most. */
  readonly backlogMessagesMax: number;
  readonly groups: readonly GroupDescription[];
}

export interface GroupDescription {
  readonly name: string;
  readonly mode: GroupMode;
  /** Members that are connected. */
  readonly members: number;
  /** Everything before is settled. */
  readonly offset: number;
  /** Messages from there to the end; some of them may be settled. */
  readonly lag: number;
}

/** In order of creation. */
export function describeTopics(topics: Iterable<Topic>, groups: Iterable<TopicGroup>): readonly TopicDescription[] {
  const groupsOf = new Map<Topic, GroupDescription[]>();
  for (const group of groups) {
    const { name, mode, topic, members } = group;
    const { offset } = group.durablePlace;
    const described = { name, mode, members: members.size, offset, lag: Math.max(0, topic.durableEnd - offset) };
    const known = groupsOf.get(topic);
    if (known === undefined) groupsOf.set(topic, [described]);
    else known.push(described);
  }
  const described: TopicDescription[] = [];
  for (const topic of topics) {
    const { name, startOffset, durableEnd, terms } = topic;
    const { backlogMessagesMax } = terms;
    described.push({ name, startOffset, endOffset: durableEnd, backlogMessagesMax, groups: groupsOf.get(topic) ?? [] });
  }
  return described;
}
