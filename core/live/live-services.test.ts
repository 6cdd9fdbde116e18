// The services of a live kernel in this process, over real sockets and files: what operators, agents and submitters are
// answered, and how it begins and ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AdministrationServiceClient,
  type ChangeSettingResponse,
  type DrainAgentResponse,
  type GetStateResponse,
  type ListAgentsResponse,
  type ListSettingsResponse,
} from '../proto/generated/sira/v1/administration_service.ts';
import {
  AgentServiceClient,
  type ConnectRequest,
  ConnectResponse,
  type DiscoverResponse,
} from '../proto/generated/sira/v1/agent_service.ts';
import { type AttachResponse, SubmissionServiceClient } from '../proto/generated/sira/v1/submission_service.ts';
import { AgentConnection, type AgentDefinition, arrayFrom, Submitter, type TaskEnd, tensorFrom } from './client.ts';
import { silentLogger } from './logger.ts';
import { type RunningKernel, runKernel } from './run-kernel.ts';
import { startSettings } from './start-settings.ts';

let folder = '';
let running: RunningKernel;
let ends: (() => unknown)[] = [];
const settings = (address = '127.0.0.1:0', changes: object = {}) =>
  startSettings({
    data: join(folder, 'data'),
    grpc: { address, heartbeatBatch: '20ms' },
    http: { address: '127.0.0.1:0' },
    durability: 'processCrash',
    ...changes,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-services-'));
  ends = [];
  running = await runKernel(settings(), '1.2.3', silentLogger);
});
afterEach(async () => {
  for (const end of ends) await end();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

function agents(...definitions: AgentDefinition[]): AgentConnection {
  const connection = AgentConnection.start({
    address: running.grpc.address,
    agents: definitions,
    retryMicros: 200_000,
  });
  ends.push(() => connection.stop());
  return connection;
}

async function submitter(name = 'tester', ended?: (end: TaskEnd) => void): Promise<Submitter> {
  const connected = await Submitter.connect({ address: running.grpc.address, name, retryMicros: 200_000, ended });
  ends.push(() => connected.abandon());
  return connected;
}

function administration(): AdministrationServiceClient {
  const client = new AdministrationServiceClient(running.grpc.address, credentials.createInsecure());
  ends.push(() => client.close());
  return client;
}

type Callback<Response> = (error: ServiceError | null, response: Response) => void;

/** A unary call as a promise. */
function ask<Response>(call: (callback: Callback<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

async function until(condition: () => boolean | Promise<boolean>, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const echo = { echo: async (inputs: Parameters<AgentDefinition['functions'][string]>[0]) => inputs };
const sleeper = {
  sleep: (_: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
};

describe('work', () => {
  test('goes to agents that have the function, and what is measured comes with the end', async () => {
    agents(
      { name: 'a', functions: { other: async () => ({}) } },
      {
        name: 'b',
        functions: {
          echo: async (inputs, context) => {
            expect(context).toMatchObject({
              function: 'echo',
              machines: ['b'],
              parameters: { a: 1, b: 'x', c: true, d: 0.5 },
            });
            context.measured(2.5);
            return inputs;
          },
        },
      },
    );
    const { run } = await submitter().then((connected) => ({ run: connected.run.bind(connected) }));
    const end = await run({
      function: 'echo',
      parameters: { a: 1, b: 'x', c: true, d: 0.5 },
      inputs: { x: tensorFrom(Float32Array.of(1, 2), [2, 1]) },
    });
    expect(end).toMatchObject({ outcome: 'completed', agent: 'b', attempts: 1, joules: 2.5, failure: '' });
    expect(arrayFrom(end.outputs.x!)).toEqual(Float32Array.of(1, 2));
    expect(end.outputs.x!.shape).toEqual([2, 1]);
  });

  test('that nobody can do waits, until somebody comes who can', async () => {
    agents({ name: 'a', functions: {} });
    const tester = await submitter();
    const task = await tester.submit({ function: 'echo' });
    await until(() => running.live.kernel.control.scheduler.queueLength === 1);
    agents({ name: 'b', functions: echo });
    expect(await task.ended).toMatchObject({ outcome: 'completed', agent: 'b' });
  });

  test('that is cancelled stops, waiting or running', async () => {
    agents({ name: 'a', functions: sleeper });
    const tester = await submitter();
    const runs = await tester.submit({ function: 'sleep', request: { cpuMilli: 1000 } });
    const waits = await tester.submit({ function: 'sleep', request: { cpuMilli: 1000 } });
    await until(() => running.live.kernel.control.scheduler.attempts.size === 1);
    waits.cancel();
    runs.cancel();
    expect((await waits.ended).outcome).toBe('cancelled');
    expect((await runs.ended).outcome).toBe('cancelled');
  });

  test('that fails is tried again, and ends with the last reason', async () => {
    let tries = 0;
    agents({
      name: 'a',
      functions: {
        once: async () => {
          if (++tries < 3) throw new Error('not yet');
          return {};
        },
        never: async () => {
          throw new Error('no such luck');
        },
      },
    });
    const tester = await submitter();
    expect(await tester.run({ function: 'once' })).toMatchObject({ outcome: 'completed', attempts: 3 });
    expect(await tester.run({ function: 'never' })).toMatchObject({ outcome: 'failed', failure: 'no such luck' });
  });

  test('of which nothing is left once its end is acknowledged', async () => {
    agents({ name: 'a', functions: echo });
    const tester = await submitter();
    await Promise.all(Array.from({ length: 50 }, () => tester.run({ function: 'echo' })));
    await until(() => running.live.payloads.count === 0);
    await running.live.settled();
    expect(running.live.kernel.control.tasks.size).toBe(0);
  });

  test('that is too large or makes no sense is refused, and the stream goes on', async () => {
    await running.stop();
    running = await runKernel(
      settings('127.0.0.1:0', {
        payload: { bytesMax: 10_000 },
        grpc: { address: '127.0.0.1:0', messageBytesMax: 100_000 },
      }),
      '1.2.3',
      silentLogger,
    );
    agents({ name: 'a', functions: { big: async () => ({ x: tensorFrom(new Uint8Array(20_000)) }), ...echo } });
    const tester = await submitter();
    const inputs = { x: tensorFrom(new Uint8Array(20_000)) };
    await expect(tester.submit({ function: 'echo', inputs })).rejects.toThrow('a payload of');
    await expect(tester.submit({ function: '' })).rejects.toThrow('the name of a function has 1 to 200 bytes, not 0');
    await expect(tester.submit({ function: 'echo', request: { gpuCount: 99 } })).rejects.toThrow('0 to 16 GPUs');
    expect(await tester.run({ function: 'big' })).toMatchObject({
      outcome: 'failed',
      failure: expect.stringContaining('a payload of'),
    });
    expect(await tester.run({ function: 'echo' })).toMatchObject({ outcome: 'completed' });
  });
});

describe('connections', () => {
  test('that break come back, and nothing is done twice', async () => {
    let calls = 0;
    const connection = agents({
      name: 'a',
      functions: {
        count: async () => {
          calls++;
          await new Promise((resolve) => setTimeout(resolve, 30));
          return {};
        },
      },
    });
    const tester = await submitter();
    const all = Promise.all(
      Array.from({ length: 40 }, () => tester.run({ function: 'count', request: { cpuMilli: 50 } })),
    );
    for (let times = 0; times < 3; times++) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      connection.break();
      tester.break();
    }
    expect((await all).every((end) => end.outcome === 'completed' && end.attempts === 1)).toBe(true);
    expect(calls).toBe(40);
  });

  test('that read nothing stall nobody else, and get the rest when they read on', async () => {
    const bytes = 200_000;
    agents({ name: 'a', functions: { big: async () => ({ x: tensorFrom(new Uint8Array(bytes)) }), ...echo } });
    const filler = await submitter('slow');
    for (let times = 0; times < 40; times++) await filler.submit({ function: 'big' });
    filler.abandon();
    const client = new SubmissionServiceClient(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const stream = client.attach();
    ends.push(() => stream.cancel());
    stream.on('error', () => {});
    const got = new Set<number>();
    stream.on('data', ({ message }: AttachResponse) => {
      if (message?.$case === 'ended') got.add(message.value.submission);
    });
    stream.pause();
    stream.write({ message: { $case: 'hello', value: { submitter: 'slow', inFlightMax: 0 } } });
    const tester = await submitter('quick');
    for (let times = 0; times < 50; times++) expect((await tester.run({ function: 'echo' })).outcome).toBe('completed');
    expect(got.size).toBe(0);
    stream.resume();
    // The last ends at least were not acknowledged when the first one went.
    await until(() => got.size > 0 && running.live.kernel.control.tasks.size === 0);
  });

  test('of one submitter: the later one takes over', async () => {
    const reasons: string[] = [];
    const first = await Submitter.connect({
      address: running.grpc.address,
      name: 'same',
      connection: (state, reason) => void reasons.push(`${state} ${reason}`),
    });
    ends.push(() => first.abandon());
    await submitter('same');
    await until(() => reasons.some((reason) => reason.startsWith('rejected')));
    expect(reasons.at(-1)).toBe('rejected another stream of same has taken over');
    await expect(first.submit({ function: 'echo' })).rejects.toThrow('taken over');
  });

  test('that do not keep to the protocol are told so', async () => {
    const submissions = new SubmissionServiceClient(running.grpc.address, credentials.createInsecure());
    ends.push(() => submissions.close());
    const failure = (send: (stream: ReturnType<SubmissionServiceClient['attach']>) => void) =>
      new Promise<ServiceError>((resolve) => {
        const stream = submissions.attach();
        stream.on('data', (_: AttachResponse) => {});
        stream.on('error', resolve);
        send(stream);
      });
    expect(
      await failure((stream) => stream.write({ message: { $case: 'acknowledge', value: { offset: 1 } } })),
    ).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'a stream begins with a hello',
    });
    const hello = { $case: 'hello', value: { submitter: '', inFlightMax: 0 } } as const;
    expect(await failure((stream) => stream.write({ message: hello }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });

    const raw = new Client(running.grpc.address, credentials.createInsecure());
    ends.push(() => raw.close());
    const garbage = await new Promise<ServiceError>((resolve) => {
      const stream = raw.makeBidiStreamRequest<Buffer, ConnectResponse>(
        '/sira.v1.AgentService/Connect',
        (bytes) => bytes,
        (bytes) => ConnectResponse.decode(bytes),
      );
      stream.on('data', () => {});
      stream.on('error', resolve);
      stream.write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]));
    });
    expect(garbage.code).toBe(status.INTERNAL);
    const tester = await submitter();
    agents({ name: 'a', functions: echo });
    expect((await tester.run({ function: 'echo' })).outcome).toBe('completed');
  });

  test('of agents that nobody can register are refused with the reason', async () => {
    const client = new AgentServiceClient(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const stream = client.connect();
    ends.push(() => stream.cancel());
    stream.on('error', () => {});
    const answers: ConnectResponse[] = [];
    stream.on('data', (answer: ConnectResponse) => {
      if (answer.message?.$case !== 'ping') answers.push(answer);
    });
    const hello = (name: string, gpuCount: number, incarnation = 1): ConnectRequest => ({
      message: {
        $case: 'hello',
        value: {
          name,
          incarnation,
          connection: 1,
          resources: { cpuMilli: 1, memoryMib: 1, gpuCount, gpuModel: 'T4' },
          capabilities: new Map(),
          labels: new Map(),
          running: [],
          sentMicros: 5,
          models: [],
        },
      },
    });
    for (const request of [
      hello('', 0),
      hello('x', 99),
      hello('y', 1, 2 ** 32 - 1),
      hello('z', 1, 9),
      hello('z', 1, 3),
    ])
      stream.write(request);
    await until(() => answers.length === 5);
    expect(
      answers.map(({ message }) => (message?.$case === 'refused' ? message.value.reason : message?.$case)),
    ).toEqual([
      'the name of an agent has 1 to 200 bytes, not 0',
      'an incarnation is at most 2147483647, not 4294967295',
      'a machine has 0 to 16 GPUs, not 99',
      'registered',
      'incarnation is older than the one known',
    ]);
    expect(answers[4]?.message).toMatchObject({ value: { incarnationKnown: 9 } });
  });
});

describe('operators', () => {
  test('see the state, and change settings with who and why', async () => {
    agents({ name: 'a', functions: echo, labels: { zone: 'north' } });
    await until(() => running.live.kernel.control.registry.size === 1);
    const client = administration();
    expect(await ask<GetStateResponse>((done) => client.getState({}, done))).toMatchObject({
      version: '1.2.3',
      agents: 1,
      refusal: '',
    });
    await until(async () => {
      const { agents: listed } = await ask<ListAgentsResponse>((done) =>
        client.listAgents({ first: 0, limit: 0 }, done),
      );
      return listed[0]?.state === 'ready' && listed[0].connected;
    });
    const change = { name: 'scheduler.attemptsMax', value: 3, who: 'ada', why: 'a test' };
    expect(await ask<ChangeSettingResponse>((done) => client.changeSetting(change, done))).toEqual({
      version: 2,
      refusal: '',
    });
    expect(running.live.kernel.settings.get('scheduler.attemptsMax')).toBe(3);
    const refused = await ask<ChangeSettingResponse>((done) => client.changeSetting({ ...change, value: -1 }, done));
    expect(refused.refusal).toContain('scheduler.attemptsMax');
    const { settings: listed } = await ask<ListSettingsResponse>((done) => client.listSettings({}, done));
    expect(listed.find(({ name }) => name === 'scheduler.attemptsMax')).toMatchObject({
      value: 3,
      minimum: 1,
      maximum: 1000,
      appliesAtOnce: true,
    });
    await ask<DrainAgentResponse>((done) => client.drainAgent({ name: 'a' }, done));
    expect(running.live.kernel.control.registry.state(0)).toBe('draining');
    await expect(ask<DrainAgentResponse>((done) => client.drainAgent({ name: 'b' }, done))).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  test('and anybody discovers agents by what they can', async () => {
    agents(
      { name: 'a', functions: echo, labels: { zone: 'north' } },
      { name: 'b', functions: { other: async () => ({}) } },
    );
    await until(() => running.live.kernel.control.registry.size === 2);
    const client = new AgentServiceClient(running.grpc.address, credentials.createInsecure());
    ends.push(() => client.close());
    const query = {
      capabilities: new Map([['echo', 1]]),
      cpuMilli: 0,
      memoryMib: 0,
      gpuCount: 0,
      gpuModels: [],
      attributes: new Map(),
      limit: 1,
      fastest: '',
      size: 0,
    };
    const { answer } = await ask<DiscoverResponse>((done) => client.discover({ query }, done));
    expect(answer).toMatchObject({ matches: [{ name: 'a', similarity: 1 }], agentCount: 2 });
    const none = await ask<DiscoverResponse>((done) =>
      client.discover({ query: { ...query, attributes: new Map([['zone', 'south']]) } }, done),
    );
    expect(none.answer?.matches).toEqual([]);
    const fast = await ask<DiscoverResponse>((done) =>
      client.discover({ query: { ...query, capabilities: new Map(), fastest: 'echo', size: 2 } }, done),
    );
    // It declares one unit a second.
    expect(fast.answer?.matches).toMatchObject([{ name: 'a', skill: { declaredSeconds: 2, samples: 0 } }]);
    expect(none.answer?.excluded.map(({ reason }) => reason)).toContain('zone is not south');
  });
});

describe('beginning and end', () => {
  test('a folder has one kernel, and an address too', async () => {
    await expect(runKernel(settings(), '1', silentLogger)).rejects.toMatchObject({ code: 'SIRA_DATA_LOCKED' });
    const elsewhere = settings(running.grpc.address, { data: join(folder, 'other') });
    await expect(runKernel(elsewhere, '1', silentLogger)).rejects.toMatchObject({ code: 'SIRA_ADDRESS_TAKEN' });
    const wrong = settings('127.0.0.1:0', { data: join(folder, 'third'), settings: { 'registry.leaseMicros': 1 } });
    await expect(runKernel(wrong, '1', silentLogger)).rejects.toMatchObject({ code: 'SIRA_SETTING_INVALID' });
  });

  test('a kernel that was stopped goes on where it was, without replaying anything', async () => {
    agents({ name: 'a', functions: sleeper });
    const tester = await submitter();
    await tester.submit({ function: 'sleep' });
    await until(() => running.live.kernel.control.scheduler.attempts.size === 1);
    await running.stop();
    expect(running.live.give({ kind: 'timeReached' })).toMatchObject({ ok: false, code: 'SIRA_LOG_CLOSED' });
    const { digest, lastSequence } = running.live.kernel;
    running = await runKernel(settings(), '1.2.3', silentLogger);
    expect(running.live.report).toMatchObject({ snapshotSequence: lastSequence, lastSequence });
    expect(running.live.kernel.lastSequence).toBeGreaterThanOrEqual(lastSequence);
    expect(running.live.kernel.control.tasks.size).toBe(1);
    expect(running.live.payloads.count).toBe(1);
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
  });

  test('listeners are told of inputs in order, once they are durable', async () => {
    const { live } = running;
    const told: number[] = [];
    const stop = live.listen({
      released: ({ sequence }) => {
        expect(sequence).toBeLessThanOrEqual(live.kernel.lastSequence);
        told.push(sequence);
      },
    });
    const first = live.kernel.lastSequence;
    for (let times = 0; times < 100; times++) {
      expect(live.give({ kind: 'timeReached' })).toEqual({ ok: true });
      expect(told).toEqual([]);
    }
    await live.settled();
    expect(told).toEqual(Array.from({ length: 100 }, (_, index) => first + 1 + index));
    stop();
    live.give({ kind: 'timeReached' });
    await live.settled();
    expect(told).toHaveLength(100);
  });
});
