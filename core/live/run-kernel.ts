// A whole live kernel: the shell, the services around it, and the order in which they begin and end. Other services join here.

import { join } from 'node:path';
import type { LogFault } from '../log/log.ts';
import { GrpcServer } from './grpc/server.ts';
import { type HttpPlugin, HttpServer } from './http/server.ts';
import { LiveKernel } from './live-kernel.ts';
import { LiveTopics } from './live-topics.ts';
import type { Logger } from './logger.ts';
import { KernelSecurity, requireSafeListening } from './security/kernel-security.ts';
import type { StartSettings } from './start-settings.ts';
import { LiveTelemetry } from './telemetry/live-telemetry.ts';

export interface RunningKernel {
  readonly live: LiveKernel;
  /** The durable topics, a machine of their own. */
  readonly topics: LiveTopics;
  readonly grpc: GrpcServer;
  readonly http: HttpServer;
  readonly security: KernelSecurity;
  /** Undefined if none is kept. */
  readonly telemetry: LiveTelemetry | undefined;
  /** Resolves if it cannot go on. */
  readonly failed: Promise<LogFault>;
  /** Takes nothing new, lets what was taken become durable, takes a snapshot, ends. */
  stop(): Promise<void>;
}

/** `plugins`: routes of higher layers. Throws SIRA_LISTEN_INSECURE, and the coded errors of {@link KernelSecurity}, {@link LiveKernel.start}, {@link GrpcServer.start} and {@link HttpServer.start}. */
export async function runKernel(
  settings: StartSettings,
  version: string,
  logger: Logger,
  plugins: readonly HttpPlugin[] = [],
): Promise<RunningKernel> {
  requireSafeListening(settings.security, [settings.grpcAddress, settings.httpAddress]);
  const security = await KernelSecurity.open(settings.security, logger);
  const live = await LiveKernel.start({
    dataFolder: settings.dataFolder,
    durability: settings.durability,
    profile: settings.profile,
    settings: settings.settings,
    seed: settings.seed,
    journal: {
      snapshotInputs: settings.snapshotInputs,
      snapshotMicros: settings.snapshotMicros,
      snapshotsKept: settings.snapshotsKept,
      log: { retainBytesMax: settings.journalBytesMax },
    },
    payloadBytesMax: settings.payloadBytesMax,
    payloadCacheBytesMax: settings.payloadCacheBytesMax,
    logger,
  });
  let telemetry: LiveTelemetry | undefined;
  let topics: LiveTopics | undefined;
  let grpc: GrpcServer | undefined;
  let http: HttpServer;
  try {
    if (settings.telemetry !== undefined) telemetry = await LiveTelemetry.start(live, settings.telemetry, logger);
    topics = await LiveTopics.start({
      folder: join(settings.dataFolder, 'topics'),
      clock: live.clock,
      syncs: settings.durability === 'powerFailure',
      seed: settings.seed,
      codeHash: live.codeHash,
      messageBytesMax: Math.min(settings.payloadBytesMax, 4 * 1024 ** 2),
      records: settings.recordsTopics,
      logger,
    });
    grpc = await GrpcServer.start(live, {
      address: settings.grpcAddress,
      messageBytesMax: settings.messageBytesMax,
      heartbeatBatchMicros: settings.heartbeatBatchMicros,
      version,
      topics,
      security,
    });
    http = await HttpServer.start(live, grpc, {
      address: settings.httpAddress,
      hosts: settings.httpHosts,
      version,
      topics,
      security,
      telemetry,
      plugins,
    });
    if (telemetry !== undefined) http.metrics.watchTelemetry(telemetry);
  } catch (error) {
    await grpc?.stop();
    await topics?.stop();
    await telemetry?.stop();
    await live.stop();
    security.close();
    throw error;
  }
  const services = { grpc, http, topics, security, telemetry };
  return {
    live,
    ...services,
    failed: Promise.race([live.failed, topics.failed]),
    async stop() {
      await Promise.all([services.http.stop(), services.grpc.stop()]);
      await services.topics.stop();
      // The last effects leave before telemetry ends.
      await live.settled();
      await services.telemetry?.stop();
      await live.stop();
      services.security.close();
    },
  };
}
