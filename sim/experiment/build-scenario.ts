// From the fields that a person wrote to a scenario with every default filled in, durations in microseconds and paths
// absolute. It trusts the schema for the shape of the fields; what the schema cannot say is checked in scenario-rules.ts.

import { resolve } from 'node:path';
import { toBase64 } from '../../core/base/base64.ts';
import { readDurations } from '../../core/policy/forecast/duration-model.ts';
import { learnedPlacementName } from '../../core/scheduler/catalogue.ts';
import type { Profile, ScalingRule } from '../../core/scheduler/framework.ts';
import { defaultSimulationLimits } from '../engine/simulation.ts';
import { readCalibration } from '../replay/calibration-file.ts';
import type {
  ArrivalSpec,
  ClusterSpec,
  DurationSpec,
  EstimateSpec,
  WorkloadSource,
  WorkloadSpec,
} from '../workload/spec.ts';
import { buildJournal } from './build-journal.ts';
import { buildPower } from './build-power.ts';
import { buildScaling, readArtifact } from './build-scaling.ts';
import { readArtifactText } from './policy-artifacts.ts';
import { orderNames, placementNames } from './policy-names.ts';
import { bandwidth, buildLatency, micros } from './quantities.ts';
import type { NetworkSpec, Scenario } from './scenario.ts';
import type {
  ArrivalFields,
  ClusterFields,
  PolicyFields,
  ScalingFields,
  ScenarioFields,
  SourceFields,
  WorkloadFields,
} from './scenario-fields.ts';

/** `source` is the text of `file`; `folder` is where relative paths start. */
export function buildScenario(fields: ScenarioFields, file: string, source: string, folder: string): Scenario {
  const cluster = buildCluster(fields.cluster, folder);
  const power = fields.power === undefined ? undefined : buildPower(fields.power);
  const scalingOf: ScalingBuilder = (scaling) =>
    buildScaling(scaling, { hasGpus: hasGpus(cluster), wakeMicros: power?.sleep?.wakeMicros, folder, file });
  const policies = fields.policies.map((policy) =>
    typeof policy === 'string'
      ? buildPolicy(policy, {}, fields.policyDefaults ?? {}, scalingOf, folder)
      : buildPolicy(policy.name, policy, fields.policyDefaults ?? {}, scalingOf, folder),
  );
  return {
    name: fields.name,
    description: fields.description ?? '',
    file: resolve(file),
    source,
    cluster,
    workload: buildWorkload(fields.workload, folder),
    policies,
    artifactFiles: artifactsOf(fields).map((file) => resolve(folder, file)),
    seeds: buildSeeds(fields.seeds ?? { first: 1, count: 5 }),
    warmUpMicros: micros(fields.warmUp ?? '0s'),
    measureMicros: micros(fields.measure ?? '0s'),
    network: buildNetwork(fields.network ?? {}),
    journal: fields.journal === undefined ? undefined : buildJournal(fields.journal),
    calibration: fields.calibration === undefined ? undefined : readCalibration(resolve(folder, fields.calibration)),
    power,
    heartbeat: {
      intervalMicros: micros(fields.heartbeat?.interval ?? '10s'),
      leaseMicros: micros(fields.heartbeat?.lease ?? '40s'),
    },
    limits: {
      eventsPerInstantMax: fields.limits?.eventsPerInstantMax ?? defaultSimulationLimits.eventsPerInstantMax,
      causalDepthMax: fields.limits?.causalDepthMax ?? defaultSimulationLimits.causalDepthMax,
      queueLengthMax: fields.limits?.queueLengthMax ?? 1_000_000,
    },
    faults: (fields.faults ?? []).map((fault) => ({
      kind: fault.kind,
      atMicros: micros(fault.at),
      forMicros: micros(fault.for),
      machines: fault.machines ?? [],
      factor: fault.factor ?? 1,
    })),
    settings: Object.fromEntries(
      Object.entries(fields.settings ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? micros(value) : value,
      ]),
    ),
    objective: fields.objective ?? (hasGpus(cluster) ? 'gpuUtilizationPercent' : 'waitMeanSeconds'),
    baseline: fields.baseline ?? policies[0]!.name,
    guards: fields.guards ?? [],
  };
}

/** False only if the cluster certainly has no GPU: a file may hold some. */
export function hasGpus(cluster: ClusterSpec): boolean {
  return cluster.format !== 'groups' || cluster.groups.some((group) => group.gpuCount > 0);
}

type ScalingBuilder = (scaling: ScalingFields) => ScalingRule;
function artifactsOf({ policies, policyDefaults }: ScenarioFields): string[] {
  const fields = [policyDefaults, ...policies.filter((policy) => typeof policy !== 'string')];
  return fields.flatMap((policy) => policy?.artifact ?? []);
}

