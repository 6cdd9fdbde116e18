// Planted bugs of the broker: what is delivered, when again, and what an acknowledgement settles.

import type { Mutant } from './mutant.ts';

const window = 'core/bus/delivery-window.ts';

export const brokerMutants: readonly Mutant[] = [
  {
    name: 'never-redelivered',
    bug: 'a delivery that is not acknowledged is not repeated by time',
    file: window,
    search: '    this.setTimer(offset, slot, 0, nowMicros);\n',
    replace: '',
  },
  {
    name: 'cursor-too-early',
    bug: 'a cumulative acknowledgement settles all that was delivered',
    file: window,
    search: 'const end = Math.min(offset + 1, this.nextOffset);',
    replace: 'const end = this.nextOffset;',
  },
  {
    name: 'cursor-too-late',
    bug: 'a cumulative acknowledgement leaves out the offset that it names',
    file: window,
    search: 'const end = Math.min(offset + 1, this.nextOffset);',
    replace: 'const end = Math.min(offset, this.nextOffset);',
  },
  {
    name: 'floor-past-the-gap',
    bug: 'the lowest unacknowledged offset is thought to be acknowledged with any later one',
    file: window,
    search:
      'while (this.floorOffset < this.nextOffset && this.attempts[this.floorOffset & this.mask] === 0) this.floorOffset++;',
    replace: 'this.floorOffset = this.nextOffset;',
  },
  {
    name: 'wrong-payload',
    bug: 'the oldest message is delivered in the place of the one that is due',
    file: 'core/bus/deliveries.ts',
    search: 'payload: topic.payloadAt(offset),',
    replace: 'payload: topic.payloadAt(topic.firstOffset),',
  },
  {
    name: 'newest-first',
    bug: 'a subscription begins with the newest message',
    file: 'core/bus/broker.ts',
    search: "const start = input.start === 'earliest' ? topic.firstOffset : topic.nextOffset;",
    replace: 'const start = topic.nextOffset + 1;',
  },
  {
    name: 'topic-forgets-too-soon',
    bug: 'messages are dropped when the slowest subscription has received them, not when it has acknowledged them',
    file: 'core/bus/topic.ts',
    search: 'for (const reader of this.readers) if (reader.floorOffset < lowest) lowest = reader.floorOffset;',
    replace: '',
  },
  {
    name: 'credit-not-given-back',
    bug: 'an acknowledgement does not give back its credit',
    file: window,
    search: '    this.outstanding--;\n',
    replace: '',
  },
];
