// The off-policy witness: the decisions that a live kernel made while a candidate was in its shadow, read from its journal.

import type { Effect } from '../../core/kernel/effects.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { WitnessVerdict } from '../../core/policy/rollout.ts';
import { type JournalSource, readJournal, snapshotSequences } from '../../sim/replay/read-journal.ts';
import { DecisionLog } from '../evaluate/decision-log.ts';
import { estimateOffPolicy, type OffPolicyEstimate } from '../evaluate/off-policy.ts';

export interface OffPolicyTestimony {
  readonly verdict: WitnessVerdict;
  readonly evidence: string;
  readonly estimate: OffPolicyEstimate;
}

/** A larger slowdown speaks against the candidate, a smaller one for it. Throws what reading journals throws. */
export function offPolicyOf(source: JournalSource, rollout: number): OffPolicyTestimony {
  let kernel: Kernel | undefined;
  let log: DecisionLog | undefined;
  readJournal(source, snapshotSequences(source)[0] as number, {
    restored: (restored) => {
      kernel = restored;
    },
    input: (input) => {
      const effects: Effect[] = [];
      (kernel as Kernel).handle(input, effects);
      const { rollouts } = (kernel as Kernel).control.rollouts.machine;
      const of = rollouts.find((each) => each.rollout === rollout);
      log ??= of === undefined ? undefined : new DecisionLog(of.plan.canary.slowdownFloorMicros);
      log?.input(input.body, input.timeMicros);
      // Another candidate's shadow is none of this one's.
      const isItsTime = of === rollouts.at(-1);
      for (const effect of effects) if (effect.kind !== 'decisionMade' || isItsTime) log?.effect(effect);
      return true;
    },
  });
  const estimate = estimateOffPolicy(log?.decisions() ?? []);
  const words = { lower: 'pass', higher: 'fail', cannotTell: 'cannotTell' } as const;
  const { doublyRobust, decisions, effectiveSample, reason } = estimate;
  const change = doublyRobust === undefined ? 'unknown' : doublyRobust.mean.toFixed(3);
  const evidence = `slowdown changes by ${change} over ${decisions} decisions, effective sample ${Math.floor(effectiveSample)}; ${reason}`;
  return { verdict: words[estimate.verdict], evidence, estimate };
}
