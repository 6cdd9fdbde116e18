// What a violation's chain says of an agent: everything that befell it as a whole, in order, and nothing of others.

import { expect, test } from 'vitest';
import { FlightRecorder } from './flight-recorder.ts';

test('an agent that is kept from work, and why, is part of its chain', () => {
  const recorder = new FlightRecorder(['one', 'two']);
  for (const [agent, name] of ['one', 'two'].entries()) {
    recorder.kernelEffect(
      {
        kind: 'agentRegistered',
        gateway: 0,
        name,
        agent,
        incarnation: 1,
        helloSentMicros: 0,
        leaseMicros: 1,
        heartbeatIntervalMicros: 1,
        stop: [],
      },
      agent,
    );
  }
  const hold = { kind: 'agentHeld', agent: 1 } as const;
  recorder.kernelEffect({ ...hold, cause: 'flapping', held: true, untilMicros: 20 }, 10);
  recorder.kernelEffect({ ...hold, cause: 'flapping', held: false, untilMicros: 20 }, 20);
  recorder.kernelEffect({ ...hold, cause: 'outlier', held: true, untilMicros: 40 }, 30);
  recorder.kernelEffect({ ...hold, agent: 0, cause: 'outlier', held: true, untilMicros: 40 }, 31);
  const told = recorder.chain({ agent: 1 }).map((line) => line.split('  ').slice(1).join(', '));
  expect(told).toEqual([
    'kernel says: agent registered, agent 1',
    'agent gets no new work: it came back too often, agent 1',
    'agent gets new work again, agent 1',
    'agent gets no new work: its results are worse than others’, agent 1',
  ]);
});
