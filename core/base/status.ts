// An expected outcome as a value: accepted, or refused with a code of the one error table and a reason that a person can
// act on. Callers that cannot go on turn a refusal into a `SiraError` with `valueOrThrow`; nothing here throws by itself.

import { type ErrorCode, type ErrorPlace, SiraError } from './errors.ts';

export interface Accepted {
  readonly ok: true;
}

export interface Refused {
  readonly ok: false;
  readonly code: ErrorCode;
  /** What exactly stood against it, with the numbers: "the queue holds its maximum of 100 tasks". */
  readonly reason: string;
}

/** Whether something was done. */
export type Status = Accepted | Refused;

/** A value, or why there is none. */
export type Result<T> = (Accepted & { readonly value: T }) | Refused;

/** The one accepted status: comparing with it allocates nothing. */
export const accepted: Accepted = Object.freeze({ ok: true });

export function acceptedWith<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refused(code: ErrorCode, reason: string): Refused {
  return { ok: false, code, reason };
}

/** Throws the refusal as a coded error; `place` says where the refused thing was written. */
export function requireAccepted(status: Status, place?: ErrorPlace): asserts status is Accepted {
  if (!status.ok) throw new SiraError(status.code, status.reason, place);
}

/** The value, or the refusal thrown as a coded error. */
export function valueOrThrow<T>(result: Result<T>, place?: ErrorPlace): T {
  if (!result.ok) throw new SiraError(result.code, result.reason, place);
  return result.value;
}
