// The door of the HTTP server: who asks is known by a client certificate or a token (Bearer, or as the password of Basic, which
// browsers ask for by themselves); reading takes any identity, work the role submit, changing anything the role administer, health
// is everybody's.
// It stands before every other hook, so that who may not ask learns nothing of what there is.

import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import type { Denial } from './denials.ts';
import { actorOf, anybody, type Identity, identityOfCertificate } from './identity.ts';
import type { KernelSecurity } from './kernel-security.ts';
import { addressKey } from './rates.ts';

const identities = new WeakMap<FastifyRequest, Identity>();
const openPaths = ['/health/live', '/health/ready', '/v2/health/live', '/v2/health/ready'];
/** Read by operators alone. */
const administratorsPaths = ['/v1/denials'];

/** Who makes a request that has passed the guard. */
export function identityOfRequest(request: FastifyRequest): Identity | undefined {
  return identities.get(request);
}

/** To be called before any hook or route is added. */
export function guardHttp(server: FastifyInstance, security: KernelSecurity): void {
  boundConnections(server, security);
  server.addHook('onRequest', (request, reply, done) => {
    const refusal = admit(security, request, reply);
    if (refusal === undefined) done();
    else done(refusal);
  });
  server.addHook('preHandler', (request, _reply, done) => {
    const identity = identities.get(request);
    const body = request.body as { who?: unknown } | null | undefined;
    if (identity !== undefined && typeof body === 'object' && body !== null && typeof body.who === 'string')
      body.who = actorOf(identity, body.who);
    done();
  });
}

function admit(security: KernelSecurity, request: FastifyRequest, reply: FastifyReply): SiraError | undefined {
  const path = request.url.split('?')[0] as string;
  const remote = request.socket.remoteAddress ?? 'unknown';
  const address = security.callers.of(addressKey(remote));
  const deny = (reason: Denial['reason'], identity: string, error: SiraError): SiraError => {
    address.denials.take();
    const what = `${request.method} ${path}`;
    security.denials.note({ reason, over: 'http', identity, address: remote, what, detail: error.message });
    return error;
  };
  const tooMuch = (identity: string, detail: string): SiraError => {
    reply.header('retry-after', '1');
    return deny('rate', identity, new SiraError('SIRA_RATE_EXCEEDED', detail));
  };
  if (!address.denials.has()) return tooMuch('', 'too much was refused to this address');
  const isOpen = openPaths.includes(path);
  const identity = security.certificates === undefined ? anybody : identityOf(security, request);
  const caller =
    typeof identity === 'string' || identity.from === 'loopback'
      ? address
      : security.callers.of(`identity ${identity.name}`);
  const name = typeof identity === 'string' ? '' : identity.name;
  if (!caller.calls.take()) return tooMuch(name, `more than ${security.limits.calls.perSecond} requests a second`);
  if (typeof identity === 'string') {
    if (isOpen) return undefined;
    // One field each: browsers take a field for one challenge, and ask nobody if the first in it is strange to them.
    reply.header('www-authenticate', ['Bearer realm="sira"', 'Basic realm="sira", charset="UTF-8"']);
    return deny('unauthenticated', '', new SiraError('SIRA_UNAUTHENTICATED', identity));
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
  const isWork = path.startsWith('/v2/') || (path === '/v1/tasks' && request.method === 'POST');
  const needed =
    isRead && !administratorsPaths.includes(path) ? undefined : isWork ? ('submit' as const) : ('administer' as const);
  if (needed !== undefined && !identity.roles.has(needed))
    return deny('forbidden', name, new SiraError('SIRA_FORBIDDEN', `${name} has not the role ${needed}`));
  identities.set(request, identity);
  return undefined;
}

function identityOf(security: KernelSecurity, request: FastifyRequest): Identity | string {
  const { tokens } = security;
  const token = tokenOf(request.headers.authorization ?? '');
  if (token !== undefined) return tokens?.identityOf(token) ?? 'the token is none, or no more';
  const socket = request.socket as Partial<TLSSocket>;
  if (socket.authorized === true) {
    const { raw } = socket.getPeerCertificate?.() ?? {};
    const identity = raw === undefined ? undefined : identityOfCertificate(raw);
    if (typeof identity === 'object') return security.revocationOf(identity.serialNumber) ?? identity;
    if (identity !== undefined) return identity;
  }
  return 'there is neither a token nor a certificate of the authority';
}

/** The name that Basic comes with says nothing: the token does. */
function tokenOf(header: string): string | undefined {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme === '') return header === '' ? undefined : '';
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

/** One address has only so many connections, so that slow ones do not use up everybody's. */
function boundConnections(server: FastifyInstance, security: KernelSecurity): void {
  const counts = new Map<string, number>();
  server.server.on('connection', (socket) => {
    const remote = socket.remoteAddress ?? 'unknown';
    const key = addressKey(remote);
    const count = counts.get(key) ?? 0;
    if (count >= security.limits.connectionsMax) {
      const detail = `more than ${security.limits.connectionsMax} connections at once`;
      security.denials.note({
        ...({ reason: 'size', over: 'http', identity: '', address: remote, what: 'connect', detail } as const),
      });
      socket.destroy();
      return;
    }
    counts.set(key, count + 1);
    socket.once('close', () => {
      const left = (counts.get(key) ?? 1) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    });
  });
}
