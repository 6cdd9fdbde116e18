// The gates for a policy that was advised, in this thread: the suite of `sira policy promote`, then the kernel's own journal.

import { SiraError } from '../../core/base/errors.ts';
import { replayGate } from '../promote/replay-gate.ts';
import { simulationGate } from '../promote/simulation-gate.ts';
import type { Gated, GateJob } from './advice-job.ts';

/** Throws what {@link simulationGate} throws. */
export async function gatePolicy({ incumbent, candidate, suite, journal }: GateJob): Promise<Gated> {
  const report = await simulationGate({ ...incumbent, name: 'incumbent' }, candidate, { suite, workers: 0 });
  const evidence = `${report.reasons.join('; ')} (digest ${report.digest.slice(0, 16)})`.slice(0, 2000);
  const simulation = { witness: 'simulation', verdict: report.verdict, evidence } as const;
  if (report.verdict !== 'pass') return [simulation];
  const { name: _, ...policy } = candidate;
  try {
    const { verdict, reason, tasks } = replayGate([{ folder: journal, codeHash: undefined }], policy);
    return [simulation, { witness: 'replay', verdict, evidence: `${reason}, ${tasks} tasks` }];
  } catch (error) {
    // A journal whose beginning is no longer kept cannot be replayed under another policy.
    if (!(error instanceof SiraError)) throw error;
    return [simulation, { witness: 'replay', verdict: 'cannotTell', evidence: error.message }];
  }
}
