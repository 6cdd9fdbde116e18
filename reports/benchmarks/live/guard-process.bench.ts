// Who calls servers that do nothing, for the price of what stands before them: unary calls and messages on one stream, a bounded number
// of them under way, in turns.

import { credentials } from '@grpc/grpc-js';
import { clientCredentials } from '../../../core/live/security/client-credentials.ts';
import { AgentServiceClient } from '../../../core/proto/generated/sira/v1/agent_service.ts';
import { answerParent } from './bench-child.bench.ts';

export interface GuardCalls {
  readonly address: string;
  /** Certificates; empty for none. */
  readonly folder: string;
  readonly kind: 'call' | 'message';
  readonly count: number;
  readonly underWay: number;
}

const clients = new Map<string, AgentServiceClient>();

function clientOf({ address, folder }: GuardCalls): AgentServiceClient {
  let client = clients.get(address);
  if (client === undefined) {
    client = new AgentServiceClient(
      address,
      folder === '' ? credentials.createInsecure() : clientCredentials(folder, 'bench'),
    );
    clients.set(address, client);
  }
  return client;
}

async function callAll(asked: GuardCalls): Promise<void> {
  const client = clientOf(asked);
  let left = asked.count;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) =>
      client.discover({ query: undefined }, (error) => (error === null ? resolve() : reject(error))),
    );
  const line = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: asked.underWay }, line));
}

function sayAll(asked: GuardCalls): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = clientOf(asked).connect();
    let [sent, heard] = [0, 0];
    const say = (): void => {
      const beats = [{ agent: 1, incarnation: 1, load: undefined, running: 0 }];
      stream.write({ message: { $case: 'heartbeats', value: { batch: ++sent, beats } } });
    };
    stream.on('data', () => {
      if (++heard === asked.count) {
        stream.end();
        resolve();
      } else if (sent < asked.count) say();
    });
    stream.on('error', reject);
    for (let count = 0; count < asked.underWay; count++) say();
  });
}

answerParent({
  /** Microseconds a call, by the clock. */
  run: async (asked: GuardCalls): Promise<number> => {
    const begin = performance.now();
    await (asked.kind === 'call' ? callAll(asked) : sayAll(asked));
    return ((performance.now() - begin) * 1000) / asked.count;
  },
});
