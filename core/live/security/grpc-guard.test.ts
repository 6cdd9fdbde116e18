// Who is on a connection is found once, whatever calls lie around it; another connection is another matter.

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { DevelopmentAuthority } from './authority.ts';
import { GrpcGuard } from './grpc-guard.ts';
import { KernelSecurity } from './kernel-security.ts';
import { defaultRateLimits } from './rates.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-guard-'));
const raw = (name: string): Buffer => new X509Certificate(readFileSync(join(folder, `${name}.crt`))).raw;
let guard: GrpcGuard;
let reads = 0;

beforeAll(async () => {
  const authority = await DevelopmentAuthority.open(folder);
  await authority.issueServer(['localhost'], 1);
  await authority.issueClient('alice', ['submit'], 1);
  await authority.issueClient('bob', ['register'], 1);
  guard = new GrpcGuard(
    await KernelSecurity.open(
      { folder, crl: '', clear: 'loopback', limits: defaultRateLimits },
      createLogger('silent'),
    ),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As the library makes them: a fresh certificate object at every look, the connection somewhere below. */
const callOf = (name: string, session: object | undefined) => ({
  getPeer: () => '127.0.0.1:1',
  getAuthContext: () => {
    reads++;
    return { sslPeerCertificate: { raw: raw(name) } };
  },
  nextCall: { stream: { session } },
});
const nameOf = (call: Parameters<GrpcGuard['identityOf']>[0]): string => {
  const identity = guard.identityOf(call);
  return typeof identity === 'string' ? identity : identity.name;
};

it('reads the certificate of a connection once, and takes nobody for another', () => {
  const [first, second] = [{}, {}];
  expect(nameOf(callOf('alice', first))).toBe('alice');
  expect(nameOf({ ...callOf('alice', first), ...{ call: callOf('alice', first) } })).toBe('alice');
  expect(reads).toBe(1);
  expect(nameOf(callOf('bob', second))).toBe('bob');
  expect(nameOf(callOf('alice', first))).toBe('alice');
  expect(reads).toBe(2);
});

it('reads it at each call where the connection is not known', () => {
  reads = 0;
  expect(nameOf(callOf('alice', undefined))).toBe('alice');
  expect(nameOf(callOf('bob', undefined))).toBe('bob');
  expect(reads).toBe(2);
});
