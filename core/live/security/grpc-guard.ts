// The door of the gRPC server: every call passes here before its service hears of it. Who calls is told by the certificate; whether
// it may is the table below, and what the table does not have nobody may. Streams that say nothing are ended, messages that come too
// fast are read later, calls that come too often are refused.

import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
  status,
} from '@grpc/grpc-js';
import type { Denial } from './denials.ts';
import { anybody, type Identity, identityOfCertificate, mayUseTopic, type Role, roles, speaksAs } from './identity.ts';
import type { KernelSecurity } from './kernel-security.ts';
import { addressKey, type Caller, type RateBucket } from './rates.ts';

/** Any one of the roles is enough. */
export const methodRoles: Readonly<Record<string, readonly Role[]>> = {
  '/sira.v1.AgentService/Connect': ['register'],
  '/sira.v1.AgentService/Discover': ['register', 'submit', 'administer'],
  '/sira.v1.SubmissionService/Attach': ['submit'],
  '/sira.v1.SubmissionService/Submit': ['submit'],
  '/sira.v1.SubmissionService/Wait': ['submit', 'administer'],
  '/sira.v1.TopicService/Join': ['publish', 'subscribe'],
  '/inference.GRPCInferenceService/ServerLive': roles,
  '/inference.GRPCInferenceService/ServerReady': roles,
  '/inference.GRPCInferenceService/ServerMetadata': roles,
  '/inference.GRPCInferenceService/ModelReady': ['submit', 'administer'],
  '/inference.GRPCInferenceService/ModelMetadata': ['submit', 'administer'],
  '/inference.GRPCInferenceService/ModelInfer': ['submit'],
  '/sira.v1.AdministrationService/GetState': ['administer'],
  '/sira.v1.AdministrationService/ListAgents': ['administer'],
  '/sira.v1.AdministrationService/ListSettings': ['administer'],
  '/sira.v1.AdministrationService/ChangeSetting': ['administer'],
  '/sira.v1.AdministrationService/DrainAgent': ['administer'],
};

/** What a call shows of who makes it: server calls and intercepted ones have it. */
export interface PeerCall {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } };
  getPeer(): string;
}

interface Refusal {
  readonly code: status;
  readonly details: string;
  readonly reason: Denial['reason'];
}

export class GrpcGuard {
  readonly security: KernelSecurity;
  /** By connection: whoever opened it is who speaks on it, and reading a certificate takes longer than most calls. */
  private readonly known = new WeakMap<object, Identity | string>();
  /** Calls that go on, and how to end one. */
  private readonly open = new Map<ServerInterceptingCallInterface, (ending: Refusal) => void>();

  constructor(security: KernelSecurity) {
    this.security = security;
    if (security.revocations !== undefined) security.revocations.changed = () => this.endRevoked();
  }

  /** Who calls, or why nobody is known. */
  identityOf(call: PeerCall): Identity | string {
    if (this.security.certificates === undefined) return anybody;
    const identity = this.certified(call);
    return typeof identity === 'string' ? identity : (this.security.revocationOf(identity.serialNumber) ?? identity);
  }

  private certified(call: PeerCall): Identity | string {
    const connection = connectionOf(call);
    const known = connection === undefined ? undefined : this.known.get(connection);
    if (known !== undefined) return known;
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (certificate === undefined) return 'there is no certificate of the authority';
    const identity = identityOfCertificate(certificate.raw);
    if (connection !== undefined) this.known.set(connection, identity);
    return identity;
  }

  /** Whether a stream may speak as `name`, in `role`; what it may not is audited. Why not, if it may not. */
  refusalOf(call: PeerCall, role: Role, name: string | undefined, what: string): string | undefined {
    const identity = this.identityOf(call);
    if (typeof identity === 'string') return identity;
    const refusal = !identity.roles.has(role)
      ? `${identity.name} has not the role ${role}`
      : name !== undefined && !speaksAs(identity, name)
        ? `${identity.name} does not speak for "${name.slice(0, 200)}"`
        : undefined;
    if (refusal !== undefined) this.note(call, identity, what, { reason: 'forbidden', details: refusal });
    return refusal;
  }

