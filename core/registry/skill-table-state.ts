// The table of measured skills as plain data, for snapshots.

import type { ForwardDecayState } from './forward-decay.ts';
import type { SkillColumnState } from './skill-column.ts';

export interface SkillTableState {
  readonly decay: ForwardDecayState;
  readonly models: readonly string[];
  readonly modelOf: readonly number[];
  readonly offset: readonly number[];
  readonly offsetVariance: readonly number[];
  readonly variances: readonly (readonly number[])[];
  readonly refreshed: number;
  readonly columns: readonly ({ readonly taskClass: string } & SkillColumnState)[];
}
