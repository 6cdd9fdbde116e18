// A programmer's error: the state of the kernel is wrong and going on would make it worse. Assertions stay on in
// production. An expected outcome is a value with a reason, and an operating error is a `SiraError`; neither belongs here.

/** Raised by {@link assert}: a defect in Sira itself, never the caller's mistake. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} with `message` unless `condition` holds. Keep `message` constant: it is built on every call. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a branch that the types rule out. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
