// Who asks: discovery at a fixed rate of calls to the kernel and, between them, as many to a server that does nothing, so that both
// stand in the same weather.

import { credentials } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  type DiscoverRequest,
  type DiscoverResponse,
} from '../../../core/proto/generated/sira/v1/agent_service.ts';
import type { DiscoveryQuery } from '../../../core/proto/generated/sira/v1/discovery.ts';
import { answerParent } from './bench-child.bench.ts';
import { offer, type PairedLatencies, pair } from './open-load.bench.ts';
import { skillNames } from './skill-names.bench.ts';

export interface QueryOptions {
  readonly kernel: string;
  readonly floor: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** See {@link PairedLatencies}. */
  readonly floorMaxMillis: number;
}

const clients = new Map<string, AgentServiceClient>();

function ask(address: string, request: DiscoverRequest): Promise<DiscoverResponse> {
  let client = clients.get(address);
  if (client === undefined) {
    client = new AgentServiceClient(address, credentials.createInsecure());
    clients.set(address, client);
  }
  const used = client;
  return new Promise((resolve, reject) =>
    used.discover(request, (error, response) => (error === null ? resolve(response) : reject(error))),
  );
}

/** The fastest of a class, the same with conditions, and the most similar, in turn. */
function queryOf(index: number): DiscoverRequest {
  const name = skillNames[index % skillNames.length] as string;
  const plain: DiscoveryQuery = {
    ...{ capabilities: new Map(), similarityMin: undefined, cpuMilli: 0, memoryMib: 0, gpuCount: 0, gpuModels: [] },
    ...{ attributes: new Map(), limit: 0, fastest: '', size: 0 },
  };
  const resources = { memoryMib: 131_072, gpuCount: 1 };
  const kinds: readonly DiscoveryQuery[] = [
    { ...plain, fastest: name, limit: 1 },
    { ...plain, ...resources, fastest: name, attributes: new Map([['zone', `zone-${index % 7}`]]) },
    { ...plain, ...resources, capabilities: new Map([[name, 1]]) },
  ];
  return { query: kinds[index % kinds.length] };
}

answerParent({
  /** One answer, as an example. */
  once: ({ kernel }: QueryOptions): Promise<DiscoverResponse> => ask(kernel, queryOf(1)),
  run: async ({ kernel, floor, perSecond, seconds, floorMaxMillis }: QueryOptions): Promise<PairedLatencies> => {
    const [ofKernel, ofFloor] = await Promise.all([
      offer(perSecond, seconds, async (index) => {
        const { answer } = await ask(kernel, queryOf(index));
        if (answer === undefined || answer.matches.length === 0) throw new Error('nobody was found');
      }),
      new Promise((resolve) => setTimeout(resolve, 500 / perSecond)).then(() =>
        offer(perSecond, seconds, (index) => ask(floor, queryOf(index))),
      ),
    ]);
    return pair(ofKernel, ofFloor, perSecond / 10, floorMaxMillis);
  },
});
