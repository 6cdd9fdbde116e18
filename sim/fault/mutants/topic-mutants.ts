// Planted bugs of the durable topics, at least one for each of their promises; the swarm of durable topics hunts them.

import type { Mutant } from './mutant.ts';

const folder = 'core/bus/topics';

const planted: readonly Omit<Mutant, 'swarm'>[] = [
  {
    name: 'topic-published-before-sync',
    bug: 'a publication is confirmed before it is on the disk',
    file: `${folder}/topic.ts`,
    search:
      '        this.stored(messageOf(appended.value, timeMicros, input.producer, input.sequence, settled, input));\n',
    replace:
      '        this.stored(messageOf(appended.value, timeMicros, input.producer, input.sequence, settled, input));\n' +
      '        const { producer, sequence } = input;\n' +
      "        environment.emit({ kind: 'published', topic: this.name, producer, sequence, offset: appended.value, duplicate: false });\n",
  },
  {
    name: 'topic-repeat-confirmed-before-sync',
    bug: 'a repeated publication is confirmed while its first copy is on its way to the disk',
    file: `${folder}/topic.ts`,
    search: 'if (this.durableEnd === this.nextOffset) this.reportDuplicate(producer, sequence);',
    replace: 'if (sequence > 0) this.reportDuplicate(producer, sequence);',
  },
  {
    name: 'topic-sequences-forgotten',
    bug: 'an opening does not take down which sequences are stored',
    file: `${folder}/topic-producers.ts`,
    search: "    if (window === undefined || window.standing(sequence) !== 'duplicate')\n",
    replace: '    if (window === undefined)\n',
  },
  {
    name: 'topic-lane-of-producer',
    bug: 'messages are kept in order by their producer and not by their key',
    file: `${folder}/group-window.ts`,
    search: 'lanes.add(entry, message.key)',
    replace: 'lanes.add(entry, message.producer + (message.sequence & 1))',
  },
  {
    name: 'topic-key-not-awaited',
    bug: 'a message does not wait until the one before it of its key is settled',
    file: `${folder}/group-window.ts`,
    search: "this.lanes = mode === 'keyOrdered' ? new KeyLanes() : undefined;",
    replace: 'this.lanes = priorityPassesMax < 0 ? new KeyLanes() : undefined;',
  },
  {
    name: 'topic-cursor-too-early',
    bug: 'the cursor passes messages that are in hand and not settled',
    file: `${folder}/group-progress.ts`,
    search:
      '    const floor = window.first?.id ?? this.next;\n    const end = Math.max(this.notedEnd, floor);\n    writer.begin(',
    replace: '    const floor = this.next;\n    const end = Math.max(this.notedEnd, floor);\n    writer.begin(',
  },
  {
    name: 'topic-cursor-before-sync',
    bug: 'a cursor is announced before it is on the disk',
    file: `${folder}/group-directory.ts`,
    search: '    const floor = group.writeCursor(this.cursorWriter);\n',
    replace: '    const floor = group.writeCursor(this.cursorWriter);\n    group.cursorDurable(floor, epoch);\n',
  },
  {
    name: 'topic-acknowledged-by-anybody',
    bug: 'an acknowledgement counts from whomever it comes',
    file: `${folder}/topic-group.ts`,
    search: "return entry.holder?.name === subscriber ? entry : 'the offset is not held by the subscriber';",
    replace: "return subscriber === '' ? 'the offset is not held by the subscriber' : entry;",
  },
  {
    name: 'topic-commit-twice',
    bug: 'a commit that is repeated while it is made durable is made twice',
    file: `${folder}/member-inputs.ts`,
    search:
      "      if (claim.state === 'committing') return refused('SIRA_QUEUE_FULL', 'the offset is being committed');\n",
    replace: '',
  },
  {
    name: 'topic-results-not-awaited',
    bug: 'a commit, or a dead letter, counts as done before its results are on the disk',
    file: `${folder}/commits.ts`,
    search: 'if (topic.readableEnd < end) return false;',
    replace: 'if (topic.nextOffset < end) return false;',
  },
  {
    name: 'topic-dead-letter-not-awaited',
    bug: 'a message is settled when its dead letter is begun, and not when that is on the disk',
    file: `${folder}/topic-group.ts`,
    search: 'if (refusal === undefined) this.beginCommit(entry);',
    replace: 'if (refusal === undefined) this.settle(entry);',
  },
  {
    name: 'topic-one-attempt-more',
    bug: 'a message is tried once more than the terms say',
    file: `${folder}/topic-group.ts`,
    search:
      '    if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);\n    else if (attemptEnd',
    replace:
      '    if (entry.attempts > this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);\n    else if (attemptEnd',
  },
  {
    name: 'topic-no-back-off',
    bug: 'a message whose attempt failed comes again at once',
    file: `${folder}/group-pace.ts`,
    search: 'return Math.max(1, Math.round(wait - wait * jitter * random));',
    replace: 'return Math.max(1, Math.round((wait - wait * jitter * random) / 100));',
  },
  {
    name: 'topic-late-delivered',
    bug: 'a message is delivered although its deadline has passed a little before',
    file: `${folder}/topic-group.ts`,
    search: 'deadlineMicros < environment.nowMicros)',
    replace: 'deadlineMicros < environment.nowMicros - 200_000)',
  },
  {
    name: 'topic-delayed-early',
    bug: 'a delayed message is delivered before its time',
    file: `${folder}/topic-group.ts`,
    search: 'else if (deliverAtMicros > nowMicros) this.window.wait(entry, deliverAtMicros);',
    replace: 'else if (deliverAtMicros > nowMicros + 10_000_000) this.window.wait(entry, deliverAtMicros);',
  },
  {
    name: 'topic-lowest-priority-first',
    bug: 'of what is ready the lowest priority goes first',
    file: `${folder}/ready-queue.ts`,
    search: '    const top = 31 - Math.clz32(occupied);\n',
    replace: '    const top = 31 - Math.clz32(occupied & -occupied);\n',
  },
  {
    name: 'topic-overtaken-too-often',
    bug: 'the oldest message goes before more important ones twice as often as the settings say',
    file: `${folder}/ready-queue.ts`,
    search: 'this.passes < this.passesMax) return',
    replace: 'this.passes * 2 < this.passesMax) return',
  },
  {
    name: 'topic-unsubscribed-keeps',
    bug: 'who unsubscribes stays a member, and is given more',
    file: `${folder}/group-directory.ts`,
    search: '    group.leave(member);\n    // Leaving',
    replace: '    // Leaving',
  },
  {
    name: 'topic-ended-under-others',
    bug: 'a group ends with whoever leaves it first, and not with its last member',
    file: `${folder}/group-directory.ts`,
    search: 'const ends = endsGroup && group.members.size === 1;',
    replace: 'const ends = endsGroup && group.members.size >= 1;',
  },
  {
    name: 'topic-rot-given-out',
    bug: 'what was read is not held against its checksum',
    file: 'core/log/record.ts',
    search: 'if (getUint32(bytes, start + 4) !== checksum(bytes, start, length)) return -1;',
    replace: 'if (getUint32(bytes, start + 4) === 0 && checksum(bytes, start, length) !== 0) return -1;',
  },
  {
    name: 'topic-credit-added-up',
    bug: 'credit that is granted again is added, although it is a total',
    file: `${folder}/group-members.ts`,
    search: 'member.grantedMessages = Math.max(member.grantedMessages, messages);',
    replace: 'member.grantedMessages += messages;',
  },
  {
    name: 'topic-disconnected-keeps',
    bug: 'what a member had in hand when its connection ended comes to nobody else',
    file: `${folder}/topic-group.ts`,
    search: "        this.failAttempt(entry, 'disconnected', '');\n",
    replace: '',
  },
  {
    name: 'topic-retention-takes-all',
    bug: 'retention removes what a group still needs',
    file: `${folder}/topic.ts`,
    search:
      "if (!this.terms.retentionOverridesGroups && this.readers.length > 0) log.hold('groups', this.neededOffset);",
    replace:
      "if (!this.terms.retentionOverridesGroups && this.readers.length > 8) log.hold('groups', this.neededOffset);",
  },
  {
    name: 'topic-replay-too-fast',
    bug: 'a replay at original speed leaves out the gaps',
    file: `${folder}/group-pace.ts`,
    search: 'this.leftMicros + gap',
    replace: 'this.leftMicros + gap / 2',
  },
  {
    name: 'topic-replay-begins-late',
    bug: 'a group that begins at a time leaves out the first message of it',
    file: `${folder}/topic.ts`,
    search: 'let offset = Math.max(found, this.startOffset);',
    replace: 'let offset = Math.min(this.nextOffset, Math.max(found, this.startOffset) + 1);',
  },
  {
    name: 'topic-tensor-released-early',
    bug: 'a tensor is released when its message can be read, and not when everybody is done with it',
    file: `${folder}/tensor-table.ts`,
    search: 'topic.readers.length === 0 ? topic.startOffset : topic.neededOffset;',
    replace: 'topic.readers.length === 0 ? topic.startOffset : topic.readableEnd;',
  },
  {
    name: 'topic-tensor-loss-unnamed',
    bug: 'a delivery does not name the tensors of its message that are lost',
    file: `${folder}/tensor-table.ts`,
    search: '    return lost.length === 0 ? none : lost.map(({ tensor }) => tensor);\n',
    replace: '    return none;\n',
  },
];

export const topicMutants: readonly Mutant[] = planted.map((mutant) => ({ ...mutant, swarm: 'topics' }));