function buildPolicy(
  name: string,
  own: PolicyFields,
  defaults: PolicyFields,
  scalingOf: ScalingBuilder,
  folder: string,
): Omit<Profile, 'typicalTasks'> {
  // The name alone says the placement, or else the queue order, unless the policy says otherwise itself.
  // `learned` is both: which, the policy must say.
  const named: PolicyFields =
    placementNames.includes(name) && name !== learnedPlacementName
      ? { place: name }
      : orderNames.includes(name) && own.place !== learnedPlacementName
        ? { order: name }
        : {};
  const merged = { ...defaults, ...named, ...own };
  const artifact = merged.artifact === undefined ? undefined : readArtifactText(resolve(folder, merged.artifact));
  return {
    name,
    order: merged.order ?? 'fcfs',
    place: merged.place ?? 'first-fit',
    unplaced: merged.unplaced ?? 'skip',
    backfill: merged.backfill ?? 'none',
    overtakeMax: merged.overtakeMax ?? 0,
    preempt: merged.preempt ?? 'never',
    ...(merged.tenantWeights === undefined ? {} : { tenantWeights: merged.tenantWeights }),
    ...(merged.scaling === undefined ? {} : { scaling: scalingOf(merged.scaling) }),
    ...(artifact === undefined ? {} : { artifact }),
    ...(merged.durations === undefined ? {} : { durations: durationsText(merged.durations, folder) }),
  };
}

/** Errors of {@link readDurations} for a file that holds none. */
function durationsText(file: string, folder: string): string {
  const bytes = readArtifact(file, folder);
  readDurations(bytes);
  return toBase64(bytes);
}

function buildSeeds(seeds: NonNullable<ScenarioFields['seeds']>): readonly number[] {
  return 'first' in seeds ? Array.from({ length: seeds.count }, (_, index) => seeds.first + index) : seeds;
}

function buildCluster(cluster: ClusterFields, folder: string): ClusterSpec {
  if (cluster.format === 'openb') {
    return {
      format: 'openb',
      file: resolve(folder, cluster.file),
      gpuOnly: cluster.gpuOnly ?? false,
      sample: cluster.sample ?? 1,
      shuffle: cluster.shuffle ?? false,
      order: cluster.order === undefined ? undefined : resolve(folder, cluster.order),
    };
  }
  return {
    format: 'groups',
    groups: cluster.groups.map((group) => ({
      name: group.name,
      count: group.count,
      cpuMilli: Math.round(group.cpuCores * 1000),
      memoryMib: Math.round((group.memoryGib ?? 0) * 1024),
      gpuCount: group.gpuCount ?? 0,
      gpuModel: group.gpuModel ?? '',
    })),
  };
}

function buildWorkload(workload: WorkloadFields, folder: string): WorkloadSpec {
  return {
    source: buildSource(workload, folder),
    arrivals: buildArrivals(workload.arrivals ?? { kind: 'trace' }, folder),
    durations: buildDurations(workload.durations ?? {}),
    estimates: (workload.estimates ?? { kind: 'trace' }) satisfies EstimateSpec,
  };
}

function buildArrivals(arrivals: ArrivalFields, folder: string): ArrivalSpec {
  if (arrivals.kind !== 'inflated') return arrivals as ArrivalSpec;
  return { ...arrivals, order: arrivals.order === undefined ? undefined : resolve(folder, arrivals.order) };
}

function buildDurations(durations: NonNullable<WorkloadFields['durations']>): DurationSpec {
  const cap = durations.cap ?? 'none';
  return {
    capMicros: cap === 'none' ? Number.POSITIVE_INFINITY : micros(cap),
    minimumMicros: micros(durations.minimum ?? '1us'),
    endless: durations.endless ?? false,
  };
}

function buildSource(source: SourceFields, folder: string): WorkloadSource {
  switch (source.format) {
    case 'openb':
    case 'batsim':
      return { format: source.format, file: resolve(folder, source.file) };
    case 'swf':
      return {
        format: 'swf',
        file: resolve(folder, source.file),
        firstJob: source.firstJob ?? 1,
        jobCount: source.jobCount ?? 0,
      };
    case 'azure-llm':
      return {
        format: 'azure-llm',
        file: resolve(folder, source.file),
        gpuMilli: source.gpuMilli ?? 1000,
        memoryMib: Math.round((source.memoryGib ?? 0) * 1024),
        promptTokensPerSecond: source.promptTokensPerSecond,
        outputTokensPerSecond: source.outputTokensPerSecond,
      };
    case 'csv':
      return {
        format: 'csv',
        file: resolve(folder, source.file),
        columns: { ...source.columns, timeUnit: source.columns.timeUnit ?? 's' },
      };
    case 'synthetic':
      return {
        format: 'synthetic',
        gapMicros: micros(source.gap),
        pattern: source.pattern ?? 'poisson',
        service: {
          distribution: source.service.distribution,
          meanMicros: micros(source.service.mean),
          shape: source.service.shape ?? 1.5,
        },
        mix: source.mix.map((kind) => ({
          weight: kind.weight ?? 1,
          cpuMilli: Math.round((kind.cpuCores ?? 0) * 1000),
          memoryMib: Math.round((kind.memoryGib ?? 0) * 1024),
          gpuCount: kind.gpuCount ?? 0,
          gpuMilli: (kind.gpuCount ?? 0) === 0 ? 0 : (kind.gpuMilli ?? 1000),
          gpuModels: kind.gpuModels ?? [],
          machineCount: kind.machineCount ?? 1,
        })),
        count: source.count ?? 0,
      };
  }
}

function buildNetwork(network: NonNullable<ScenarioFields['network']>): NetworkSpec {
  return {
    latency: buildLatency(network.latency ?? '200us'),
    bandwidthBytesPerSecond: bandwidth(network.bandwidth ?? 'unlimited'),
    loss: network.loss ?? 0,
    duplication: network.duplication ?? 0,
    reordering: network.reordering ?? 0,
  };
}
