// A scenario as its YAML says it, before defaults: the types that scenarios/scenario.schema.json describes. Only values that
// passed the schema are read through these types.

import type { BackfillRule, PreemptRule, UnplacedRule } from '../../core/scheduler/framework.ts';
import type { CsvColumns } from '../workload/spec.ts';
import type { LatencySpec } from '../world/latency.ts';
import type { FaultSpec } from './scenario.ts';

/** Text such as `10s` or `1d`. */
export type DurationText = string;

export interface PolicyFields {
  readonly order?: string;
  readonly place?: string;
  readonly unplaced?: UnplacedRule;
  readonly backfill?: BackfillRule;
  readonly overtakeMax?: number;
  readonly preempt?: PreemptRule;
  readonly tenantWeights?: Readonly<Record<string, number>>;
  readonly artifact?: string;
  readonly scaling?: ScalingFields;
  readonly durations?: string;
}

export interface ScalingFields {
  readonly resource?: 'gpu' | 'cpu';
  readonly interval?: DurationText;
  readonly spare?: number;
  readonly keep?: DurationText;
  readonly machinesMin?: number;
  readonly forecaster?: string;
  readonly level?: number;
}

export interface MachineGroupFields {
  readonly name: string;
  readonly count: number;
  readonly cpuCores: number;
  readonly memoryGib?: number;
  readonly gpuCount?: number;
  readonly gpuModel?: string;
}

export type ClusterFields =
  | {
      readonly format: 'openb';
      readonly file: string;
      readonly gpuOnly?: boolean;
      readonly sample?: number;
      readonly shuffle?: boolean;
      readonly order?: string;
    }
  | { readonly format: 'groups'; readonly groups: readonly MachineGroupFields[] };

export type ArrivalFields =
  | { readonly kind: 'trace'; readonly origin?: 'first' | 'trace' }
  | { readonly kind: 'scaled' | 'resampled'; readonly load: number; readonly resource: 'cpu' | 'gpu' }
  | { readonly kind: 'inflated'; readonly ratio: number; readonly order?: string };

export type EstimateFields =
  | { readonly kind: 'trace' }
  | { readonly kind: 'exact' }
  | { readonly kind: 'lognormal'; readonly sigma: number };

export interface MixFields {
  readonly weight?: number;
  readonly cpuCores?: number;
  readonly memoryGib?: number;
  readonly gpuCount?: number;
  readonly gpuMilli?: number;
  readonly gpuModels?: readonly string[];
  readonly machineCount?: number;
}

export type SourceFields =
  | { readonly format: 'openb' | 'batsim'; readonly file: string }
  | { readonly format: 'swf'; readonly file: string; readonly firstJob?: number | '{seed}'; readonly jobCount?: number }
  | {
      readonly format: 'azure-llm';
      readonly file: string;
      readonly gpuMilli?: number;
      readonly memoryGib?: number;
      readonly promptTokensPerSecond: number;
      readonly outputTokensPerSecond: number;
    }
  | {
      readonly format: 'csv';
      readonly file: string;
      readonly columns: Omit<CsvColumns, 'timeUnit'> & { readonly timeUnit?: CsvColumns['timeUnit'] };
    }
  | {
      readonly format: 'synthetic';
      readonly gap: DurationText;
      readonly pattern?: 'poisson' | 'bursty' | 'diurnal' | 'constant';
      readonly service: {
        readonly distribution: 'exponential' | 'lognormal' | 'pareto' | 'constant';
        readonly mean: DurationText;
        readonly shape?: number;
      };
      readonly mix: readonly MixFields[];
      readonly count?: number;
    };

export type WorkloadFields = SourceFields & {
  readonly arrivals?: ArrivalFields;
  readonly durations?: { readonly cap?: DurationText; readonly minimum?: DurationText; readonly endless?: boolean };
  readonly estimates?: EstimateFields;
};

export type LatencyFields =
  | DurationText
  | { readonly distribution: LatencySpec['distribution']; readonly mean: DurationText; readonly sigma?: number };

export interface JournalFields {
  readonly sync?: LatencyFields;
  readonly write?: LatencyFields;
  readonly read?: LatencyFields;
  readonly bandwidth?: string;
  readonly snapshotInputs?: number;
  readonly snapshotInterval?: DurationText;
  readonly heldInputsMax?: number;
}

export interface PowerFields {
  readonly baseWatts?: number;
  readonly processor?: string | { readonly idleWatts: number; readonly busyWatts: number; readonly threads: number };
  readonly accelerators?: Readonly<Record<string, { readonly idleWatts: number; readonly busyWatts: number }>>;
  readonly sleep?: {
    readonly after?: DurationText;
    readonly watts: number;
    readonly wake: DurationText;
    readonly wakeWatts: number;
  };
}

export interface ScenarioFields {
  readonly name: string;
  readonly description?: string;
  readonly cluster: ClusterFields;
  readonly workload: WorkloadFields;
  readonly policies: readonly (string | ({ readonly name: string } & PolicyFields))[];
  readonly policyDefaults?: PolicyFields;
  readonly seeds?: readonly number[] | { readonly first: number; readonly count: number };
  readonly warmUp?: DurationText;
  readonly measure?: DurationText;
  readonly network?: {
    readonly latency?: LatencyFields;
    readonly bandwidth?: string;
    readonly loss?: number;
    readonly duplication?: number;
    readonly reordering?: number;
  };
  readonly journal?: JournalFields;
  readonly calibration?: string;
  readonly power?: PowerFields;
  readonly heartbeat?: { readonly interval?: DurationText; readonly lease?: DurationText };
  readonly limits?: {
    readonly eventsPerInstantMax?: number;
    readonly causalDepthMax?: number;
    readonly queueLengthMax?: number;
  };
  readonly faults?: readonly {
    readonly kind: FaultSpec['kind'];
    readonly at: DurationText;
    readonly for: DurationText;
    /** Required for faults of machines. */
    readonly machines?: FaultSpec['machines'];
    readonly factor?: number;
  }[];
  readonly settings?: Readonly<Record<string, number | DurationText>>;
  readonly objective?: string;
  readonly baseline?: string;
  readonly guards?: readonly { readonly metric: string; readonly atMost?: number; readonly atLeast?: number }[];
}
