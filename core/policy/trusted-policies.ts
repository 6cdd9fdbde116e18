// Which policies were trusted with everything, and which one serves now: one of them or a candidate on trial. The last one trusted
// is what everything falls back to; the first is never given up.

import { assert } from '../base/assert.ts';
import type { PolicyVersion } from './rollout.ts';

const trustedMax = 32;

export class TrustedPolicies<Policy> {
  /** The one that is trusted now is last. */
  readonly all: PolicyVersion<Policy>[];
  private serving: PolicyVersion<Policy>;
  private readonly changed: (version: PolicyVersion<Policy>) => void;

  /** `changed`: told who serves from now on. */
  constructor(first: PolicyVersion<Policy>, changed: (version: PolicyVersion<Policy>) => void) {
    this.all = [first];
    this.serving = first;
    this.changed = changed;
  }

  get serves(): PolicyVersion<Policy> {
    return this.serving;
  }

  get last(): PolicyVersion<Policy> {
    return this.all.at(-1) as PolicyVersion<Policy>;
  }

  serve(version: PolicyVersion<Policy>): void {
    if (version.version === this.serving.version) return;
    this.serving = version;
    this.changed(version);
  }

  serveLast(): void {
    this.serve(this.last);
  }

  trust(version: PolicyVersion<Policy>): void {
    if (this.all.push(version) > trustedMax) this.all.shift();
  }

  /** Gives up the last one; undefined if there is no other. */
  giveUp(): PolicyVersion<Policy> | undefined {
    return this.all.length < 2 ? undefined : this.all.pop();
  }

  /** For one that knows only the first policy. `candidate`: on trial, if there is one. Nobody is told. */
  restore(
    all: readonly PolicyVersion<Policy>[],
    servesVersion: number,
    candidate: PolicyVersion<Policy> | undefined,
  ): void {
    this.all.splice(0, 1, ...all);
    const serving = [...all, ...(candidate === undefined ? [] : [candidate])].find(
      ({ version }) => version === servesVersion,
    );
    assert(serving !== undefined, 'a snapshot knows the policy that serves');
    this.serving = serving;
  }
}
