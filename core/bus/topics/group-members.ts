// The members of a group that are connected, and their credit: totals granted less what was delivered, never below zero. Who is
// next in turn among those whose credit covers a message.

import { assert } from '../../base/assert.ts';

export interface GroupMember {
  readonly name: string;
  readonly connection: number;
  /** Totals, as granted. */
  grantedMessages: number;
  grantedBytes: number;
  /** Delivered so far. */
  usedMessages: number;
  usedBytes: number;
}

export class GroupMembers {
  private readonly members: GroupMember[] = [];
  private turn = 0;
  /** Members that may be given at least one more message. */
  private readyCount = 0;

  get size(): number {
    return this.members.length;
  }

  /** Whether anybody has credit for a message. */
  get hasCredit(): boolean {
    return this.readyCount > 0;
  }

  find(name: string): GroupMember | undefined {
    const { members } = this;
    for (let index = 0; index < members.length; index++) {
      const member = members[index] as GroupMember;
      if (member.name === name) return member;
    }
    return undefined;
  }

  join(name: string, connection: number): GroupMember {
    assert(this.find(name) === undefined, 'a member joins once');
    const member = { name, connection, grantedMessages: 0, grantedBytes: 0, usedMessages: 0, usedBytes: 0 };
    this.members.push(member);
    return member;
  }

  leave(member: GroupMember): void {
    const index = this.members.indexOf(member);
    assert(index >= 0, 'only a member leaves');
    if (member.grantedMessages > member.usedMessages) this.readyCount--;
    this.members.splice(index, 1);
    if (this.turn > index) this.turn--;
    if (this.turn >= this.members.length) this.turn = 0;
  }

  /** Totals only rise. */
  grant(member: GroupMember, messages: number, bytes: number): void {
    const had = member.grantedMessages > member.usedMessages;
    member.grantedMessages = Math.max(member.grantedMessages, messages);
    member.grantedBytes = Math.max(member.grantedBytes, bytes);
    if (!had && member.grantedMessages > member.usedMessages) this.readyCount++;
  }

  /** Who gets a message of `bytes`: `preferred` if its credit covers it, otherwise the next in turn whose does. */
  choose(bytes: number, preferred: GroupMember | undefined): GroupMember | undefined {
    if (this.readyCount === 0) return undefined;
    if (preferred !== undefined && covers(preferred, bytes) && this.members.includes(preferred)) return preferred;
    const count = this.members.length;
    for (let step = 0; step < count; step++) {
      const member = this.members[this.turn] as GroupMember;
      this.turn = this.turn + 1 === count ? 0 : this.turn + 1;
      if (covers(member, bytes)) return member;
    }
    return undefined;
  }

  use(member: GroupMember, bytes: number): void {
    member.usedMessages++;
    member.usedBytes += bytes;
    assert(member.usedMessages <= member.grantedMessages, 'credit is never exceeded');
    assert(member.usedBytes <= member.grantedBytes, 'credit is never exceeded');
    if (member.usedMessages === member.grantedMessages) this.readyCount--;
  }
}

function covers(member: GroupMember, bytes: number): boolean {
  return member.usedMessages < member.grantedMessages && member.usedBytes + bytes <= member.grantedBytes;
}
