// What a kernel is told by those who mean it no good, over real sockets: bytes that are no message, tensors that are not what they
// say, streams that say nothing, floods. Each gets a clear answer; work that goes on beside it is not lost; memory stays bounded.

import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AttachRequest,
  type AttachResponse,
  SubmissionServiceClient,
} from '../../proto/generated/sira/v1/submission_service.ts';
import type { DataType, NamedTensor } from '../../proto/generated/sira/v1/tensor.ts';
import { AgentConnection, Submitter } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';

let folder = '';
let running: RunningKernel;
let submitter: Submitter;
let ends: (() => unknown)[] = [];

async function start(limits: object = {}): Promise<void> {
  running = await runKernel(
    startSettings({
      data: join(folder, 'data'),
      grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms', messageBytesMax: 65_536 },
      http: { address: '127.0.0.1:0' },
      durability: 'processCrash',
      security: { limits: { denials: { perSecond: 1000, burst: 100_000 }, ...limits } },
    }),
    '1.2.3',
    silentLogger,
  );
  const { address } = running.grpc;
  const agents = AgentConnection.start({ address, agents: [{ name: 'a', functions: { echo: async (x) => x } }] });
  submitter = await Submitter.connect({ address, name: 'honest', retryMicros: 200_000 });
  ends.push(() => agents.stop());
  ends.push(() => submitter.abandon());
}

