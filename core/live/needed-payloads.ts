// Which payloads a recovered kernel still needs: those of tasks that have not ended, and of ends that no submitter has
// acknowledged. Everything else in the store was left there by a crash between two writes.

import type { TaskEnded } from '../kernel/effects.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { PayloadStore } from './payload-store.ts';

/** Removes what nobody needs. Returns how many submissions that were. Call it before anything is submitted. */
export function sweepPayloads(store: PayloadStore, kernel: Kernel): number {
  const needed = neededSubmissions(kernel);
  let count = 0;
  for (const { submitter, submission } of [...store.submissions()]) {
    if (needed.get(submitter)?.has(submission) === true) continue;
    store.remove(submitter, submission);
    count++;
  }
  return count;
}

function neededSubmissions(kernel: Kernel): ReadonlyMap<number, ReadonlySet<number>> {
  const needed = new Map<number, Set<number>>();
  const need = (submitter: number, submission: number): void => {
    const submissions = needed.get(submitter);
    if (submissions === undefined) needed.set(submitter, new Set([submission]));
    else submissions.add(submission);
  };
  for (const { submitter, submission } of kernel.control.tasks.values()) need(submitter, submission);
  const { broker, pendingEnds } = kernel.save();
  for (const { submitter, ends } of pendingEnds) for (const end of ends) need(submitter, end.submission);
  for (const { name, messages } of broker.topics) {
    const submitter = /^tasks\/ended\/(\d+)$/.exec(name)?.[1];
    if (submitter === undefined) continue;
    for (const { payload } of messages) need(Number(submitter), (payload as TaskEnded).submission);
  }
  return needed;
}
