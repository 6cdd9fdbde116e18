import { EventEmitter } from 'node:events';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { OutgoingMessages } from './outgoing.ts';

interface Message {
  readonly number: number;
}

/** A stream that takes so many messages until it drains. */
class Reader extends EventEmitter {
  readonly taken: number[] = [];
  room = 2;

  write({ number }: Message): boolean {
    this.taken.push(number);
    return --this.room > 0;
  }

  drain(room: number): void {
    this.room = room;
    this.emit('drain');
  }
}

function pair(lengthMax: number) {
  const reader = new Reader();
  let overflows = 0;
  const stream = reader as unknown as ServerDuplexStream<unknown, Message>;
  const outgoing = new OutgoingMessages<Message>(stream, lengthMax, () => overflows++);
  return { reader, outgoing, overflows: () => overflows };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('messages go in order, and are made no earlier than the reader takes them', async () => {
  const { reader, outgoing } = pair(100);
  const made: number[] = [];
  for (let number = 0; number < 6; number++) {
    if (number % 2 === 0) outgoing.send({ number });
    else
      outgoing.send(async () => {
        made.push(number);
        await turn();
        if (number === 5) throw new Error('cannot be made');
        return number === 3 ? undefined : { number };
      });
  }
  await turn();
  await turn();
  expect(reader.taken).toEqual([0, 1]);
  expect(made).toEqual([1]);
  reader.drain(10);
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(reader.taken).toEqual([0, 1, 2, 4]);
  outgoing.send({ number: 6 });
  await turn();
  expect(reader.taken).toEqual([0, 1, 2, 4, 6]);
});

test('who reads nothing is cut off at the bound, and costs nothing more', async () => {
  const { reader, outgoing, overflows } = pair(3);
  reader.room = 1;
  outgoing.send({ number: 0 });
  await turn();
  for (let number = 1; number < 10; number++) outgoing.send({ number });
  expect(overflows()).toBe(1);
  expect(outgoing.length).toBe(0);
  reader.drain(10);
  await turn();
  expect(reader.taken).toEqual([0]);
});

test('a long line is sent whole', async () => {
  const { reader, outgoing } = pair(2000);
  reader.room = 1;
  for (let number = 0; number < 1500; number++) outgoing.send({ number });
  for (let turns = 0; reader.taken.length < 1500 && turns < 5000; turns++) {
    reader.drain(100);
    await turn();
  }
  expect(reader.taken).toEqual(Array.from({ length: 1500 }, (_, number) => number));
});
