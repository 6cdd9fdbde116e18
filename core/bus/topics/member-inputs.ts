// What members of groups say: credit, acknowledgements, rejections, more time, commits. Each is checked against what the member
// holds; a repeat of what was settled changes nothing.

import { accepted, refused, type Status } from '../../base/status.ts';
import type { CommitPart, Commits } from './commits.ts';
import type { GroupDirectory } from './group-directory.ts';
import type { GroupEntry } from './group-entry.ts';
import { commitFault, isReason } from './input-checks.ts';
import type { TensorTable } from './tensor-table.ts';
import type { TopicDirectory } from './topic-directory.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { TopicGroup } from './topic-group.ts';
import type { AcknowledgeInput, CommitInput, ExtendInput, GrantInput, RejectInput } from './topic-protocol.ts';

export class MemberInputs {
  private readonly environment: TopicEnvironment;
  private readonly topics: TopicDirectory;
  private readonly groups: GroupDirectory;
  private readonly tensors: TensorTable;
  private readonly commits: Commits;

  constructor(
    environment: TopicEnvironment,
    topics: TopicDirectory,
    groups: GroupDirectory,
    tensors: TensorTable,
    commits: Commits,
  ) {
    this.environment = environment;
    this.topics = topics;
    this.groups = groups;
    this.tensors = tensors;
    this.commits = commits;
  }

  grant({ group: name, subscriber, connection, messages, bytes }: GrantInput): Status {
    const group = this.groups.find(name);
    const member = group === undefined ? undefined : this.groups.memberOf(subscriber, group, connection);
    if (group === undefined || member === undefined)
      return refused('SIRA_MESSAGE_REFUSED', 'not a member of the group by this connection');
    if (!(messages >= 0 && bytes >= 0)) return refused('SIRA_MESSAGE_REFUSED', 'credit is not negative');
    group.members.grant(member, messages, bytes);
    group.pump();
    return accepted;
  }

  acknowledge({ group: name, subscriber, offset, cumulative }: AcknowledgeInput): Status {
    const group = this.groups.find(name);
    if (group === undefined) return refused('SIRA_MESSAGE_REFUSED', 'there is no such group');
    if (cumulative && group.mode !== 'exclusive')
      return refused('SIRA_MESSAGE_REFUSED', 'a cumulative acknowledgement needs an exclusive group');
    const claimed = group.claim(subscriber, offset);
    if (typeof claimed === 'string') return refused('SIRA_MESSAGE_REFUSED', claimed);
    if (cumulative) group.settleThrough(subscriber, offset);
    else if (claimed !== undefined && claimed.state !== 'committing') group.settle(claimed);
    group.pump();
    return accepted;
  }

  reject({ group: name, subscriber, offset, reason }: RejectInput): Status {
    const group = this.groups.find(name);
    if (group === undefined) return refused('SIRA_MESSAGE_REFUSED', 'there is no such group');
    if (!isReason(reason)) return refused('SIRA_MESSAGE_REFUSED', 'a reason is a short text');
    const claimed = group.claim(subscriber, offset);
    if (typeof claimed === 'string') return refused('SIRA_MESSAGE_REFUSED', claimed);
    // An attempt that has ended already fails once.
    if (claimed?.state === 'held') group.reject(claimed, reason);
    group.pump();
    return accepted;
  }

  extend({ group: name, subscriber, offset, extraMicros }: ExtendInput): Status {
    const group = this.groups.find(name);
    if (group === undefined) return refused('SIRA_MESSAGE_REFUSED', 'there is no such group');
    if (!(Number.isSafeInteger(extraMicros) && extraMicros >= 1))
      return refused('SIRA_MESSAGE_REFUSED', 'an extension is whole microseconds');
    const claimed = group.claim(subscriber, offset);
    if (typeof claimed === 'string') return refused('SIRA_MESSAGE_REFUSED', claimed);
    if (claimed?.state !== 'held') return refused('SIRA_MESSAGE_REFUSED', 'the attempt is over');
    group.extend(claimed, this.environment.nowMicros + extraMicros);
    group.pump();
    return accepted;
  }

  commit(input: CommitInput): Status {
    const { group: name, subscriber, commit, offsets, results } = input;
    const group = this.groups.find(name);
    if (group === undefined) return refused('SIRA_MESSAGE_REFUSED', 'there is no such group');
    const fault = commitFault(offsets, results, this.environment.settings);
    if (fault !== undefined) return refused('SIRA_MESSAGE_REFUSED', fault);
    const answer = (duplicate: boolean): void =>
      this.environment.emit({ kind: 'committed', subscriber, group: name, commit, duplicate });
    const claims = offsets.map((offset) => group.claim(subscriber, offset));
    if (claims.every((claim) => claim === undefined)) {
      // Skipped, dropped or acknowledged a moment ago: after a crash they would be given out again.
      if (!offsets.every((offset) => isSettledDurably(group, offset)))
        return refused('SIRA_QUEUE_FULL', 'what settled the offsets is on its way to the disk');
      answer(true);
      return accepted;
    }
    const entries: GroupEntry[] = [];
    for (const claim of claims) {
      if (typeof claim === 'string') return refused('SIRA_MESSAGE_REFUSED', claim);
      if (claim === undefined) return refused('SIRA_MESSAGE_REFUSED', 'some of the offsets are settled already');
      if (claim.state === 'committing') return refused('SIRA_QUEUE_FULL', 'the offset is being committed');
      entries.push(claim);
    }
    const parts: CommitPart[] = [];
    for (const result of results) {
      const topic = this.topics.find(result.topic);
      if (topic === undefined) return refused('SIRA_MESSAGE_REFUSED', `there is no topic ${result.topic}`);
      const unknown = this.tensors.refusalOf(result.tensors ?? []);
      if (unknown !== undefined) return refused('SIRA_MESSAGE_REFUSED', unknown);
      const room = topic.isReady ? topic.makeRoom() : accepted;
      if (!room.ok) return room;
      parts.push({ topic, content: result, origin: undefined });
    }
    const begun = this.commits.begin(group, offsets, parts, (id, settled) => {
      answer(false);
      group.finishCommit(id, settled);
    });
    if (begun.ok) for (const entry of entries) group.beginCommit(entry);
    return begun;
  }
}

/** Of a settled offset: no crash undoes it, for all that is known here. */
function isSettledDurably(group: TopicGroup, offset: number): boolean {
  return offset < group.durablePlace.offset || (!group.isDirty && group.writingCount === 0);
}
