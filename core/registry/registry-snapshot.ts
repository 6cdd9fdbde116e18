// The registry as plain data, for snapshots: columns, one entry a row.

import type { AgentResources } from './agent-hello.ts';
import type { AttributeColumnsState } from './attribute-columns.ts';
import type { CapabilityMatrixState } from './capability-matrix.ts';
import type { PhiAccrualState } from './phi-accrual.ts';
import type { SkillTableState } from './skill-table-state.ts';

/** JSON-able state of a registry. */
export interface RegistrySnapshot {
  readonly names: readonly string[];
  readonly incarnation: readonly number[];
  readonly flags: readonly number[];
  readonly leaseExpiryMicros: readonly number[];
  readonly resources: readonly AgentResources[];
  readonly phi: PhiAccrualState;
  readonly capabilities: CapabilityMatrixState;
  readonly attributes: AttributeColumnsState;
  /** Left out by kernels that measured no skills. */
  readonly skills?: SkillTableState | undefined;
  /** Null if nothing is due. */
  readonly earliestMicros: number | null;
  /** Null before the first sweep. */
  readonly lastSweepMicros: number | null;
  /** Left out if nobody has one. */
  readonly graceMicros?: readonly number[] | undefined;
  /** Left out by registries whose settings never changed. */
  readonly changed?: true | undefined;
}
