// The proof of recovery: a second kernel, made from the first one's initial snapshot, takes the same inputs, as bytes, in the
// order in which they are released. It must say the same effects, and at each recovery the kernel that comes from the disk
// must be in the same state to the last field. Costs as much as the kernel itself, so it is on in the swarm and in tests.

import { Digest, type DigestState } from '../../core/base/digest.ts';
import { digestEffect } from '../../core/kernel/effect-digest.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import { decodeInput, encodeInput } from '../../core/kernel/input-codec.ts';
import type { JournalReport } from '../../core/kernel/journal.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import { Kernel, type KernelSnapshot } from '../../core/kernel/kernel.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { WorldObserver } from '../world/observer.ts';
import { saysDifference } from './say-difference.ts';
import { OracleViolation } from './violation.ts';

export class RecoveryOracle implements WorldObserver {
  private readonly profile: Profile;
  private shadow: Kernel | undefined;
  private awaited: { readonly sequence: number; readonly state: string } | undefined;
  /** Recoveries that were compared, inputs released, and those released again. */
  recoveries = 0;
  inputs = 0;
  repeated = 0;

  constructor(profile: Profile) {
    this.profile = profile;
  }

  /** The kernel that never crashed: it has had all released inputs. */
  get kernel(): Kernel | undefined {
    return this.shadow;
  }

  inputReleased({ sequence, timeMicros, body, effects }: ReleasedInput, again: boolean, nowMicros: number): void {
    if (again) {
      this.repeated++;
      return;
    }
    this.inputs++;
    const { shadow } = this;
    const decoded = decodeInput(encodeInput(body));
    if (shadow === undefined || !decoded.ok) {
      this.broken(`input ${sequence} cannot be applied to another kernel`, nowMicros);
      return;
    }
    if (!isSame(decoded.value, body))
      this.broken(`input ${sequence} (${body.kind}) is not what it was once it is journaled`, nowMicros);
    const own: Effect[] = [];
    shadow.handle({ sequence, timeMicros, body: decoded.value }, own);
    if (!hasSaidTheSame(own, effects))
      this.broken(`another kernel says other effects of input ${sequence} (${body.kind})`, nowMicros);
    this.compare(nowMicros);
  }

  kernelRecovered(kernel: Kernel, { lastSequence }: JournalReport, nowMicros: number): void {
    const state = JSON.stringify(kernel.save());
    this.shadow ??= Kernel.restore(JSON.parse(state) as KernelSnapshot, this.profile);
    if (lastSequence === 0) return;
    this.recoveries++;
    this.awaited = { sequence: lastSequence, state };
    this.compare(nowMicros);
  }

  private compare(nowMicros: number): void {
    const { awaited, shadow } = this;
    if (awaited === undefined || shadow === undefined || shadow.lastSequence < awaited.sequence) return;
    this.awaited = undefined;
    const state = JSON.stringify(shadow.save());
    if (state === awaited.state) return;
    this.broken(
      `the kernel recovered at input ${awaited.sequence} ${saysDifference(state, awaited.state)}, which is that of one that never crashed`,
      nowMicros,
    );
  }

  private broken(what: string, nowMicros: number): void {
    throw new OracleViolation('recovery', what, nowMicros, {}, []);
  }
}

/** Equal values, whatever the order of their fields; fields that are undefined do not count. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') return one === other;
  if (Array.isArray(one) !== Array.isArray(other) || ArrayBuffer.isView(one) !== ArrayBuffer.isView(other))
    return false;
  if (Array.isArray(one) || ArrayBuffer.isView(one)) {
    const [left, right] = [one as ArrayLike<unknown>, other as ArrayLike<unknown>];
    if (left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) if (!isSame(left[index], right[index])) return false;
    return true;
  }
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>];
  for (const name of Object.keys(left)) if (!isSame(left[name], right[name])) return false;
  for (const name of Object.keys(right)) if (left[name] === undefined && right[name] !== undefined) return false;
  return true;
}

function hasSaidTheSame(own: readonly Effect[], effects: readonly Effect[]): boolean {
  if (own.length !== effects.length) return false;
  const [ownFirst, ownSecond] = digestOf(own);
  const [first, second] = digestOf(effects);
  return ownFirst === first && ownSecond === second;
}

function digestOf(effects: readonly Effect[]): DigestState {
  const digest = new Digest();
  for (const effect of effects) digestEffect(digest, effect);
  return digest.save();
}
