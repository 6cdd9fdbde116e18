// However many agents there are and however often they ask, a bounded number of hellos is under way; each agent's comes in the end, with
// the time at which it went out.

import { beforeEach, expect, it } from 'vitest';
import type { AgentHello } from '../../proto/generated/sira/v1/agent_service.ts';
import { HelloPacer } from './hello-pacer.ts';

const second = 1_000_000;
let now: number;
let sent: AgentHello[];
let pacer: HelloPacer;

beforeEach(() => {
  now = 0;
  sent = [];
  pacer = new HelloPacer(
    (hello) => sent.push(hello),
    () => now,
  );
});

const hello = (name: string, incarnation = 1): AgentHello => ({
  ...{ name, incarnation, connection: 1, resources: undefined, capabilities: new Map(), labels: new Map() },
  ...{ running: [], sentMicros: now, models: [] },
});

it('a thousand agents that ask each second are served in turn, once each', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `agent-${index}`);
  let most = 0;
  const answered = new Set<string>();
  for (; answered.size < names.length && now < 60 * second; now += second) {
    for (const name of names) if (!answered.has(name)) pacer.offer(hello(name));
    most = Math.max(most, sent.length - answered.size);
    // A slow kernel: fifty a second.
    for (const { name } of sent.slice(answered.size, answered.size + 50)) {
      answered.add(name);
      pacer.answered(name);
    }
  }
  expect(answered.size).toBe(1000);
  expect(sent).toHaveLength(1000);
  expect(most).toBe(128);
  // Those that waited tell when they went out, not when they were first said.
  expect(sent.at(-1)?.sentMicros).toBeGreaterThan(10 * second);
});

it('what a kernel dropped is said again, and a later incarnation at once', () => {
  pacer.offer(hello('a'));
  pacer.offer(hello('a'));
  expect(sent).toHaveLength(1);
  pacer.offer(hello('a', 2));
  expect(sent.map(({ incarnation }) => incarnation)).toEqual([1, 2]);
  now = 5 * second;
  pacer.offer(hello('a', 2));
  expect(sent).toHaveLength(3);
});

it('hellos that are lost make room for others, and a new stream begins with none', () => {
  for (let agent = 0; agent < 200; agent++) pacer.offer(hello(`agent-${agent}`));
  expect(sent).toHaveLength(128);
  now = 5 * second;
  pacer.offer(hello('agent-199'));
  expect(sent).toHaveLength(200);
  pacer.reopened();
  pacer.offer(hello('agent-0'));
  expect(sent).toHaveLength(201);
});
