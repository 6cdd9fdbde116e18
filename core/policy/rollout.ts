// The life of one candidate, from proposal to promotion, rejection or rollback, as data and the words that move it. The machine
// that moves it is rollouts.ts.

import type { CanaryLook, CanaryState, WatchedTask } from './canary.ts';
import type { WatchLook } from './drift-watch.ts';
import type { InputDistribution } from './input-distribution.ts';
import type { PolicyWatchesState } from './policy-watches.ts';
import { type RolloutPlan, type RolloutStage, stageAfter } from './rollout-plan.ts';

/** A policy that has served, or is to. Versions count over the kernel's life; the first policy is version 1. */
export interface PolicyVersion<Policy> {
  readonly version: number;
  readonly name: string;
  readonly policy: Policy;
  /** Hash of the signed artifact that it comes from; empty if there is none. */
  readonly artifact: string;
}

/** `watch`: what speaks after the promotion. */
export const witnessNames = ['simulation', 'replay', 'offPolicy', 'canary', 'watch'] as const;
export type WitnessName = (typeof witnessNames)[number];
export type WitnessVerdict = 'pass' | 'fail' | 'cannotTell';

/** What a witness said last. */
export interface Testimony {
  readonly witness: WitnessName;
  readonly verdict: WitnessVerdict;
  /** Where it can be looked at or run again: a digest, a path, a command. */
  readonly evidence: string;
  readonly atMicros: number;
  readonly who: string;
}

/** Who moves a rollout, and why. */
export interface Speaker {
  readonly who: string;
  readonly why: string;
}

/** Where nobody asked. */
export const byItself: Speaker = { who: 'rollout', why: 'by its plan' };
export const byWatch: Speaker = { who: 'drift watch', why: '' };

/** One step of a rollout. */
export interface RolloutEvent {
  readonly rollout: number;
  readonly from: RolloutStage | 'proposed';
  readonly to: RolloutStage;
  readonly who: string;
  readonly why: string;
  readonly atMicros: number;
  /** Version of the policy that serves from now on. */
  readonly servesVersion: number;
}

export interface Rollout<Policy> {
  /** Counts from 1. */
  readonly rollout: number;
  readonly candidate: PolicyVersion<Policy>;
  /** Whom it would replace. */
  readonly incumbentVersion: number;
  readonly plan: RolloutPlan;
  stage: RolloutStage;
  /** Why it stands still, and the incumbent serves; empty if it does not. */
  paused: string;
  /** A stage that only a person may let it enter; undefined if it waits for none. */
  awaitsApproval: RolloutStage | undefined;
  readonly testimonies: Testimony[];
  shadowDecisions: number;
  shadowAgreements: number;
  /** Of the incumbent while the candidate was its shadow. */
  readonly baseline: { ended: number; slowdowns: number };
  canary: CanaryLook | undefined;
  /** What was seen of it last after its promotion, once it has drifted. */
  watch?: WatchLook | undefined;
}

/** What people and the pipeline may ask. `witness` is how gates that run elsewhere report. */
export type RolloutCommand<Policy> =
  | {
      readonly command: 'propose';
      readonly name: string;
      readonly policy: Policy;
      readonly artifact: string;
      readonly plan: RolloutPlan;
    }
  | {
      readonly command: 'witness';
      readonly rollout: number;
      readonly witness: 'simulation' | 'replay' | 'offPolicy';
      readonly verdict: WitnessVerdict;
      readonly evidence: string;
    }
  | { readonly command: 'approve' | 'pause' | 'resume' | 'reject'; readonly rollout: number }
  /** Without a rollout: whatever serves gives way to the last good policy before it. */
  | { readonly command: 'rollback'; readonly rollout?: number | undefined };

export interface RolloutsState<Policy> {
  readonly versionCount: number;
  readonly rolloutCount: number;
  /** Policies that were trusted with everything, the one that is now last. */
  readonly good: readonly PolicyVersion<Policy>[];
  readonly servesVersion: number;
  readonly rollouts: readonly Rollout<Policy>[];
  readonly events: readonly RolloutEvent[];
  readonly canary: CanaryState | undefined;
  readonly watches?: PolicyWatchesState | undefined;
  readonly lookAtMicros: number | null;
  readonly random: readonly [number, number, number, number];
}

