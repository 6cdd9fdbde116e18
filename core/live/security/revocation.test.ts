// Certificates that are taken back while the kernel runs, and rights to topics: over real sockets, with what is denied in the audit.

// The library's container asks for it before anything else.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentConnection, clientCredentials, Submitter, Topics } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';
import { DevelopmentAuthority } from './authority.ts';
import { identityOfCertificate } from './identity.ts';
import { KernelSecurity } from './kernel-security.ts';
import { defaultRateLimits } from './rates.ts';

const crypto = webcrypto as unknown as NonNullable<Parameters<typeof X509CertificateGenerator.create>[1]>;
const folder = mkdtempSync(join(tmpdir(), 'sira-revocation-'));
const certificates = join(folder, 'certificates');
const list = join(certificates, 'ca.crl');
let authority: DevelopmentAuthority;
let running: RunningKernel;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  authority = await DevelopmentAuthority.open(certificates);
  await authority.issueServer(['localhost', '127.0.0.1'], 2);
  await authority.issueClient('worker', ['register'], 2);
  await authority.issueClient('alice', ['submit', 'publish', 'subscribe'], 2);
  await authority.issueClient('probe', ['publish'], 2, ['sensors/*', 'log']);
  await authority.issueClient('reader', ['subscribe'], 2, ['sensors/*']);
  running = await runKernel(
    startSettings({
      data: join(folder, 'data'),
      grpc: { address: '127.0.0.1:0' },
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

const as = (name: string) => ({
  address: running.grpc.address,
  name,
  credentials: clientCredentials(certificates, name),
});
const denials = () => running.security.denials.latest(1000);

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    expect(performance.now()).toBeLessThan(end);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('topics that a certificate does not name are denied, told and audited, and the others go on', async () => {
  const alice = await Topics.connect(as('alice'));
  const probe = await Topics.connect(as('probe'));
  const reader = await Topics.connect(as('reader'));
  ends.push(
    () => alice.close(),
    () => probe.close(),
    () => reader.close(),
  );
  await alice.create('orders', {});
  await probe.create('sensors/1', {});
  await probe.create('log', {});
  await expect(probe.create('orders-2', {})).rejects.toThrow('probe may not publish "orders-2"');
  await expect(probe.create('sensors/2', { deadLetterTopic: 'orders' })).rejects.toThrow('may not publish "orders"');
  await expect(probe.publish('orders', Uint8Array.of(1))).rejects.toThrow('probe may not publish "orders"');
  await expect(probe.publish('log/2', Uint8Array.of(1))).rejects.toThrow('may not publish');
  expect(await alice.publish('orders', Uint8Array.of(2))).toBe(0);
  expect(await probe.publish('sensors/1', Uint8Array.of(3))).toBe(0);
  const got: string[] = [];
  const handle = ({ topic }: { readonly topic: string }): void => void got.push(topic);
  void reader.subscribe({ topic: 'orders', group: 'a', mode: 'shared', handle });
  void reader.subscribe({ topic: 'sensors/1', group: 'b', mode: 'shared', handle });
  await until(() => got.length > 0);
  expect(got).toEqual(['sensors/1']);
  expect(denials().map(({ identity, what, detail, reason }) => [identity, what, detail, reason])).toEqual(
    expect.arrayContaining([
      ['probe', 'publish', 'probe may not publish "orders"', 'forbidden'],
      ['reader', 'subscribe', 'reader may not subscribe "orders"', 'forbidden'],
    ]),
  );
});

test('who is bounded in a way that is not understood is nobody', async () => {
  const other = await DevelopmentAuthority.open(join(folder, 'other'));
  await expect(other.issueClient('x', ['publish'], 1, ['a&topic=*'])).rejects.toMatchObject({ code: 'SIRA_USAGE' });
  const identityOf = async (...uris: string[]) => {
    const names = new SubjectAlternativeNameExtension(uris.map((value) => ({ type: 'url', value })));
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const made = await X509CertificateGenerator.createSelfSigned({ keys, signingAlgorithm, extensions: [names] });
    return identityOfCertificate(Buffer.from(made.rawData));
  };
  const unknown = 'what bounds the role publish in the certificate is not understood';
  expect(await identityOf('sira://publish/x?only=a')).toBe(unknown);
  expect(await identityOf('sira://publish/x?topic=a&topic=')).toBe(unknown);
  expect(await identityOf('sira://submit/x?topic=a')).toBe(unknown.replace('publish', 'submit'));
  const topics = new Map([['publish', ['a', 'b/*']]]);
  expect(await identityOf('sira://publish/x?topic=a&topic=b/*', 'sira://submit/x')).toMatchObject({ topics });
  const unbounded = await identityOf('sira://publish/x?topic=a', 'sira://publish/x');
  expect(unbounded).toMatchObject({ name: 'x', topics: new Map() });
});

test('a certificate that is taken back ends what runs under it, and lets nobody in', async () => {
  const reasons: string[] = [];
  const agents = AgentConnection.start({
    ...as('worker'),
    agents: [{ name: 'worker', functions: { echo: async (inputs) => inputs } }],
    connection: (state, reason) => void reasons.push(`${state} ${reason}`),
  });
  ends.push(() => agents.stop());
  const alice = await Submitter.connect(as('alice'));
  ends.push(() => alice.abandon());
  expect((await alice.run({ function: 'echo' })).outcome).toBe('completed');
  expect(await authority.revokeClient('worker', 30)).toBe(1);
  await until(() => reasons.some((reason) => reason.startsWith('rejected')));
  expect(reasons.at(-1)).toContain('the certificate is revoked');
  expect(denials()).toContainEqual(
    expect.objectContaining({ identity: 'worker', what: 'a call under way', detail: 'the certificate is revoked' }),
  );
  await expect(Topics.connect(as('worker'))).rejects.toThrow('the certificate is revoked');
  // Others go on; a new certificate of the same name counts.
  const second = await Submitter.connect({ ...as('alice'), name: 'alice/2' });
  ends.push(() => second.abandon());
  await authority.issueClient('worker', ['register'], 2);
  const again = AgentConnection.start({
    ...as('worker'),
    agents: [{ name: 'worker', functions: { echo: async (inputs) => inputs } }],
  });
  ends.push(() => again.stop());
  expect((await second.run({ function: 'echo' })).outcome).toBe('completed');
  expect(await authority.revokeClient('nobody', 30)).toBe(0);
});

test('a list that is none changes nothing, and a kernel does not begin with it', async () => {
  const count = running.security.revocations?.count;
  expect(count).toBe(1);
  const sound = readFileSync(list);
  appendFileSync(list, 'x');
  writeFileSync(list, 'nothing of the kind');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(running.security.revocations?.count).toBe(count);
  const stranger = await DevelopmentAuthority.open(join(folder, 'stranger'));
  await stranger.issueClient('worker', ['register'], 2);
  await stranger.revokeClient('worker', 30);
  const open = (crl: string) =>
    KernelSecurity.open({ folder: certificates, crl, clear: 'loopback', limits: defaultRateLimits }, silentLogger);
  await expect(open(join(folder, 'stranger', 'ca.crl'))).rejects.toThrow('is not signed by the authority');
  await expect(open('')).rejects.toMatchObject({ code: 'SIRA_SETTING_INVALID' });
  await expect(open(join(folder, 'none'))).rejects.toMatchObject({ code: 'SIRA_FILE_MISSING' });
  writeFileSync(list, sound);
  const security = await open('');
  expect(security.revocations?.count).toBe(1);
  security.close();
  expect(existsSync(list)).toBe(true);
});
