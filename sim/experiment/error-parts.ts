// An error in parts, as it crosses from a thread or a process to another: a class does not.

import { type ErrorCode, type ErrorPlace, SiraError } from '../../core/base/errors.ts';

export interface ErrorParts {
  /** Undefined if it is a defect, not an operating error. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly stack: string;
  readonly place: ErrorPlace;
  readonly remedy: string;
}

export function partsOf(error: unknown): ErrorParts {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  if (!(error instanceof SiraError)) return { code: undefined, message, stack, place: {}, remedy: '' };
  return { code: error.code, message, stack, place: error.place, remedy: error.remedy };
}

/** The error again, with the stack of where it was thrown. */
export function errorOf({ code, message, stack, place, remedy }: ErrorParts): Error {
  const error = code === undefined ? new Error(message) : new SiraError(code, message, place, remedy);
  error.stack = stack;
  return error;
}
