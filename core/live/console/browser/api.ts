// The kernel's HTTP interface as the console uses it: what it answers, and its problems as errors with their remedy.

export interface Cluster {
  readonly version: string;
  readonly startedMicros: number;
  readonly nowMicros: number;
  readonly durability: string;
  readonly policy: { readonly name: string; readonly order: string; readonly place: string };
  readonly agents: { readonly total: number; readonly states: Readonly<Record<string, number>> };
  readonly tasks: { readonly waiting: number; readonly placed: number };
  readonly journal: {
    readonly sequence: number;
    readonly held: number;
    readonly digest: string;
    readonly refusal: string;
  };
  readonly settingsVersion: number;
}

export interface Sample {
  readonly timeMicros: number;
  readonly waiting: number;
  readonly placed: number;
  readonly agentsReady: number;
  readonly agentsAlive: number;
  readonly cpuUsed: number;
  readonly memoryUsed: number;
  readonly gpuUsed: number;
  readonly decisions: number;
  readonly completed: number;
  readonly lost: number;
}

/** Columns, one entry an agent. */
export interface Fleet {
  readonly names: readonly string[];
  readonly states: readonly string[];
  readonly used: readonly number[];
  readonly tasks: readonly number[];
  readonly connected: readonly boolean[];
  readonly total: number;
}

export interface Agent {
  readonly name: string;
  readonly state: string;
  readonly incarnation: number;
  readonly connected: boolean;
  readonly load: number | null;
  readonly takesWork: boolean;
  readonly holds: readonly string[];
  readonly suspicion: number | null;
  readonly tasks: number;
  readonly resources: {
    readonly cpuMilli: number;
    readonly cpuFreeMilli: number;
    readonly memoryMib: number;
    readonly memoryFreeMib: number;
    readonly gpuCount: number;
    readonly gpuModel: string;
    readonly gpuFreeMilli: readonly number[];
  };
}

export interface Skill {
  readonly taskClass: string;
  readonly success: number;
  readonly outcomeCount: number;
  readonly seconds: number | null;
  readonly secondsLow: number | null;
  readonly secondsHigh: number | null;
  readonly measuredSeconds: number | null;
}

export interface Task {
  readonly task: number;
  readonly submission: number;
  readonly tenant: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly priority: number;
  readonly submittedMicros: number;
  readonly attempts: number;
  readonly agents: readonly string[];
  readonly placedMicros: number | null;
  readonly startedMicros: number | null;
  readonly endedMicros: number | null;
  readonly serviceMicros: number | null;
  readonly joules: number | null;
  readonly request?: {
    readonly cpuMilli: number;
    readonly memoryMib: number;
    readonly gpuCount: number;
    readonly gpuMilli: number;
    readonly skill: string;
  };
}

export interface Decision {
  readonly decision: number;
  readonly timeMicros: number;
  readonly task: number;
  readonly outcome: string;
  readonly rule: string;
  readonly agents: readonly string[];
  readonly feasibleCount: number;
  readonly queueLength: number;
  readonly propensity: number;
  readonly why: string;
}

export interface ExplainedDecision extends Decision {
  readonly tieCount: number;
  readonly policyVersion: number;
  readonly victims: readonly number[];
  readonly filtered: readonly { readonly reason: string; readonly count: number }[];
  readonly ranked: readonly {
    readonly agent: string;
    readonly score: number | null;
    readonly scores: readonly { readonly plugin: string; readonly value: number | null }[];
  }[];
}

export interface Topic {
  readonly name: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly groups: readonly {
    readonly name: string;
    readonly mode: string;
    readonly members: number;
    readonly offset: number;
    readonly lag: number;
  }[];
}

export interface Link {
  readonly kind: string;
  readonly name: string;
  readonly agents: number;
  readonly address: string;
  readonly connected: boolean;
  readonly connections: number;
  readonly sinceMicros: number;
  readonly echoes: boolean;
  readonly roundTripMicros: number | null;
  readonly roundTripMicrosMin: number | null;
  readonly jitterMicros: number;
  readonly loss: number;
  readonly bytesPerSecond: number | null;
  readonly lostCount: number;
  readonly anomalies: readonly string[];
}

export interface LinkPage {
  readonly links: readonly Link[];
  readonly total: number;
  readonly next: number | null;
}

export type Value = number | string | boolean;

export interface Setting {
  readonly name: string;
  readonly value: Value;
  readonly default: Value;
  readonly unit: string;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly description: string;
  readonly changedVersion: number | null;
}

export interface Change {
  readonly name: string;
  readonly from: Value;
  readonly to: Value;
}

export interface ChangeSet {
  readonly version: number;
  readonly atMicros: number;
  readonly who: string;
  readonly why: string;
  readonly changes: readonly Change[];
}

export class Problem extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, detail: string, remedy: string) {
    super(detail);
    this.code = code;
    this.remedy = remedy;
  }
}

export async function ask<Answer>(
  path: string,
  method = 'GET',
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(path, {
    method,
    signal: AbortSignal.timeout(35_000),
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer & {
    readonly code?: string;
    readonly detail?: string;
    readonly remedy?: string;
  };
  if (!response.ok) throw new Problem(answer.code ?? '', answer.detail ?? response.statusText, answer.remedy ?? '');
  return answer;
}
