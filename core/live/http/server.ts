// The HTTP server of the live kernel: state, configuration, events, health, metrics and the console, behind one address. Every
// route has its JSON Schema, every error is a problem with a code. It reads the kernel and gives it inputs; nothing waits for it.

import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import Fastify, { type FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import type { GrpcServer } from '../grpc/server.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { LiveTopics } from '../live-topics.ts';
import { guardHttp } from '../security/http-guard.ts';
import { isLoopbackAddress } from '../security/identity.ts';
import type { KernelSecurity } from '../security/kernel-security.ts';
import type { LiveTelemetry } from '../telemetry/live-telemetry.ts';
import { Activity } from './activity.ts';
import { configRoutes } from './config-routes.ts';
import { consoleRoutes } from './console-routes.ts';
import { denialRoutes } from './denial-routes.ts';
import { defaultEventLimits, type EventLimits, EventStreams } from './event-routes.ts';
import { answerInferenceError, inferenceRoutes } from './inference-routes.ts';
import { linkRoutes } from './link-routes.ts';
import { Metrics } from './metrics.ts';
import { policyRoutes } from './policy-routes.ts';
import { answerError, answerProblems } from './problem.ts';
import { Samples } from './samples.ts';
import { serviceRoutes } from './service-routes.ts';
import { stateRoutes } from './state-routes.ts';
import { submitRoutes } from './submit-routes.ts';
import { topicRoutes } from './topic-routes.ts';
import type { HttpSources } from './views.ts';

export interface HttpServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string;
  readonly version: string;
  /** Who may ask, how much, and by which certificates. */
  readonly security: KernelSecurity;
  /** The durable topics, to be shown. */
  readonly topics: LiveTopics;
  /** Names under which it may be asked besides addresses and localhost: pages elsewhere that resolve to it are turned away. */
  readonly hosts?: readonly string[] | undefined;
  readonly events?: EventLimits | undefined;
  readonly telemetry?: LiveTelemetry | undefined;
  readonly plugins?: readonly HttpPlugin[] | undefined;
}

/** Routes of a higher layer. What it holds ends with the server's hook `onClose`. */
export type HttpPlugin = (server: FastifyInstance, sources: HttpSources) => void;

const bodyBytesMax = 256 * 1024;
const readMillisMax = 2000;
const connectionsMax = 2048;

export class HttpServer {
  /** For tests: `inject`. */
  readonly server: FastifyInstance;
  readonly metrics: Metrics;
  readonly activity: Activity;
  /** Where it listens, as a URL; empty before. */
  url = '';
  private readonly samples: Samples;
  private readonly events: EventStreams;

  private constructor(
    server: FastifyInstance,
    sources: HttpSources,
    metrics: Metrics,
    samples: Samples,
    events: EventStreams,
  ) {
    this.server = server;
    this.activity = sources.activity;
    this.metrics = metrics;
    this.samples = samples;
    this.events = events;
  }

  /** Throws SIRA_ADDRESS_TAKEN if it cannot listen there. */
  static async start(live: LiveKernel, grpc: GrpcServer, options: HttpServerOptions): Promise<HttpServer> {
    const http = await HttpServer.create(live, grpc, options);
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(options.address) ?? [];
    try {
      http.url = await http.server.listen({ host: host.replace(/^\[|\]$/g, ''), port: Number(port) });
    } catch (error) {
      await http.stop();
      throw new SiraError('SIRA_ADDRESS_TAKEN', `${options.address}: ${(error as Error).message}`);
    }
    if (options.security.certificates === undefined && !isLoopbackAddress(options.address))
      live.options.logger.warn(
        { url: http.url },
        'whoever reaches this address can read everything and change settings',
      );
    return http;
  }