beforeEach(() => {
  ends = [];
  folder = mkdtempSync(join(tmpdir(), 'sira-hostile-'));
});
afterEach(async () => {
  for (const end of ends) await end();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

const honestWork = async () => (await submitter.run({ function: 'echo' })).outcome;

const streams = [
  '/sira.v1.AgentService/Connect',
  '/sira.v1.SubmissionService/Attach',
  '/sira.v1.TopicService/Join',
  '/sira.v1.AgentService/Discover',
  '/sira.v1.AdministrationService/ChangeSetting',
  '/sira.v1.AdministrationService/DrainAgent',
  '/sira.v1.Nothing/There',
];

/** Says `messages` as they are on a stream of its own, and tells the status that it ends with. */
function say(client: Client, path: string, messages: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest<Uint8Array, Buffer>(path, Buffer.from, (bytes) => bytes, {
      deadline: Date.now() + 8000,
    } as never);
    stream.on('data', () => {});
    stream.on('status', ({ code }: { code: number }) => resolve(code));
    stream.on('error', () => {});
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

describe('gRPC', () => {
  test('any bytes as messages are answered with a status, and nothing else suffers', async () => {
    await start();
    const client = new Client(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const hello = AttachRequest.encode({
      message: { $case: 'hello', value: { submitter: 'fuzz', inFlightMax: 1 } },
    }).finish();
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Sound messages, damaged in one byte or cut off.
      fc.tuple(fc.nat(hello.length - 1), fc.nat(255)).map(([at, byte]) => {
        const damaged = Uint8Array.from(hello);
        damaged[at] = byte;
        return damaged;
      }),
      fc.nat(hello.length).map((length) => hello.slice(0, length)),
      // One field of any number and wire type, with a length that may be beyond the end.
      fc.tuple(fc.nat(15), fc.nat(7), fc.uint8Array({ maxLength: 40 })).map(([field, type, rest]) => {
        return Uint8Array.of((field << 3) | type, ...rest);
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...streams),
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        async (path, said) => {
          const code = await say(client, path, said);
          expect(status[code], path).toBeDefined();
          // Neither the caller's deadline nor a connection that broke.
          expect([status.DEADLINE_EXCEEDED, status.UNAVAILABLE]).not.toContain(code);
        },
      ),
      { numRuns: 150 },
    );
    expect(await honestWork()).toBe('completed');
  }, 60_000);

  test('a message that is too large is told so', async () => {
    await start();
    const client = new Client(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    expect(await say(client, streams[1] as string, [new Uint8Array(70_000)])).toBe(status.RESOURCE_EXHAUSTED);
    expect(await honestWork()).toBe('completed');
  });

  test('tensors that are not what they say are refused, whatever their shape', async () => {
    await start();
    const client = new SubmissionServiceClient(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const stream = client.attach();
    ends.push(() => stream.cancel());
    stream.on('error', () => {});
    const answers = new Map<number, { code: string; reason: string }>();
    let heard = (): void => {};
    stream.on('data', ({ message }: AttachResponse) => {
      if (message?.$case === 'refused') answers.set(message.value.submission, message.value);
      if (message?.$case === 'accepted') answers.set(message.value.submission, { code: 'accepted', reason: '' });
      heard();
    });
    stream.write({ message: { $case: 'hello', value: { submitter: 'wrong', inFlightMax: 10 } } });
    let submission = 0;
    const submit = async (tensor: NamedTensor) => {
      const number = ++submission;
      stream.write({
        message: {
          $case: 'submit',
          value: {
            submission: number,
            settled: 0,
            request: undefined,
            work: {
              function: 'nobody has it',
              parameters: new Map(),
              inputs: [tensor],
              traceparent: '',
              tracestate: '',
            },
            gang: undefined,
            checkpointMicros: 0,
            estimateMicros: 1000,
            priority: 0,
            tenant: '',
            size: 1,
          },
        },
      });
      while (!answers.has(number)) await new Promise<void>((resolve) => (heard = resolve));
      return answers.get(number) as { code: string; reason: string };
    };
    const plain = (dataType: number, shape: number[], length: number): NamedTensor => ({
      name: 'x',
      form: { $case: 'plain', value: { dataType: dataType as DataType, shape, data: Buffer.alloc(length) } },
    });
    expect(await submit(plain(14, [2, 3], 24))).toMatchObject({ code: 'accepted' });
    expect(await submit(plain(14, [2, 3], 23))).toMatchObject({
      code: 'SIRA_TENSOR_INVALID',
      reason: 'the tensor "x" has 23 bytes; [2, 3] of float32 has 24',
    });
    expect(await submit(plain(99, [1], 4))).toMatchObject({ reason: 'the tensor "x" has the type 99, which is none' });
    expect((await submit(plain(14, [2 ** 40, 2 ** 12], 4))).reason).toContain('wrong shape');
    expect((await submit(plain(18, [2 ** 20], 4))).reason).toContain('too few');
    expect((await submit({ name: 'x', form: undefined })).reason).toContain('is empty');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(40),
        fc.array(fc.oneof(fc.nat(5), fc.maxSafeNat()), { maxLength: 40 }),
        fc.nat(64),
        fc.uint8Array({ maxLength: 100 }),
        async (dataType, shape, length, bytes) => {
          for (const tensor of [
            plain(dataType, shape, length),
            { name: 'm', form: { $case: 'message', value: Buffer.from(bytes) } } as const,
          ])
            expect(['accepted', 'SIRA_TENSOR_INVALID']).toContain((await submit(tensor)).code);
        },
      ),
      { numRuns: 100 },
    );
    expect(await honestWork()).toBe('completed');
  }, 60_000);

  test('a stream that says nothing, or half a message, is ended, and the denial stands in the audit', async () => {
    await start({ firstMessage: '200ms' });
    const client = new SubmissionServiceClient(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const begin = performance.now();
    const code = await new Promise<number | undefined>((resolve) => {
      const stream = client.attach();
      stream.on('data', () => {});
      stream.on('error', (error: ServiceError) => resolve(error.code));
    });
    expect(code).toBe(status.DEADLINE_EXCEEDED);
    // The frame of a message of 100 bytes, of which 10 come.
    const session = connectHttp2(`http://${running.grpc.address}`);
    ends.push(() => session.destroy());
    const half = session.request({
      ':method': 'POST',
      ':path': '/sira.v1.SubmissionService/Attach',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    half.write(Buffer.concat([Buffer.of(0, 0, 0, 0, 100), Buffer.alloc(10)]));
    const answer = await new Promise<unknown>((resolve) =>
      half.on('response', (fields) => resolve(fields['grpc-status'])),
    );
    expect(Number(answer)).toBe(status.DEADLINE_EXCEEDED);
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(running.security.denials.latest(1)[0]).toMatchObject({ reason: 'silence' });
    expect(await honestWork()).toBe('completed');
  });

  test('connections that break off at any byte leave nothing behind', async () => {
    await start({ firstMessage: '200ms' });
    const [host = '', port = ''] = running.grpc.address.split(':');
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0', 'latin1');
    await fc.assert(
      fc.asyncProperty(fc.nat(preface.length), fc.uint8Array({ maxLength: 60 }), async (length, noise) => {
        await new Promise<void>((resolve) => {
          const socket = connectSocket(Number(port), host, () => {
            socket.write(preface.subarray(0, length));
            socket.write(noise, () => socket.destroy());
          });
          socket.on('error', () => {});
          socket.on('close', () => resolve());
        });
      }),
      { numRuns: 60 },
    );
    expect(await honestWork()).toBe('completed');
    expect(running.grpc.submissions.connectionCount).toBe(1);
  });

  test('a flood of streams is refused, a flood of messages waits: nothing of it is lost', async () => {
    await start({
      calls: { perSecond: 1, burst: 40 },
      messages: { perSecond: 400, burst: 100 },
    });
    // Two hundred submissions at 400 messages a second, after 100 at once: a quarter of a second, and all of them done.
    const begin = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 200 }, honestWork));
    expect(outcomes.every((outcome) => outcome === 'completed')).toBe(true);
    expect(performance.now() - begin).toBeGreaterThan(150);
    const client = new Client(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const codes = await Promise.all(Array.from({ length: 60 }, () => say(client, streams[1] as string, [])));
    expect(codes.filter((code) => code === status.RESOURCE_EXHAUSTED).length).toBeGreaterThan(10);
    expect(running.security.denials.latest(1)[0]).toMatchObject({ reason: 'rate', over: 'grpc' });
  }, 30_000);
});

describe('HTTP', () => {
  test('a flood of requests is told to come later; a flood of callers takes bounded memory', async () => {
    await start({ calls: { perSecond: 1, burst: 50 }, callersMax: 16, connectionsMax: 5 });
    const ask = () =>
      new Promise<number>((resolve) => {
        const sent = request(new URL('/v1/cluster', running.http.url), { agent: false }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
        });
        sent.on('error', () => resolve(-1));
        sent.end();
      });
    const codes: number[] = [];
    for (let round = 0; round < 70; round++) codes.push(await ask());
    expect(codes.slice(0, 10).every((code) => code === 200)).toBe(true);
    expect(codes.at(-1)).toBe(429);
    for (let caller = 0; caller < 1000; caller++) running.security.callers.of(`address ${caller}`);
    expect(running.security.callers.size).toBe(16);
  });

  test('one address has only so many connections', async () => {
    await start({ connectionsMax: 5 });
    const { hostname, port } = new URL(running.http.url);
    const sockets = Array.from({ length: 12 }, () => connectSocket(Number(port), hostname));
    for (const socket of sockets) socket.on('error', () => {});
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const end = performance.now() + 5000;
    while (sockets.filter((socket) => socket.closed).length < 7) {
      expect(performance.now()).toBeLessThan(end);
      for (const socket of sockets) if (!socket.destroyed) socket.resume();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(sockets.filter((socket) => !socket.closed).length).toBe(5);
    expect(running.security.denials.latest(1)[0]).toMatchObject({ reason: 'size', what: 'connect' });
  });
});
