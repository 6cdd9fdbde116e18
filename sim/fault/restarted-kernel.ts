// A kernel that is replaced again and again by one restored from its own snapshot, through text, and takes the inputs that another
// one took: it must be restored to the last field, say the same, and be in the same state at the end. Costs what the kernel costs,
// and no second world.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import { Kernel, type KernelSnapshot } from '../../core/kernel/kernel.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { saysDifference } from '../oracle/say-difference.ts';
import { OracleViolation } from '../oracle/violation.ts';
import type { WorldObserver } from '../world/observer.ts';

/** What a kernel took from its beginning on, and what came of it. */
export interface KernelRecord {
  /** Its state before the first input, as text. */
  readonly begin: string;
  readonly timesMicros: readonly number[];
  readonly bodies: readonly InputBody[];
  /** Over all effects. */
  readonly digest: string;
  /** Its state after the last input, as text. */
  readonly end: string;
}

/** Writes down every input that a kernel without a journal takes. */
export class KernelRecorder implements WorldObserver {
  private readonly timesMicros: number[] = [];
  private readonly bodies: InputBody[] = [];
  private begin = '';

  /** Call it before the first input. */
  starts(kernel: Kernel): void {
    this.begin = JSON.stringify(kernel.save());
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    this.timesMicros.push(nowMicros);
    this.bodies.push(input);
  }

  ends(kernel: Kernel): KernelRecord {
    const { begin, timesMicros, bodies } = this;
    const end = JSON.stringify(kernel.save());
    return { begin, timesMicros: timesMicros.slice(), bodies: bodies.slice(), digest: kernel.digest, end };
  }
}

/**
 * @param restartsMicros rising; a kernel is replaced when it has taken every input up to then.
 * @returns the digest of the last kernel, over all effects of all of them.
 * @throws {@link OracleViolation} if a kernel is restored otherwise than it was, or ends in another state.
 */
export function restartedDigest(record: KernelRecord, profile: Profile, restartsMicros: readonly number[]): string {
  let kernel = Kernel.restore(JSON.parse(record.begin) as KernelSnapshot, profile);
  const sink = { push: (_effect: Effect): void => {} };
  let taken = 0;
  const takeUntil = (untilMicros: number): void => {
    for (; taken < record.bodies.length && record.timesMicros[taken]! <= untilMicros; taken++) {
      const timeMicros = record.timesMicros[taken]!;
      kernel.handle({ sequence: kernel.lastSequence + 1, timeMicros, body: record.bodies[taken]! }, sink);
    }
  };
  for (const atMicros of restartsMicros) {
    takeUntil(atMicros);
    const before = JSON.stringify(kernel.save());
    kernel = Kernel.restore(JSON.parse(before) as KernelSnapshot, profile);
    const after = JSON.stringify(kernel.save());
    if (after !== before) fail(`a kernel restored from the snapshot ${saysDifference(before, after)}`, atMicros);
  }
  takeUntil(Number.POSITIVE_INFINITY);
  const end = JSON.stringify(kernel.save());
  if (kernel.digest === record.digest && end !== record.end)
    fail(`in the end a kernel that was restored ${saysDifference(record.end, end)}`, kernel.clockMicros);
  return kernel.digest;
}

function fail(what: string, nowMicros: number): never {
  throw new OracleViolation('snapshots', what, nowMicros, {}, []);
}
