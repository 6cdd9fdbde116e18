// What a loop found, as loop.json and its page tell it. Steps that were not reached are left out.

import type { RolloutEvent } from '../../core/policy/rollout.ts';
import type { FittedWorld } from '../env/fitted-world.ts';
import type { ReplayGateReport } from '../promote/replay-gate.ts';
import type { GateReport } from '../promote/simulation-gate.ts';
import type { LiveGain } from './live-gain.ts';
import type { CanaryPoint } from './watch-rollout.ts';

export const loopFormat = 'sira-loop/1';

export interface LoopStep {
  readonly name: string;
  /** What it came to, in one sentence. */
  readonly told: string;
  readonly seconds: number;
}

export interface RolloutResult {
  readonly rollout: number;
  readonly stage: string;
  readonly points: readonly CanaryPoint[];
  readonly evidence: string;
  /** Until it was over, and tasks that came meanwhile. */
  readonly seconds: number;
  readonly tasks: number;
}

export interface ForcedResult extends RolloutResult {
  readonly version: number;
  readonly guard: string;
  readonly candidateTasks: number;
  readonly harmTasks: number;
  /** By the rows of telemetry: from the end of the task that breached the guard to the first decision of the policy before. */
  readonly rollbackSeconds?: number | undefined;
  readonly lateDecisions?: number;
}

export interface DriftResult {
  readonly stage: string;
  readonly evidence: string;
  /** Since 1970, when the other work began to come. */
  readonly beganMicros: number;
  readonly noticedSeconds: number | undefined;
  readonly tasks: number;
  /** Afterwards. */
  readonly serves: string;
  readonly servesVersion: number;
  /** Of service times in the rows since then: population stability index against the rows that were learned from. */
  readonly rowsShift?: number;
  readonly rollbackSeconds?: number | undefined;
}

export interface LoopResults {
  readonly format: typeof loopFormat;
  readonly command: string;
  readonly seed: number;
  readonly brief: boolean;
  readonly store: string;
  readonly version: string;
  readonly codeHash: string;
  readonly machine: string;
  readonly startedAt: string;
  seconds: number;
  /** Of this process. */
  cpuSeconds: number;
  readonly steps: LoopStep[];
  /** Whether everything came as it should. */
  succeeded: boolean;
  record?: { readonly tasks: number; readonly refused: number; readonly offeredLoad: number; readonly seconds: number };
  rowsSha256?: string;
  world?: FittedWorld;
  arrivals?: {
    readonly intervalSeconds: number;
    readonly counts: readonly number[];
    readonly rushShare: readonly number[];
  };
  forecaster?: {
    readonly error: number;
    readonly persistenceError: number;
    readonly coverage: number;
    readonly judgedFrom: number;
    readonly forecasts: readonly { readonly median: number; readonly low: number; readonly high: number }[];
  };
  services?: readonly { readonly name: string; readonly seconds: readonly number[] }[];
  training?: {
    readonly testMean: number;
    /** Of heuristics on the same episodes, by name. */
    readonly heuristics: Readonly<Record<string, number>>;
    readonly curve: readonly { readonly iteration: number; readonly validation: number | null }[];
    readonly seconds: number;
    readonly weightsSha256: string;
    readonly policyHash: string;
  };
  gate?: GateReport;
  replay?: ReplayGateReport;
  promotion?: RolloutResult;
  gain?: LiveGain;
  bad?: { readonly gate: GateReport; readonly stage: string };
  forced?: ForcedResult;
  drift?: DriftResult;
  history?: readonly RolloutEvent[];
}
