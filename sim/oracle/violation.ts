// What is raised when the simulated kernel breaks a promise: which one, when, whom it concerns, and the events that led there.

import { SiraError } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/base/time.ts';
import type { OracleName } from './oracle-names.ts';

/** Whom a violation concerns. Numbers are the kernel's own, `submission` the submitter's; leave out what is not known. */
export interface Concerned {
  readonly task?: number | undefined;
  readonly submission?: number | undefined;
  readonly attempt?: number | undefined;
  readonly agent?: number | undefined;
}

/** SIRA_ORACLE_VIOLATED. The message holds everything below; the fields are for programs. */
export class OracleViolation extends SiraError {
  /** Which oracle. */
  readonly oracle: string;
  readonly what: string;
  /** Simulated time. */
  readonly nowMicros: number;
  readonly concerned: Concerned;
  /** The recent events that concern the same task or agent, oldest first. */
  readonly chain: readonly string[];

  constructor(oracle: string, what: string, nowMicros: number, concerned: Concerned, chain: readonly string[]) {
    const led = chain.length === 0 ? '' : `\nWhat led there:\n${chain.map((line) => `  ${line}`).join('\n')}`;
    super('SIRA_ORACLE_VIOLATED', `${oracle}: ${what}, at ${nowMicros} µs (${formatDuration(nowMicros)}).${led}`);
    this.oracle = oracle;
    this.what = what;
    this.nowMicros = nowMicros;
    this.concerned = concerned;
    this.chain = chain;
  }
}

/** How an oracle says that a promise is broken. */
export type Fail = (oracle: OracleName, what: string, nowMicros: number, concerned: Concerned) => never;
