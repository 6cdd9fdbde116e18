// Submitters by the thousand in a process of their own, each on a connection of its own, with the client that people use. Tasks carry
// a small tensor, are offered by the clock, and count until their result is there.

import { credentials } from '@grpc/grpc-js';
import { RandomStream } from '../../../core/base/random.ts';
import { arrayFrom, Submitter, tensorFrom } from '../../../core/live/client.ts';
import { AgentServiceClient } from '../../../core/proto/generated/sira/v1/agent_service.ts';
import { answerParent } from './bench-child.bench.ts';
import { offer, type PairedLatencies, pair } from './open-load.bench.ts';

export interface ConnectionOptions {
  readonly kernel: string;
  readonly floor: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly floorMaxMillis: number;
}

export interface ConnectionAnswer {
  readonly latencies: PairedLatencies;
  /** Results that came, and were those of their task. */
  readonly right: number;
  /** Submitters that lost their connection. */
  readonly lost: number;
}

const atOnce = 50;
const values = 16;
const submitters: Submitter[] = [];
const floors: AgentServiceClient[] = [];
let lost = 0;

async function connect({ kernel, floor, connections }: ConnectionOptions): Promise<number> {
  const begin = performance.now();
  while (submitters.length < connections) {
    const group = Array.from({ length: Math.min(atOnce, connections - submitters.length) }, (_, index) =>
      Submitter.connect({
        address: kernel,
        name: `submitter-${submitters.length + index}`,
        connection: (state) => {
          if (state !== 'open') lost++;
        },
      }),
    );
    submitters.push(...(await Promise.all(group)));
  }
  for (const _ of submitters) {
    const client = new AgentServiceClient(floor, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    floors.push(client);
  }
  for (let from = 0; from < floors.length; from += atOnce)
    await Promise.all(floors.slice(from, from + atOnce).map((client) => askFloor(client)));
  return performance.now() - begin;
}

function askFloor(client: AgentServiceClient): Promise<void> {
  return new Promise((resolve, reject) =>
    client.discover({ query: undefined }, (error) => (error === null ? resolve() : reject(error))),
  );
}

answerParent({
  /** How long it took, milliseconds. */
  connect,
  run: async ({ perSecond, seconds, floorMaxMillis }: ConnectionOptions): Promise<ConnectionAnswer> => {
    const random = new RandomStream(1, 'connections');
    let right = 0;
    const pick = <T>(all: readonly T[]): T => all[random.nextBelow(all.length)] as T;
    const [measured, floor] = await Promise.all([
      offer(perSecond, seconds, async (index) => {
        const input = tensorFrom(
          Float32Array.from({ length: values }, (_, place) => index + place),
          [values],
        );
        const request = { cpuMilli: 1, memoryMib: 1 };
        const end = await pick(submitters).run({ function: 'echo', inputs: { values: input }, request });
        const output = end.outputs.values;
        if (end.outcome === 'completed' && output !== undefined && arrayFrom(output)[values - 1] === index + values - 1)
          right++;
      }),
      new Promise((resolve) => setTimeout(resolve, 500 / perSecond)).then(() =>
        offer(perSecond, seconds, () => askFloor(pick(floors))),
      ),
    ]);
    return { latencies: pair(measured, floor, perSecond / 10, floorMaxMillis), right, lost };
  },
});
