// Who speaks to the kernel, and what it may do. An identity stands in the URIs of a client's certificate, one for each role:
// `sira://submit/alice`. The name also bounds what it may speak as: alice, alice/…, alice#…; a name that ends in * covers all that
// begin so. Nobody has a role that no one gave.

import { X509Certificate } from 'node:crypto';

/** register: be an agent. publish, subscribe: durable topics. submit: hand over tasks. administer: read all, change, drain. */
export const roles = ['register', 'publish', 'subscribe', 'submit', 'administer'] as const;
export type Role = (typeof roles)[number];

export interface Identity {
  /** As it stands in the audit. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** What it was told by; `loopback` is anybody on this machine, where nothing asks. */
  readonly from: 'certificate' | 'token' | 'loopback';
}

/** Everybody where the kernel listens in the clear. */
export const anybody: Identity = { name: '*', roles: new Set(roles), from: 'loopback' };

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,198}\*?$|^\*$/;

export function isIdentityName(name: string): boolean {
  return namePattern.test(name);
}

export function identityUri(role: Role, name: string): string {
  return `sira://${role}/${name}`;
}

/** Whether `identity` may speak as the agent, submitter, client or producer `name`. */
export function speaksAs({ name: own, from }: Identity, name: string): boolean {
  if (from === 'loopback' || own === name) return true;
  if (own.endsWith('*')) return name.startsWith(own.slice(0, -1));
  return name.startsWith(`${own}/`) || name.startsWith(`${own}#`);
}

/** Who the record says did something: nobody writes another's name alone. */
export function actorOf({ name, from }: Identity, said: string): string {
  return from === 'loopback' || said === name ? said : `${name} (${said})`.slice(0, 200);
}

/** The identity that a certificate's URIs give, or why there is none. The chain has been verified before. */
export function identityOfCertificate(der: Buffer): Identity | string {
  let alternatives: string | undefined;
  try {
    alternatives = new X509Certificate(der).subjectAltName;
  } catch {
    return 'the certificate cannot be read';
  }
  // Node quotes what could be mistaken for another entry: none of ours needs it.
  if (alternatives?.includes('"') === true)
    return 'an alternative name of the certificate has characters that none may have';
  const given = new Set<Role>();
  let name: string | undefined;
  for (const entry of alternatives?.split(', ') ?? []) {
    const [, role = '', of = ''] = /^URI:sira:\/\/([a-z]+)\/(.+)$/.exec(entry) ?? [];
    if (role === '') continue;
    if (!(roles as readonly string[]).includes(role)) return `the certificate's role "${role}" is none`;
    if (!isIdentityName(of)) return 'the name in the certificate is none that one may have';
    if (name !== undefined && name !== of) return 'the certificate has several names';
    name = of;
    given.add(role as Role);
  }
  return name === undefined
    ? 'the certificate has no URI sira://role/name'
    : { name, roles: given, from: 'certificate' };
}

/** Whether what listens at `host:port` is reached from this machine alone. */
export function isLoopbackAddress(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