/** Whose policies these are. */
export interface RolloutHost<Policy> {
  /** Decide by this policy from now on. */
  serve(version: PolicyVersion<Policy>): void;
  /** Let it decide beside the one that serves, or nobody. */
  shadow(version: PolicyVersion<Policy> | undefined): void;
  /** Why this policy cannot serve here; empty if it can. */
  objection(policy: Policy): string;
  changed(event: RolloutEvent): void;
  /** When the task that waits longest was submitted, `Infinity` if none waits. */
  oldestWaitingMicros(): number;
  queueLength(): number;
  /** {@link arrivalInputs} of a task that has just come. */
  inputsOf(task: WatchedTask): readonly number[];
  /** How inputs were distributed in the policy's training, by input; empty for one that learned nothing. */
  trainedOn(policy: Policy): ReadonlyMap<string, InputDistribution>;
}

export function newRollout<Policy>(
  rollout: number,
  candidate: PolicyVersion<Policy>,
  incumbentVersion: number,
  plan: RolloutPlan,
): Rollout<Policy> {
  return {
    rollout,
    candidate,
    incumbentVersion,
    plan,
    stage: 'simulation',
    paused: '',
    awaitsApproval: undefined,
    testimonies: [],
    shadowDecisions: 0,
    shadowAgreements: 0,
    baseline: { ended: 0, slowdowns: 0 },
    canary: undefined,
  };
}

/** A task of the incumbent ended while the candidate was its shadow. */
export function noteBaseline({ baseline, plan }: Rollout<unknown>, task: WatchedTask, nowMicros: number): void {
  baseline.ended++;
  baseline.slowdowns +=
    (nowMicros - task.submittedMicros) / Math.max(task.estimateMicros, plan.canary.slowdownFloorMicros);
}

/** A witness speaks; what it said before no longer counts. */
export function testify(rollout: Rollout<unknown>, said: Testimony): void {
  const { witness, verdict, evidence, atMicros, who } = said;
  const index = rollout.testimonies.findIndex((each) => each.witness === witness);
  const testimony = { witness, verdict, evidence, atMicros, who };
  if (index < 0) rollout.testimonies.push(testimony);
  else rollout.testimonies[index] = testimony;
}

function saidBy(rollout: Rollout<unknown>, witness: WitnessName): WitnessVerdict | undefined {
  return rollout.testimonies.find((each) => each.witness === witness)?.verdict;
}

/** Where its witnesses, and its shadow, carry a rollout from where it stands; undefined while they do not. */
export function nextStage(rollout: Rollout<unknown>): RolloutStage | undefined {
  const { stage, plan, shadowDecisions } = rollout;
  switch (stage) {
    case 'simulation':
    case 'replay': {
      const verdict = saidBy(rollout, stage);
      if (verdict === 'fail') return 'rejected';
      return verdict === 'pass' ? stageAfter[stage] : undefined;
    }
    case 'shadow':
      return shadowDecisions >= plan.shadowDecisions ? 'canary' : undefined;
    case 'held':
      return agreesOn(rollout) ? 'promoted' : undefined;
    default:
      return undefined;
  }
}

/** The candidate, while it decides beside the policy that serves. */
export function shadowOf<Policy>(active: Rollout<Policy> | undefined): PolicyVersion<Policy> | undefined {
  const isShadow = active?.stage === 'shadow' && active.paused === '' && active.awaitsApproval === undefined;
  return isShadow ? active.candidate : undefined;
}

export function nameProblem(name: string): string {
  return name.length === 0 || name.length > 200 ? 'a policy has a name of 1 to 200 characters' : '';
}

/** Whether all witnesses that must have spoken for it. A gate that a person overrode has not. */
function agreesOn(rollout: Rollout<unknown>): boolean {
  const offPolicy = saidBy(rollout, 'offPolicy');
  if (offPolicy === 'fail' || (rollout.plan.offPolicy === 'mustPass' && offPolicy !== 'pass')) return false;
  return (['canary', 'simulation', 'replay'] as const).every((witness) => saidBy(rollout, witness) === 'pass');
}

/** Whether the candidate ever decided for real. */
export function hasServed({ stage, canary }: Rollout<unknown>): boolean {
  return stage === 'canary' || canary !== undefined;
}

export function copyOf<Policy>(rollout: Rollout<Policy>): Rollout<Policy> {
  return { ...rollout, testimonies: [...rollout.testimonies], baseline: { ...rollout.baseline } };
}
