// What `sira start` runs with: the configuration file, over it the environment (SIRA_…), over it the command line. Every value
// has a default, so that the embedded kernel needs no file. The fields are those of start.schema.json.

import { SiraError } from '../base/errors.ts';
import { parseDurationMicros } from '../base/time.ts';
import type { completePlan } from '../policy/rollout-plan.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { Durability } from './live-kernel.ts';
import { type LogLevel, logLevels } from './log-level.ts';
import type { SecuritySettings } from './security/kernel-security.ts';
import { type CallRate, defaultRateLimits, type RateLimits } from './security/rates.ts';
import type { TelemetrySettings } from './telemetry/live-telemetry.ts';

/** The document as it is written. */
export interface StartFields {
  readonly data?: string;
  readonly grpc?: { readonly address?: string; readonly messageBytesMax?: number; readonly heartbeatBatch?: string };
  readonly http?: { readonly address?: string; readonly hosts?: readonly string[] };
  readonly durability?: Durability;
  readonly seed?: number;
  readonly policy?: Partial<Profile>;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly payload?: { readonly bytesMax?: number; readonly cacheBytesMax?: number };
  readonly snapshot?: { readonly inputs?: number; readonly interval?: string; readonly kept?: number };
  readonly journal?: { readonly retainBytesMax?: number };
  readonly security?: {
    readonly folder?: string;
    readonly crl?: string;
    readonly clear?: 'loopback' | 'everywhere';
    readonly limits?: Partial<Omit<RateLimits, 'calls' | 'messages' | 'denials' | 'firstMessageMillis'>> & {
      readonly calls?: Partial<CallRate>;
      readonly messages?: Partial<CallRate>;
      readonly denials?: Partial<CallRate>;
      readonly firstMessage?: string;
    };
  };
  readonly telemetry?: {
    readonly store?: string;
    readonly run?: string;
    readonly sample?: string;
    readonly retain?: string;
    readonly retainRollups?: string;
  };
  readonly recommendations?: {
    readonly every?: string;
    readonly window?: string;
    readonly tasksMin?: number;
    readonly tasksMax?: number;
    readonly seeds?: number;
    readonly objective?: string;
    readonly worthShare?: number;
    readonly harmShare?: number;
    readonly errorMax?: number;
    readonly measure?: string;
    readonly expire?: string;
    readonly revert?: boolean;
    readonly plan?: RecommendationSettings['plan'];
  };
  readonly topics?: { readonly record?: boolean };
  readonly log?: { readonly level?: LogLevel };
}

/** How advice is made and followed. */
export interface RecommendationSettings {
  /** Between two analyses; 0: only when somebody asks. */
  readonly everyMicros: number;
  /** Telemetry that an analysis looks at, back from now, of so many tasks at least and at most. */
  readonly windowMicros: number;
  readonly tasksMin: number;
  readonly tasksMax: number;
  /** Simulations of each candidate and of the present settings. */
  readonly seeds: number;
  /** Metric of the simulator that advice is to lower. */
  readonly objective: string;
  /** What costs machines must lower the objective by this share; what saves energy may raise waits by the other. */
  readonly worthShare: number;
  readonly harmShare: number;
  /** How far the simulator may be off where it can be seen, as a share, before nobody can tell. */
  readonly errorMax: number;
  /** Window in which the effect of what was applied is measured. */
  readonly measureMicros: number;
  readonly expireMicros: number;
  /** Whether what turns out worse than predicted is taken back without asking. */
  readonly reverts: boolean;
  /** How a policy that was advised is tried; what is left out is by default. */
  readonly plan: Parameters<typeof completePlan>[0];
}

