import { expect, test } from 'vitest';
import { HeartbeatDesk } from './heartbeat-desk.ts';

function connection() {
  const receipts: number[] = [];
  return { receipts, beatsRecorded: (batch: number) => void receipts.push(batch) };
}

test('beats of all connections are one batch, each agent once, and every connection has its receipts', () => {
  const desk = new HeartbeatDesk();
  const [a, b] = [connection(), connection()];
  expect(desk.take()).toBeUndefined();
  desk.beat(7, 1);
  desk.receiptFor(a, 10);
  desk.beat(3, 5);
  desk.receiptFor(b, 1);
  desk.beat(7, 2);
  desk.receiptFor(a, 11);
  const batch = desk.take();
  expect(batch).toMatchObject({ kind: 'heartbeats', gateway: 0, batch: 1, count: 2 });
  expect([[...batch!.agents], [...batch!.incarnations]]).toEqual([
    [3, 7],
    [5, 2],
  ]);
  expect(desk.take()).toBeUndefined();
  desk.recorded(99);
  expect(a.receipts).toEqual([]);
  desk.recorded(1);
  desk.recorded(1);
  expect([a.receipts, b.receipts]).toEqual([[10, 11], [1]]);
});

test('receipts that nobody gives are forgotten, the oldest first', () => {
  const desk = new HeartbeatDesk();
  const a = connection();
  for (let batch = 1; batch <= 300; batch++) {
    desk.receiptFor(a, batch);
    desk.take();
  }
  desk.recorded(1);
  desk.recorded(300);
  expect(a.receipts).toEqual([300]);
});
