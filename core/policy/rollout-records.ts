// What is remembered of rollouts: the rollouts themselves and every step that one of them took, bounded, the oldest forgotten first;
// but none whose candidate is still trusted.

import type { Rollout, RolloutEvent, Speaker } from './rollout.ts';
import { endStages } from './rollout-plan.ts';

const rolloutsKept = 64;
const eventsKept = 1024;

export class RolloutRecords<Policy> {
  /** Oldest first. */
  readonly rollouts: Rollout<Policy>[] = [];
  readonly events: RolloutEvent[] = [];

  /** The one that is not at its end. */
  get active(): Rollout<Policy> | undefined {
    const last = this.rollouts.at(-1);
    return last === undefined || endStages.includes(last.stage) ? undefined : last;
  }

  find(rollout: number | undefined): Rollout<Policy> | undefined {
    return this.rollouts.find((each) => each.rollout === rollout);
  }

  /** The one that brought this policy. */
  ofVersion(version: number): Rollout<Policy> | undefined {
    return this.rollouts.find(({ candidate }) => candidate.version === version);
  }

  /** `good`: policies that are trusted, fewer than rollouts are kept. */
  add(rollout: Rollout<Policy>, good: readonly { readonly version: number }[]): void {
    if (this.rollouts.push(rollout) <= rolloutsKept) return;
    const isTrusted = (each: Rollout<Policy>): boolean =>
      good.some(({ version }) => version === each.candidate.version);
    this.rollouts.splice(
      this.rollouts.findIndex((each) => !isTrusted(each)),
      1,
    );
  }

  /** A rollout has come to where it stands now; returns the step. */
  note(
    { rollout, stage }: Rollout<Policy>,
    from: RolloutEvent['from'],
    { who, why }: Speaker,
    servesVersion: number,
    atMicros: number,
  ): RolloutEvent {
    const event: RolloutEvent = { rollout, from, to: stage, who, why, atMicros, servesVersion };
    if (this.events.push(event) > eventsKept) this.events.shift();
    return event;
  }

  /** For records that are empty. */
  restore(rollouts: readonly Rollout<Policy>[], events: readonly RolloutEvent[]): void {
    this.rollouts.push(...rollouts);
    this.events.push(...events);
  }
}
