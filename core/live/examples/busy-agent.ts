// An agent that does real work and nothing else: chains of arithmetic as long as it is told, without a pause, in a thread of its own, so
// that the agent beats while it works. For measurements.
// node dist/core/live/examples/busy-agent.js 127.0.0.1:7420 agent-1 host-1

import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { AgentConnection, arrayFrom, tensorFrom, type WorkFunction } from '../client.ts';
import { busyRounds } from './busy-work.ts';

/** Until the compiler is done with it. */
const warmUpRounds = 200_000;

if (isMainThread) await serve();
else {
  busyRounds(warmUpRounds);
  parentPort?.postMessage('warm');
  parentPort?.on('message', ({ id, rounds }: { readonly id: number; readonly rounds: number }) =>
    parentPort?.postMessage({ id, value: busyRounds(rounds) }),
  );
}

async function serve(): Promise<void> {
  const [address = '127.0.0.1:7420', name = `agent-${process.pid}`, host = 'host'] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((resolve) => worker.once('message', resolve));
  const waiting = new Map<number, (value: number) => void>();
  let count = 0;
  worker.on('message', ({ id, value }: { readonly id: number; readonly value: number }) => {
    waiting.get(id)?.(value);
    waiting.delete(id);
  });
  /** `rounds` [1], float64. */
  const work: WorkFunction = async ({ rounds }) => {
    if (rounds === undefined) throw new Error('the input is "rounds"');
    const id = ++count;
    const value = await new Promise<number>((resolve) => {
      waiting.set(id, resolve);
      worker.postMessage({ id, rounds: arrayFrom(rounds)[0] as number });
    });
    return { value: tensorFrom(Float64Array.of(value), [1]) };
  };
  const agent = AgentConnection.start({
    address,
    agents: [
      {
        name,
        functions: { 'warm-up': work, 'short-work': work, 'long-work': work },
        resources: { cpuMilli: 1000, memoryMib: 1024 },
        labels: { host },
      },
    ],
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      void agent.drain(10_000).then(() => {
        agent.stop();
        return worker.terminate();
      });
    });
}
