// The floor, in a process of its own: a gRPC server of the same library that takes the same messages and does nothing. Its interceptor
// and its credentials can be the kernel's, so that their price is seen alone.

import type { handleUnaryCall } from '@grpc/grpc-js';
import { Server, type ServerDuplexStream } from '@grpc/grpc-js';
import { createLogger } from '../../../core/live/logger.ts';
import { GrpcGuard } from '../../../core/live/security/grpc-guard.ts';
import { KernelSecurity } from '../../../core/live/security/kernel-security.ts';
import { defaultRateLimits } from '../../../core/live/security/rates.ts';
import {
  AgentServiceService,
  type ConnectRequest,
  type ConnectResponse,
  type DiscoverRequest,
  type DiscoverResponse,
} from '../../../core/proto/generated/sira/v1/agent_service.ts';
import { answerParent } from './bench-child.bench.ts';

export interface EchoOptions {
  /** Calls pass the guard. */
  readonly guarded: boolean;
  /** Certificates; empty for none. */
  readonly folder: string;
}

let answer: DiscoverResponse = { answer: undefined };
const discover: handleUnaryCall<DiscoverRequest, DiscoverResponse> = (_, callback) => callback(null, answer);
/** Answers each batch of heartbeats with its receipt, as the kernel does in the end. */
const connect = (stream: ServerDuplexStream<ConnectRequest, ConnectResponse>): void => {
  stream.on('data', ({ message }: ConnectRequest) => {
    if (message?.$case !== 'heartbeats') return;
    stream.write({
      message: {
        $case: 'heartbeatsRecorded',
        value: { batch: message.value.batch, leaseMicros: 0, heartbeatIntervalMicros: 0 },
      },
    });
  });
  stream.on('end', () => stream.end());
  stream.on('error', () => {});
};

answerParent({
  start: async ({ guarded, folder }: EchoOptions): Promise<string> => {
    const limits = { ...defaultRateLimits };
    const many = { perSecond: 1e9, burst: 1e9 };
    const settings = {
      folder,
      crl: '',
      clear: 'loopback' as const,
      limits: { ...limits, calls: many, messages: many },
    };
    const security = await KernelSecurity.open(settings, createLogger('silent'));
    const server = new Server({
      'grpc.max_concurrent_streams': limits.streamsMax,
      interceptors: guarded ? [new GrpcGuard(security).interceptor] : [],
    });
    server.addService(AgentServiceService, { connect, discover });
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', security.grpcCredentials(), (error, port) =>
        error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
      );
    });
  },
  /** Answers as large as the kernel's. */
  answerWith: (with_: DiscoverResponse): void => {
    answer = with_;
  },
  cpuMicros: (): number => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
});
