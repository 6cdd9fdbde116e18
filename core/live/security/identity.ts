// Who speaks to the kernel, and what it may do. An identity stands in the URIs of a client's certificate, one for each role:
// `sira://submit/alice`. The name also bounds what it may speak as: alice, alice/…, alice#…; a name that ends in * covers all that
// begin so. Publishing and subscribing may be bounded to topics: `sira://publish/alice?topic=sensors/*&topic=log`. Nobody has a role
// that no one gave.

import { X509Certificate } from 'node:crypto';

/** register: be an agent. publish, subscribe: durable topics. submit: hand over tasks. administer: read all, change, drain. */
export const roles = ['register', 'publish', 'subscribe', 'submit', 'administer'] as const;
export type Role = (typeof roles)[number];

export interface Identity {
  /** As it stands in the audit. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** Topics that a role is bounded to, a * at the end for all that begin so; a role that is not here has all. */
  readonly topics?: ReadonlyMap<Role, readonly string[]> | undefined;
  /** Of the certificate, hexadecimal. */
  readonly serialNumber?: string | undefined;
  /** What it was told by; `loopback` is anybody on this machine, where nothing asks. */
  readonly from: 'certificate' | 'token' | 'loopback';
}

/** Everybody where the kernel listens in the clear. */
export const anybody: Identity = { name: '*', roles: new Set(roles), from: 'loopback' };

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,198}\*?$|^\*$/;

const topicPattern = /^[A-Za-z0-9._:@/-]{1,198}\*?$|^\*$/;
/** Roles that topics bound. */
export const topicRoles: readonly Role[] = ['publish', 'subscribe'];

export function isIdentityName(name: string): boolean {
  return namePattern.test(name);
}

/** A topic, or with a * at the end all that begin so. */
export function isTopicPattern(topic: string): boolean {
  return topicPattern.test(topic);
}

/** `topics`: what the role is bounded to; none is all. */
export function identityUri(role: Role, name: string, topics: readonly string[] = []): string {
  const bounds = topics.map((topic) => `topic=${topic}`).join('&');
  return `sira://${role}/${name}${bounds === '' ? '' : `?${bounds}`}`;
}

/** Whether `identity` may publish to or subscribe to `topic`, which it has the role for. */
export function mayUseTopic({ topics }: Identity, role: Role, topic: string): boolean {
  const allowed = topics?.get(role);
  return allowed === undefined || allowed.some((pattern) => covers(pattern, topic));
}

function covers(pattern: string, topic: string): boolean {
  return pattern.endsWith('*') ? topic.startsWith(pattern.slice(0, -1)) : topic === pattern;
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
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return 'the certificate cannot be read';
  }
  const { subjectAltName: alternatives, serialNumber } = certificate;
  // Node quotes what could be mistaken for another entry: none of ours needs it.
  if (alternatives?.includes('"') === true)
    return 'an alternative name of the certificate has characters that none may have';
  const given = new Set<Role>();
  const bounded = new Map<Role, string[]>();
  const unbounded = new Set<Role>();
  let name: string | undefined;
  for (const entry of alternatives?.split(', ') ?? []) {
    const [, word = '', of = '', bounds] = /^URI:sira:\/\/([a-z]+)\/([^?]+)(?:\?(.*))?$/.exec(entry) ?? [];
    if (word === '') continue;
    if (!(roles as readonly string[]).includes(word)) return `the certificate's role "${word}" is none`;
    const role = word as Role;
    if (!isIdentityName(of)) return 'the name in the certificate is none that one may have';
    if (name !== undefined && name !== of) return 'the certificate has several names';
    name = of;
    given.add(role);
    if (bounds === undefined) {
      unbounded.add(role);
      continue;
    }
    const topics = topicsOf(role, bounds);
    if (topics === undefined) return `what bounds the role ${role} in the certificate is not understood`;
    bounded.set(role, [...(bounded.get(role) ?? []), ...topics]);
  }
  for (const role of unbounded) bounded.delete(role);
  if (name === undefined) return 'the certificate has no URI sira://role/name';
  return { name, roles: given, topics: bounded, serialNumber, from: 'certificate' };
}

/** Who is bounded in a way that is not understood has nothing: undefined. */
function topicsOf(role: Role, bounds: string): string[] | undefined {
  const topics: string[] = [];
  for (const part of bounds.split('&')) {
    const topic = part.startsWith('topic=') ? part.slice('topic='.length) : '';
    if (!isTopicPattern(topic) || !topicRoles.includes(role)) return undefined;
    topics.push(topic);
  }
  return topics;
}

/** Whether what listens at `host:port` is reached from this machine alone. */
export function isLoopbackAddress(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