export interface StartSettings {
  readonly dataFolder: string;
  readonly grpcAddress: string;
  readonly messageBytesMax: number;
  readonly heartbeatBatchMicros: number;
  readonly httpAddress: string;
  /** Names by which the HTTP server may be asked, besides addresses and localhost. */
  readonly httpHosts: readonly string[];
  readonly durability: Durability;
  readonly seed: number;
  readonly profile: Profile;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly payloadBytesMax: number;
  readonly payloadCacheBytesMax: number;
  readonly snapshotInputs: number;
  readonly snapshotMicros: number;
  readonly snapshotsKept: number;
  readonly journalBytesMax: number;
  readonly logLevel: LogLevel;
  /** What reaches the durable topics is kept for `sira replay --broker`. */
  readonly recordsTopics: boolean;
  /** Undefined: none is kept. */
  readonly telemetry: TelemetrySettings | undefined;
  /** Undefined: no advice is given. */
  readonly recommendations: RecommendationSettings | undefined;
  readonly security: SecuritySettings;
}

const mebibyte = 1024 ** 2;

export const defaultProfile: Profile = {
  name: 'live',
  order: 'priority',
  place: 'best-fit',
  unplaced: 'skip',
  backfill: 'none',
  overtakeMax: 1000,
  preempt: 'never',
  typicalTasks: [],
};

/** A fleet is missed within seconds: half a second between beats, four seconds of silence are a death. */
export const liveKernelSettings: Readonly<Record<string, number>> = {
  'registry.heartbeatIntervalMicros': 500_000,
  'registry.leaseMicros': 4_000_000,
  'registry.disconnectGraceMicros': 1_000_000,
  'dispatch.retryMicros': 1_000_000,
  'bus.redeliveryMicros': 5_000_000,
  'scheduler.backoffFirstMicros': 200_000,
  'scheduler.backoffMaxMicros': 10_000_000,
};

/** Environment variables, by the dotted field that each sets. */
export const environmentNames: Readonly<Record<string, string>> = {
  SIRA_DATA: 'data',
  SIRA_GRPC_ADDRESS: 'grpc.address',
  SIRA_HTTP_ADDRESS: 'http.address',
  SIRA_DURABILITY: 'durability',
  SIRA_SEED: 'seed',
  SIRA_LOG_LEVEL: 'log.level',
  SIRA_SECURITY: 'security.folder',
  SIRA_TELEMETRY: 'telemetry.store',
  SIRA_PAYLOAD_BYTES_MAX: 'payload.bytesMax',
};

export function startSettings(fields: StartFields): StartSettings {
  const { grpc = {}, http = {}, payload = {}, snapshot = {}, log = {} } = fields;
  const payloadBytesMax = payload.bytesMax ?? 8 * mebibyte;
  return {
    dataFolder: fields.data ?? 'sira-data',
    grpcAddress: grpc.address ?? '127.0.0.1:7420',
    messageBytesMax: grpc.messageBytesMax ?? payloadBytesMax + mebibyte,
    heartbeatBatchMicros: micros('grpc.heartbeatBatch', grpc.heartbeatBatch ?? '100ms'),
    httpAddress: http.address ?? '127.0.0.1:7421',
    httpHosts: (http.hosts ?? []).map((name) => name.toLowerCase()),
    durability: fields.durability ?? 'powerFailure',
    seed: fields.seed ?? 1,
    profile: { ...defaultProfile, ...fields.policy },
    settings: { ...liveKernelSettings, ...fields.settings },
    payloadBytesMax,
    payloadCacheBytesMax: payload.cacheBytesMax ?? 64 * mebibyte,
    snapshotInputs: snapshot.inputs ?? 50_000,
    snapshotMicros: micros('snapshot.interval', snapshot.interval ?? '60s'),
    snapshotsKept: snapshot.kept ?? 2,
    journalBytesMax: fields.journal?.retainBytesMax ?? 1024 * mebibyte,
    logLevel: log.level ?? 'info',
    recordsTopics: fields.topics?.record ?? false,
    telemetry: telemetrySettings(fields.telemetry ?? {}),
    recommendations: fields.recommendations === undefined ? undefined : recommendationSettings(fields.recommendations),
    security: {
      folder: fields.security?.folder ?? '',
      crl: fields.security?.crl ?? '',
      clear: fields.security?.clear ?? 'loopback',
      limits: rateLimits(fields.security?.limits ?? {}),
    },
  };
}

