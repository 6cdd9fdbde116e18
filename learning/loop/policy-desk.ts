// The loop's way to the kernel's policies: the administration interface that `sira policy` speaks, and nothing else.

import { askKernel } from '../../core/live/ask-kernel.ts';
import type { Rollout, RolloutEvent, WitnessVerdict } from '../../core/policy/rollout.ts';
import type { CanaryPlan, DriftPlan, RolloutPlan } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';

export interface PolicyView {
  readonly version: number;
  readonly name: string;
  readonly artifact: string;
  readonly policy: Partial<Profile>;
}

export type RolloutView = Omit<Rollout<unknown>, 'candidate'> & { readonly candidate: PolicyView };

export interface Policies {
  readonly serves: PolicyView;
  readonly good: readonly PolicyView[];
  readonly rollouts: readonly RolloutView[];
}

export interface Proposal {
  readonly name: string;
  readonly policy: Partial<Profile>;
  /** Hash of the signed artifact, empty if there is none. */
  readonly artifact: string;
  readonly plan: Partial<Omit<RolloutPlan, 'canary' | 'drift'>> & {
    readonly canary?: Partial<CanaryPlan>;
    readonly drift?: Partial<DriftPlan>;
  };
}

export class PolicyDesk {
  private readonly url: () => string;
  private readonly who: string;

  constructor(url: () => string, who: string) {
    this.url = url;
    this.who = who;
  }

  async read(): Promise<Policies> {
    return (await askKernel(this.url(), 'GET', '/v1/policies')) as Policies;
  }

  async rollout(number: number): Promise<RolloutView> {
    const { rollouts } = await this.read();
    return rollouts.find(({ rollout }) => rollout === number) as RolloutView;
  }

  async history(): Promise<readonly RolloutEvent[]> {
    const { events } = (await askKernel(this.url(), 'GET', '/v1/policies/history')) as {
      readonly events: readonly RolloutEvent[];
    };
    return events;
  }

  async propose(proposal: Proposal, why: string): Promise<number> {
    const body = { ...proposal, who: this.who, why };
    const { rollout } = (await askKernel(this.url(), 'POST', '/v1/policies/rollouts', body)) as { rollout: number };
    return rollout;
  }

  async witness(
    rollout: number,
    witness: 'simulation' | 'replay' | 'offPolicy',
    verdict: WitnessVerdict,
    evidence: string,
  ): Promise<void> {
    const body = {
      witness,
      verdict,
      evidence: evidence.slice(0, 2000),
      who: this.who,
      why: `the ${witness} gate says ${verdict}`,
    };
    await askKernel(this.url(), 'POST', `/v1/policies/rollouts/${rollout}/witness`, body);
  }

  async say(word: 'approve' | 'reject' | 'rollback', rollout: number, why: string): Promise<void> {
    await askKernel(this.url(), 'POST', `/v1/policies/rollouts/${rollout}/${word}`, { who: this.who, why });
  }
}