  /** All but listening. */
  static async create(live: LiveKernel, grpc: GrpcServer, options: HttpServerOptions): Promise<HttpServer> {
    const activity = new Activity(live);
    const { version, topics, security, telemetry } = options;
    const sources: HttpSources = {
      ...{ live, agents: grpc.agents, links: grpc.links, activity, topics, version, telemetry },
    };
    const samples = new Samples(live, activity);
    const metrics = new Metrics(live, grpc, activity, topics, version);
    const events = new EventStreams(sources, samples, metrics, options.events ?? defaultEventLimits);
    metrics.watchDenials(security.denials);
    const server = Fastify({
      ...tlsOptions(security),
      bodyLimit: bodyBytesMax,
      routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false },
      requestTimeout: 30_000,
      forceCloseConnections: true,
      frameworkErrors: (error, request, reply) => {
        const answer = request.url.startsWith('/v2/') ? answerInferenceError : answerError;
        void answer(error, request, reply, live.options.logger);
      },
    }) as FastifyInstance;
    const rules = { useDefaults: true, removeAdditional: false, allowUnionTypes: true, strict: false } as const;
    const ofText = new Ajv({ ...rules, coerceTypes: true });
    const ofJson = new Ajv(rules);
    // Addresses are text; a body says itself what is a number.
    server.setValidatorCompiler(({ schema, httpPart }) =>
      (httpPart === 'body' ? ofJson : ofText).compile(schema as object),
    );
    server.server.maxConnections = connectionsMax;
    // Before all else: who may not ask learns nothing of what there is.
    guardHttp(server, security);
    answerProblems(server, live.options.logger);
    server.removeContentTypeParser('text/plain');
    guard(server, options);
    server.addHook('onResponse', (request, reply, done) => {
      const labels = {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: String(reply.statusCode),
      };
      metrics.requests.observe(labels, reply.elapsedTime / 1000);
      done();
    });
    // What is read may not be durable yet: it is answered when it is. If the disk stands still, people want to see that.
    server.addHook('onSend', async (request, _reply, payload) => {
      if (request.method === 'GET' && request.url.startsWith('/v1/') && live.refusal === undefined)
        await activity.durable(live.kernel.lastSequence, readMillisMax);
      return payload;
    });
    await server.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Sira Kernel',
          version: options.version,
          description:
            'The live kernel: state, decisions, configuration, events. Errors are problem details (RFC 9457).',
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        },
        tags: [
          'cluster',
          'agents',
          'tasks',
          'decisions',
          'topics',
          'links',
          'configuration',
          'policies',
          'recommendations',
          'events',
          'security',
          'inference',
          'health',
          'metrics',
        ].map((name) => ({ name })),
      },
    });
    server.register(async (scope) => {
      stateRoutes(scope, sources, samples);
      topicRoutes(scope, sources);
      linkRoutes(scope, sources);
      configRoutes(scope, sources);
      policyRoutes(scope, sources);
      events.routes(scope);
      denialRoutes(scope, security.denials);
      serviceRoutes(scope, sources, metrics);
      submitRoutes(scope, grpc.tasks, 4 * live.options.payloadBytesMax);
      inferenceRoutes(scope, grpc.inference, 4 * live.options.payloadBytesMax, live.options.logger);
      consoleRoutes(scope);
      for (const plugin of options.plugins ?? []) plugin(scope, sources);
    });
    await server.ready();
    return new HttpServer(server, sources, metrics, samples, events);
  }

  /** Ends streams and connections, and what listens to the kernel. */
  async stop(): Promise<void> {
    this.events.close();
    this.samples.close();
    this.metrics.close();
    this.activity.close();
    await this.server.close();
  }
}

/** A client may show a certificate, and may have a token instead. */
function tlsOptions({ certificates }: KernelSecurity): object {
  if (certificates === undefined) return {};
  const { authority: ca, certificate: cert, key } = certificates;
  return { https: { ca, cert, key, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' } };
}

/** A page elsewhere must not speak for its reader: neither under a name that was made to resolve to this address, nor by
 *  sending what needs no permission of ours. */
function guard(server: FastifyInstance, { hosts = [], address }: HttpServerOptions): void {
  const own = address.slice(0, address.lastIndexOf(':'));
  const refuse = (detail: string): SiraError => new SiraError('SIRA_REQUEST_INVALID', detail);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    const { host = '', origin, 'sec-fetch-site': site } = request.headers;
    const name = host.replace(/:\d+$/, '').toLowerCase();
    const isAddress = /^\d+(\.\d+){3}$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name);
    const isOurs = isAddress || name === '' || name === 'localhost' || name === own || hosts.includes(name);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const isElsewhere = site === 'cross-site' || (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host);
    if (!isOurs) done(refuse(`this server is not called "${name}"`));
    else if (!isRead && isElsewhere) done(refuse('pages of other sites change nothing here'));
    else done();
  });
}