function telemetrySettings({
  store = '',
  run = 'live',
  sample = '1s',
  retain = '7d',
  retainRollups = '400d',
}: NonNullable<StartFields['telemetry']>): TelemetrySettings | undefined {
  if (store === '') return undefined;
  return {
    store,
    run,
    sampleMicros: micros('telemetry.sample', sample),
    retention: {
      rawMicros: micros('telemetry.retain', retain),
      rollupMicros: micros('telemetry.retainRollups', retainRollups),
    },
  };
}

/** Throws SIRA_SETTING_INVALID for a duration that is none. */
export function recommendationSettings(
  fields: NonNullable<StartFields['recommendations']> = {},
): RecommendationSettings {
  const duration = (name: 'every' | 'window' | 'measure' | 'expire', usual: string): number =>
    micros(`recommendations.${name}`, fields[name] ?? usual);
  return {
    everyMicros: fields.every === 'never' ? 0 : duration('every', '10m'),
    windowMicros: duration('window', '1h'),
    tasksMin: fields.tasksMin ?? 200,
    tasksMax: fields.tasksMax ?? 5000,
    seeds: fields.seeds ?? 8,
    objective: fields.objective ?? 'completionMeanSeconds',
    worthShare: fields.worthShare ?? 0.1,
    harmShare: fields.harmShare ?? 0.05,
    errorMax: fields.errorMax ?? 0.3,
    measureMicros: duration('measure', '10m'),
    expireMicros: duration('expire', '24h'),
    reverts: fields.revert ?? true,
    plan: fields.plan ?? {},
  };
}

function rateLimits({
  firstMessage,
  ...given
}: NonNullable<NonNullable<StartFields['security']>['limits']>): RateLimits {
  const { calls, messages, denials, firstMessageMillis } = defaultRateLimits;
  return {
    ...defaultRateLimits,
    ...given,
    calls: { ...calls, ...given.calls },
    messages: { ...messages, ...given.messages },
    denials: { ...denials, ...given.denials },
    firstMessageMillis:
      firstMessage === undefined ? firstMessageMillis : micros('security.limits.firstMessage', firstMessage) / 1000,
  };
}

/** The fields that the environment sets, over `fields`. Throws SIRA_USAGE for a number that is none, or an unknown level. */
export function withEnvironment(
  fields: StartFields,
  environment: Readonly<Record<string, string | undefined>>,
): StartFields {
  let result = fields;
  for (const [name, path] of Object.entries(environmentNames)) {
    const text = environment[name];
    if (text === undefined || text === '') continue;
    result = withField(result, path.split('.'), parsed(name, path, text)) as StartFields;
  }
  return result;
}

function parsed(name: string, path: string, text: string): string | number {
  if (path === 'log.level' && !(logLevels as readonly string[]).includes(text))
    throw new SiraError('SIRA_USAGE', `${name} is one of ${logLevels.join(', ')}, not "${text}"`);
  if (path === 'durability' && text !== 'powerFailure' && text !== 'processCrash')
    throw new SiraError('SIRA_USAGE', `${name} is powerFailure or processCrash, not "${text}"`);
  if (path !== 'seed' && path !== 'payload.bytesMax') return text;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new SiraError('SIRA_USAGE', `${name} is a whole number, not "${text}"`);
  return number;
}

/** `value` at `path`, the rest as it is. */
export function withField(object: object, path: readonly string[], value: unknown): object {
  const [first = '', ...rest] = path;
  const inner = (object as Readonly<Record<string, unknown>>)[first];
  const isObject = typeof inner === 'object' && inner !== null;
  return { ...object, [first]: rest.length === 0 ? value : withField(isObject ? inner : {}, rest, value) };
}

function micros(field: string, text: string): number {
  const value = parseDurationMicros(text);
  if (value === undefined || value < 1)
    throw new SiraError('SIRA_SETTING_INVALID', `${field} is a duration such as 100ms, not "${text}"`, { field });
  return value;
}
