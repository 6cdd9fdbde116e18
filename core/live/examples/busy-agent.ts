// An agent that does real work and nothing else: chains of arithmetic as long as it is told, without a pause. For measurements.
// node dist/core/live/examples/busy-agent.js 127.0.0.1:7420 agent-1 host-1

import { AgentConnection, arrayFrom, tensorFrom, type WorkFunction } from '../client.ts';

const [address = '127.0.0.1:7420', name = `agent-${process.pid}`, host = 'host'] = process.argv.slice(2);
const innerRounds = 1000;

/** `rounds` [1], float64: thousands of steps of a chain in which each hangs on the one before. */
const work: WorkFunction = ({ rounds }) => {
  if (rounds === undefined) throw new Error('the input is "rounds"');
  let value = 0.5;
  const count = (arrayFrom(rounds)[0] as number) * innerRounds;
  for (let step = 0; step < count; step++) value = 3.9 * value * (1 - value);
  return { value: tensorFrom(Float64Array.of(value), [1]) };
};

const agent = AgentConnection.start({
  address,
  agents: [
    {
      name,
      functions: { 'short-work': work, 'long-work': work },
      resources: { cpuMilli: 1000, memoryMib: 1024 },
      labels: { host },
    },
  ],
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void agent.drain(10_000).then(() => agent.stop()));