  /** Whether a stream may publish to or subscribe to a topic; what it may not is audited. Why not, if it may not. */
  topicRefusalOf(call: PeerCall, role: 'publish' | 'subscribe', topic: string): string | undefined {
    const identity = this.identityOf(call);
    if (typeof identity === 'string') return identity;
    if (mayUseTopic(identity, role, topic)) return undefined;
    const details = `${identity.name} may not ${role} "${topic.slice(0, 200)}"`;
    this.note(call, identity, role, { reason: 'forbidden', details });
    return details;
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    const guarded: GuardedCall = new GuardedCall(call, (next) => {
      let release = (): void => {};
      let timer: NodeJS.Timeout | undefined;
      const listener: ServerListener = {
        onReceiveMetadata: (metadata, pass) => {
          const admitted = this.admit(method.path, call);
          if ('code' in admitted) {
            call.sendStatus({ code: admitted.code, details: admitted.details });
            return;
          }
          const { caller } = admitted;
          caller.streams++;
          release = () => {
            release = () => {};
            clearTimeout(timer);
            caller.streams--;
            this.open.delete(call);
          };
          this.open.set(call, ({ code, details }) => guarded.sendStatus({ code, details }));
          guarded.bucket = caller.messages;
          guarded.ended = () => release();
          const { firstMessageMillis } = this.security.limits;
          timer = setTimeout(() => {
            const details = `nothing was said within ${firstMessageMillis / 1000} s`;
            this.note(call, this.identityOf(call), method.path, { reason: 'silence', details });
            guarded.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
          }, firstMessageMillis);
          pass(metadata);
        },
        onReceiveMessage: (message, pass) => {
          clearTimeout(timer);
          pass(message);
        },
        onCancel: () => release(),
      };
      next(listener);
    });
    return guarded;
  };

  /** What goes on under certificates that were revoked goes on no more. */
  private endRevoked(): void {
    for (const [call, end] of [...this.open]) {
      const identity = this.certified(call);
      const details = typeof identity === 'string' ? undefined : this.security.revocationOf(identity.serialNumber);
      if (details === undefined) continue;
      const refusal = { code: status.UNAUTHENTICATED, details, reason: 'unauthenticated' } as const;
      this.note(call, identity, 'a call under way', refusal);
      end(refusal);
    }
  }

  private admit(path: string, call: ServerInterceptingCallInterface): Refusal | { readonly caller: Caller } {
    const { callers, limits } = this.security;
    const address = callers.of(addressKey(addressOf(call.getPeer())));
    const deny = (identity: Identity | string, refusal: Refusal): Refusal => {
      address.denials.take();
      this.note(call, identity, path, refusal);
      return refusal;
    };
    if (!address.denials.has()) {
      const details = 'too much was refused to this address; come again later';
      return deny('', { code: status.RESOURCE_EXHAUSTED, details, reason: 'rate' });
    }
    const identity = this.identityOf(call);
    if (typeof identity === 'string')
      return deny('', { code: status.UNAUTHENTICATED, details: identity, reason: 'unauthenticated' });
    const allowed = methodRoles[path];
    if (allowed === undefined || !allowed.some((role) => identity.roles.has(role))) {
      const needed = allowed === undefined ? 'nobody may do this' : `it takes the role ${allowed.join(' or ')}`;
      return deny(identity, { code: status.PERMISSION_DENIED, details: needed, reason: 'forbidden' });
    }
    const caller = identity.from === 'loopback' ? address : callers.of(`identity ${identity.name}`);
    if (!caller.calls.take())
      return deny(identity, {
        code: status.RESOURCE_EXHAUSTED,
        details: `more than ${limits.calls.perSecond} calls a second`,
        reason: 'rate',
      });
    if (caller.streams >= limits.streamsMax)
      return deny(identity, {
        code: status.RESOURCE_EXHAUSTED,
        details: `more than ${limits.streamsMax} streams at once`,
        reason: 'size',
      });
    return { caller };
  }

  private note(
    call: Pick<PeerCall, 'getPeer'>,
    identity: Identity | string,
    what: string,
    { reason, details }: Pick<Refusal, 'reason' | 'details'>,
  ): void {
    this.security.denials.note({
      reason,
      over: 'grpc',
      identity: typeof identity === 'string' ? '' : identity.name,
      address: addressOf(call.getPeer()),
      what,
      detail: details,
    });
  }
}

/** A call whose messages are read no faster than its caller may send them. */
class GuardedCall extends ServerInterceptingCall {
  bucket: RateBucket | undefined;
  ended: () => void = () => {};

  constructor(call: ServerInterceptingCallInterface, start: (next: (listener?: ServerListener) => void) => void) {
    super(call, { start });
  }

  override startRead(): void {
    const waitMillis = this.bucket?.reserve() ?? 0;
    if (waitMillis < 1) super.startRead();
    else setTimeout(() => super.startRead(), waitMillis);
  }

  override sendStatus(ending: Parameters<ServerInterceptingCall['sendStatus']>[0]): void {
    this.ended();
    super.sendStatus(ending);
  }
}

/** The connection under a call, which the library shows nowhere: without it the certificate is read anew each time. */
function connectionOf(call: object): object | undefined {
  const under = call as {
    readonly stream?: { readonly session?: unknown };
    readonly call?: unknown;
    readonly nextCall?: unknown;
  };
  const session = under.stream?.session;
  if (typeof session === 'object' && session !== null) return session;
  const next = under.call ?? under.nextCall;
  return typeof next === 'object' && next !== null ? connectionOf(next) : undefined;
}

/** The host of `host:port`. */
function addressOf(peer: string): string {
  const at = peer.lastIndexOf(':');
  return at < 0 ? peer : peer.slice(0, at).replace(/^\[|\]$/g, '');
}
