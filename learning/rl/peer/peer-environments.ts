// The environments on which trainers are compared, each the same as the peer's own of that name: CartPole-v1 is Gymnasium's, and the
// batch machine is that of batch_machine.py, window by window and reward by reward, which `playAround` lets anybody check.

import { join } from 'node:path';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { BatchEnvironment } from '../../env/batch/batch-environment.ts';
import { readBatchJobs, sliceJobs } from '../../env/batch/batch-jobs.ts';
import { traceWindows } from '../../env/batch/batch-windows.ts';
import { CartPole } from '../../env/cart-pole.ts';
import type { Environment } from '../../env/environment.ts';

export type PeerKind = 'cart-pole' | 'batch';

export interface PeerEnvironment {
  create(): Environment;
  /** Document that our settings come from. */
  readonly training: string;
  /** Heuristic that shows how features are distributed. */
  readonly teacher: string;
  /** A reward of the peer's is so many of ours. */
  readonly rewardUnit: number;
}

/** Lublin-1, whose first jobs are in no test's window. */
export const peerTrace = join(projectRoot(), 'scenarios', 'data', 'swf', 'lublin_256.swf.gz');
const trainingJobs = { first: 0, count: 1981 };
const windowJobs = 256;

export function openPeerEnvironment(kind: PeerKind): PeerEnvironment {
  if (kind === 'cart-pole') return { create: () => new CartPole(), training: kind, teacher: 'lean', rewardUnit: 1 };
  const windows = traceWindows(readBatchJobs(peerTrace), [trainingJobs], windowJobs);
  const options = { processorCount: 256, backfill: 'none', fallback: 'sjf', candidatesMax: 48, windows } as const;
  return { create: () => new BatchEnvironment(options), training: 'lublin', teacher: 'sjf', rewardUnit: 1000 };
}

/** Returns of the batch machine's windows from those jobs, when the n-th choice is candidate n, counted round. */
export function playAround(starts: readonly number[]): number[] {
  const { create, rewardUnit } = openPeerEnvironment('batch');
  const environment = create() as BatchEnvironment;
  const jobs = readBatchJobs(peerTrace);
  return starts.map((start) => {
    environment.begin(sliceJobs(jobs, start, windowJobs));
    let sum = 0;
    for (let choice = 0; !environment.done; choice++) sum += environment.step(choice % environment.candidateCount);
    return sum / rewardUnit;
  });
}
