// Every planted bug.

import { agentMutants } from './agent-mutants.ts';
import { brokerMutants } from './broker-mutants.ts';
import { healthMutants } from './health-mutants.ts';
import { journalMutants } from './journal-mutants.ts';
import { kernelMutants } from './kernel-mutants.ts';
import type { Mutant } from './mutant.ts';
import { policyMutants } from './policy-mutants.ts';
import { recoveryMutants } from './recovery-mutants.ts';
import { schedulerMutants } from './scheduler-mutants.ts';
import { snapshotMutants } from './snapshot-mutants.ts';
import { topicMutants } from './topic-mutants.ts';
import { troubleMutants } from './trouble-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...kernelMutants,
  ...agentMutants,
  ...brokerMutants,
  ...schedulerMutants,
  ...snapshotMutants,
  ...healthMutants,
  ...policyMutants,
  ...recoveryMutants,
  ...troubleMutants,
  ...journalMutants,
  ...topicMutants,
];
