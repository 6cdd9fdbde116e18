// A kernel with certificates over real sockets: who is let in, as whom, to do what; what is refused is audited.

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelCredentials, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GRPCInferenceServiceService } from '../../proto/generated/inference/open_inference_grpc.ts';
import {
  AdministrationServiceClient,
  AdministrationServiceService,
} from '../../proto/generated/sira/v1/administration_service.ts';
import {
  AgentServiceClient,
  AgentServiceService,
  type ConnectResponse,
} from '../../proto/generated/sira/v1/agent_service.ts';
import { SubmissionServiceService } from '../../proto/generated/sira/v1/submission_service.ts';
import { TopicServiceService } from '../../proto/generated/sira/v1/topic_service.ts';
import { AgentConnection, clientCredentials, Submitter, Topics } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';
import { DevelopmentAuthority } from './authority.ts';
import { methodRoles } from './grpc-guard.ts';
import { makeToken, writeTokens } from './tokens.ts';

let folder = '';
let certificates = '';
let running: RunningKernel;
const tokens = { reader: '', admin: '', old: '' };
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-security-'));
  certificates = join(folder, 'certificates');
  const authority = await DevelopmentAuthority.open(certificates);
  await authority.issueServer(['localhost', '127.0.0.1'], 2);
  await authority.issueClient('worker', ['register'], 2);
  await authority.issueClient('rack-*', ['register'], 2);
  await authority.issueClient('alice', ['submit', 'publish'], 2);
  await authority.issueClient('reader', ['subscribe'], 2);
  await authority.issueClient('ops', ['administer'], 2);
  const stranger = await DevelopmentAuthority.open(join(folder, 'stranger'));
  await stranger.issueClient('ops', ['administer'], 2);
  const now = Date.now();
  const reader = makeToken('reader', ['subscribe'], now + 1e6);
  const admin = makeToken('boss', ['administer'], now + 1e6);
  const old = makeToken('old', ['administer'], now - 1);
  Object.assign(tokens, { reader: reader.token, admin: admin.token, old: old.token });
  writeTokens(join(certificates, 'tokens.json'), [reader.stored, admin.stored, old.stored]);
  running = await runKernel(
    startSettings({
      data: join(folder, 'data'),
      grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' },
      http: { address: '127.0.0.1:0' },
      durability: 'processCrash',
      security: { folder: certificates },
    }),
    '1.2.3',
    silentLogger,
  );
});
afterAll(async () => {
  for (const end of ends) await end();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

const as = (name: string, from = certificates) => clientCredentials(from, name);

function state(shown: ChannelCredentials): Promise<ServiceError | 'answered'> {
  const client = new AdministrationServiceClient(running.grpc.address, shown);
  return new Promise((resolve) => {
    client.getState({}, new Metadata(), { deadline: Date.now() + 4000 }, (error: ServiceError | null) => {
      client.close();
      resolve(error ?? 'answered');
    });
  });
}

/** Status, challenge and body of an HTTPS request without a client's certificate, or with that of `name`. */
function ask(
  path: string,
  options: { method?: string; authorization?: string; name?: string; body?: object; from?: string } = {},
): Promise<{ status: number; challenge: string; body: unknown }> {
  const { method = 'GET', authorization, name, body, from = certificates } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, running.http.url),
      {
        method,
        agent: false,
        ca: readFileSync(join(certificates, 'ca.crt')),
        ...(name === undefined
          ? {}
          : { cert: readFileSync(join(from, `${name}.crt`)), key: readFileSync(join(from, `${name}.key`)) }),
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            challenge: response.headers['www-authenticate'] ?? '',
            body: text.startsWith('{') ? JSON.parse(text) : text,
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const lastDenial = () => running.security.denials.latest(1)[0];

describe('gRPC', () => {
  test('takes nobody without a certificate of the authority', async () => {
    expect(await state(credentials.createInsecure())).toMatchObject({ code: status.UNAVAILABLE });
    const ca = readFileSync(join(certificates, 'ca.crt'));
    expect(await state(credentials.createSsl(ca))).toMatchObject({ code: status.UNAVAILABLE });
    const read = (file: string) => readFileSync(join(folder, 'stranger', file));
    expect(await state(credentials.createSsl(ca, read('ops.key'), read('ops.crt')))).toMatchObject({
      code: status.UNAVAILABLE,
    });
    expect(await state(as('ops'))).toBe('answered');
  });

  test('a kernel of another authority is not spoken to', async () => {
    expect(await state(as('ops', join(folder, 'stranger')))).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('every method of every service has its roles', () => {
    const paths = [
      AdministrationServiceService,
      AgentServiceService,
      SubmissionServiceService,
      TopicServiceService,
      GRPCInferenceServiceService,
    ].flatMap((service) => Object.values(service).map(({ path }) => path as string));
    expect(Object.keys(methodRoles).toSorted(inOrder)).toEqual(paths.toSorted(inOrder));
  });

  test('a role lets do what it is for, and nothing else; the denial is audited', async () => {
    expect(await state(as('alice'))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(lastDenial()).toMatchObject({
      reason: 'forbidden',
      over: 'grpc',
      identity: 'alice',
      address: '127.0.0.1',
      what: '/sira.v1.AdministrationService/GetState',
    });
    const rejected = await Submitter.connect({
      address: running.grpc.address,
      name: 'worker',
      credentials: as('worker'),
    })
      .then(() => undefined)
      .catch((error: Error) => error);
    expect(rejected).toBeInstanceOf(Error);
  });

  test('work goes through for those who may, under their names', async () => {
    const agents = AgentConnection.start({
      address: running.grpc.address,
      agents: [{ name: 'worker', functions: { echo: async (inputs) => inputs } }],
      credentials: as('worker'),
    });
    ends.push(() => agents.stop());
    const alice = await Submitter.connect({ address: running.grpc.address, name: 'alice/7', credentials: as('alice') });
    ends.push(() => alice.abandon());
    expect((await alice.run({ function: 'echo' })).outcome).toBe('completed');
  });

  test('nobody speaks in the name of another', async () => {
    const bob = await Submitter.connect({ address: running.grpc.address, name: 'bob', credentials: as('alice') })
      .then(() => 'in')
      .catch((error: Error) => error.message);
    expect(bob).toContain('alice does not speak for "bob"');
    for (const [who, name, taken] of [
      ['worker', 'worker-2', false],
      ['worker', 'worker/2', true],
      ['rack-*', 'rack-2', true],
      ['rack-*', 'worker', false],
    ] as const) {
      const answer = await hello(who, name);
      expect([who, name, answer.message?.$case]).toEqual([who, name, taken ? 'registered' : 'refused']);
    }
  });

  test('publishing and subscribing are two roles', async () => {
    const alice = await Topics.connect({ address: running.grpc.address, name: 'alice', credentials: as('alice') });
    ends.push(() => alice.close());
    await alice.create('news', {});
    expect(await alice.publish('news', Uint8Array.of(1))).toBe(0);
    const reader = await Topics.connect({ address: running.grpc.address, name: 'reader', credentials: as('reader') });
    ends.push(() => reader.close());
    const got = new Promise((resolve) => {
      void reader.subscribe({ topic: 'news', group: 'g', mode: 'shared', handle: ({ offset }) => resolve(offset) });
    });
    expect(await got).toBe(0);
    await expect(reader.publish('news', Uint8Array.of(2))).rejects.toThrow(/has not the role publish/);
  });
});

describe('HTTP', () => {
  test('health is everybody’s, all else takes an identity', async () => {
    expect(await ask('/health/live')).toMatchObject({ status: 200 });
    for (const path of ['/v1/cluster', '/metrics', '/', '/openapi.json', '/nothing'])
      expect(await ask(path)).toMatchObject({ status: 401, challenge: expect.stringContaining('Basic') });
    expect(lastDenial()).toMatchObject({ reason: 'unauthenticated', over: 'http', what: 'GET /nothing' });
  });

  test('tokens and certificates are identities; expired and wrong ones are none', async () => {
    const basic = `Basic ${Buffer.from(`anyone:${tokens.reader}`).toString('base64')}`;
    for (const authorization of [`Bearer ${tokens.reader}`, basic])
      expect(await ask('/v1/cluster', { authorization })).toMatchObject({ status: 200 });
    expect(await ask('/v1/cluster', { name: 'worker' })).toMatchObject({ status: 200 });
    expect(await ask('/v1/cluster', { name: 'ops', from: join(folder, 'stranger') })).toMatchObject({ status: 401 });
    for (const authorization of [`Bearer ${tokens.old}`, `Bearer ${tokens.reader}x`, 'Bearer', 'Digest x', 'Basic !'])
      expect(await ask('/v1/cluster', { authorization })).toMatchObject({ status: 401 });
  });

  test('changes take the role administer, and are written under the name of who makes them', async () => {
    const body = { value: 9, who: 'somebody else', why: 'test' };
    const change = (authorization: string) =>
      ask('/v1/config/scheduler.attemptsMax', { method: 'PUT', authorization, body });
    expect(await change(`Bearer ${tokens.reader}`)).toMatchObject({ status: 403, body: { code: 'SIRA_FORBIDDEN' } });
    expect(await ask('/v1/denials', { authorization: `Bearer ${tokens.reader}` })).toMatchObject({ status: 403 });
    const infer = (token: string) =>
      ask('/v2/models/none/infer', { method: 'POST', authorization: `Bearer ${token}`, body: { inputs: [] } });
    expect(await infer(tokens.reader)).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('role submit') },
    });
    expect(await change(`Bearer ${tokens.admin}`)).toMatchObject({ status: 200 });
    const { body: answer } = await ask('/v1/config/history', { authorization: `Bearer ${tokens.admin}` });
    expect((answer as { history: { who: string }[] }).history[0]?.who).toBe('boss (somebody else)');
  });

  test('denials are shown to operators, counted, and hold no secret', async () => {
    const authorization = `Bearer ${tokens.admin}`;
    const { body } = await ask('/v1/denials?limit=1000', { authorization });
    const { count, denials } = body as { count: number; denials: { number: number }[] };
    expect(count).toBe(running.security.denials.count);
    expect(denials[0]?.number).toBe(count);
    for (const token of Object.values(tokens)) expect(JSON.stringify(body)).not.toContain(token);
    const metrics = String((await ask('/metrics', { authorization })).body);
    const sum = [...metrics.matchAll(/^sira_denials_total\{.*\} (\d+)$/gm)].reduce(
      (all, [, one]) => all + Number(one),
      0,
    );
    expect(sum).toBe(running.security.denials.count);
  });

  test('a token that is taken back works no more', async () => {
    const authorization = `Bearer ${tokens.reader}`;
    expect(await ask('/v1/cluster', { authorization })).toMatchObject({ status: 200 });
    writeTokens(join(certificates, 'tokens.json'), []);
    const end = performance.now() + 5000;
    while ((await ask('/v1/cluster', { authorization })).status !== 401) {
      expect(performance.now()).toBeLessThan(end);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});

test('keys and tokens are their owner’s alone, and tokens are not written down', () => {
  for (const file of ['ca.key', 'kernel.key', 'alice.key', 'tokens.json'])
    expect(statSync(join(certificates, file)).mode & 0o077, file).toBe(0);
  expect(readFileSync(join(certificates, 'tokens.json'), 'utf8')).not.toContain(tokens.reader);
});

test('off loopback the kernel listens with certificates, or not unless somebody says so', async () => {
  const at = (grpc: string, http: string, security: object) =>
    startSettings({ data: join(folder, 'other'), grpc: { address: grpc }, http: { address: http }, security });
  const start = (settings: ReturnType<typeof at>) => runKernel(settings, '1', silentLogger);
  await expect(start(at('0.0.0.0:0', '127.0.0.1:0', {}))).rejects.toMatchObject({ code: 'SIRA_LISTEN_INSECURE' });
  await expect(start(at('127.0.0.1:0', '[::]:0', {}))).rejects.toMatchObject({ code: 'SIRA_LISTEN_INSECURE' });
  await expect(start(at('127.0.0.1:0', '127.0.0.1:0', { folder }))).rejects.toMatchObject({
    code: 'SIRA_FILE_MISSING',
  });
  const open = await start(at('0.0.0.0:0', '127.0.0.1:0', { clear: 'everywhere' }));
  await open.stop();
});

function hello(who: string, name: string): Promise<ConnectResponse> {
  const client = new AgentServiceClient(running.grpc.address, as(who));
  const stream = client.connect();
  return new Promise<ConnectResponse>((resolve, reject) => {
    stream.on('data', (answer: ConnectResponse) => {
      if (answer.message?.$case !== 'ping') resolve(answer);
    });
    stream.on('error', reject);
    stream.write({
      message: {
        $case: 'hello',
        value: {
          name,
          incarnation: 1,
          connection: 1,
          resources: { cpuMilli: 1, memoryMib: 1, gpuCount: 0, gpuModel: '' },
          capabilities: new Map(),
          labels: new Map(),
          running: [],
          models: [],
          sentMicros: 5,
        },
      },
    });
  }).finally(() => {
    stream.on('error', () => {});
    stream.cancel();
    client.close();
  });
}

function inOrder(left: string, right: string): number {
  return left < right ? -1 : 1;
}
