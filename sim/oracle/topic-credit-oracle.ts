// Promise 5 of the durable topics: a member is given no more messages, and no more bytes, than it has granted over its
// connection; and who is not connected is given nothing.

import type { DeliverEffect } from '../../core/bus/topics/topic-protocol.ts';
import type { GroupFacts, MemberFacts } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic credit';

export class TopicCreditOracle {
  private readonly book: TopicRuleBook;

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  delivered(group: GroupFacts, member: MemberFacts, { connection, message }: DeliverEffect): void {
    if (!member.isLive || connection !== member.connection)
      this.book.fail(oracle, `delivered to ${member.name}, which is not connected`, group.name, message.offset);
    member.delivered++;
    member.deliveredBytes += message.payload.length;
    if (member.delivered > member.grantedMessages || member.deliveredBytes > member.grantedBytes)
      this.book.fail(
        oracle,
        `${member.name} has been given ${member.delivered} messages of ${member.deliveredBytes} bytes, and granted ${member.grantedMessages} of ${member.grantedBytes}`,
        group.name,
        message.offset,
      );
  }
}
