// Every planted bug. Those of the journal (acknowledged before it is on the disk, an effect that leaves before its input is
// durable, a torn tail that is replayed) belong into journal-mutants.ts, beside the world that crashes the kernel.

import { agentMutants } from './agent-mutants.ts';
import { brokerMutants } from './broker-mutants.ts';
import { kernelMutants } from './kernel-mutants.ts';
import type { Mutant } from './mutant.ts';
import { schedulerMutants } from './scheduler-mutants.ts';
import { snapshotMutants } from './snapshot-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...kernelMutants,
  ...agentMutants,
  ...brokerMutants,
  ...schedulerMutants,
  ...snapshotMutants,
];
