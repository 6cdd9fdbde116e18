// Watches rollouts from outside, with an account of its own: every decision is made by the policy that serves by the last word of the
// kernel; a candidate decides only in a canary that does not stand still, or once promoted; after an outage, whoever was good
// before decides until somebody says otherwise; and what was rolled back or rejected never decides again.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { RolloutEvent } from '../../core/policy/rollout.ts';
import { OracleViolation } from '../oracle/violation.ts';
import type { WorldObserver } from '../world/observer.ts';

export class RolloutOracle implements WorldObserver {
  /** Versions that were trusted with everything. */
  private readonly good = [1];
  /** Versions that may decide never again. */
  private readonly gone = new Set<number>();
  /** Version of the candidate that the canary may use now; 0 for none. */
  private inCanary = 0;
  /** Decisions of candidates before they were trusted: an oracle that saw none has shown nothing. */
  canaryDecisions = 0;

  kernelInput(body: InputBody): void {
    // Whatever it was that the kernel stood still for.
    if (body.kind === 'resumed') this.inCanary = 0;
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'rolloutChanged') this.moved(effect.event, nowMicros);
    if (effect.kind !== 'decisionMade') return;
    const { policyVersion, decision } = effect.record;
    const good = this.good.at(-1) as number;
    if (policyVersion === this.inCanary && this.inCanary !== 0) {
      this.canaryDecisions++;
      return;
    }
    if (policyVersion !== good)
      this.fail(
        `decision ${decision} is made by version ${policyVersion}, and ${good} is the last good one`,
        nowMicros,
      );
    if (this.gone.has(policyVersion))
      this.fail(`decision ${decision} is made by a policy that was given up`, nowMicros);
  }

  private moved({ rollout, from, to, why, servesVersion }: RolloutEvent, nowMicros: number): void {
    // The first policy is version 1, and every proposal makes one more.
    const candidate = rollout + 1;
    const isStill = why.includes('stood still');
    this.inCanary = to === 'canary' && !isStill ? candidate : 0;
    // A promoted policy of which something is told stays promoted.
    if (to === 'promoted' && from !== 'promoted') this.good.push(candidate);
    if (to === 'rolledBack' || to === 'rejected') {
      this.gone.add(candidate);
      if (this.good.at(-1) === candidate) this.good.pop();
    }
    const isCandidate = servesVersion === candidate && this.inCanary === candidate;
    if (servesVersion !== this.good.at(-1) && !isCandidate)
      this.fail(
        `version ${servesVersion} serves after ${from} → ${to}, and ${this.good.at(-1)} is the last good one`,
        nowMicros,
      );
  }

  private fail(what: string, nowMicros: number): never {
    throw new OracleViolation('rollouts', what, nowMicros, {}, []);
  }
}
