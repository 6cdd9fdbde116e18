// What a journal says of a run that was disturbed: how long after each fault the work that it hit ran again, and whether
// anything acknowledged was lost or ended twice. It reads the files alone; the kernel may run.

import type { Effect } from '../../core/kernel/effects.ts';
import type { Input } from '../../core/kernel/inputs.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { codeHash } from '../../core/live/code-hash.ts';
import { oldestReadable, readJournal } from '../../sim/replay/read-journal.ts';
import type { AgentFault } from './fleet.ts';

export interface StruckFault {
  readonly fault: AgentFault | 'kernel';
  /** Empty for the kernel. */
  readonly agent: string;
  /** Microseconds since 1970. */
  readonly atMicros: number;
  /** Until when tasks given to the agent count as hit: when the next fault struck, or the record ended. */
  readonly untilMicros: number;
}

export interface FaultTimes extends StruckFault {
  /** For each task that was hit: from the fault, or from when it was given to the failing agent if that was later, until it was
   *  begun anew. For `slow`: until work began elsewhere after the kernel had set the agent aside. For the kernel: until the first
   *  work was begun after it was back. Ascending. */
  readonly recoveredMicros: readonly number[];
  /** Hit, and not begun anew within the record. */
  readonly unrecovered: number;
}

export interface RecordedAttempt {
  readonly task: number;
  readonly attempt: number;
  readonly agent: string;
  readonly placedMicros: number;
  begunMicros: number;
  /** Its completion was recorded. */
  completedMicros: number;
}

export interface RunRecord {
  readonly attempts: readonly RecordedAttempt[];
  readonly resumedMicros: readonly number[];
  readonly setAside: readonly { readonly agent: string; readonly atMicros: number }[];
  /** Submissions accepted, and how often each ended in the record. */
  readonly accepted: ReadonlySet<number>;
  readonly ends: ReadonlyMap<number, number>;
}

/** The whole record of the submitter that came first. Throws what {@link readJournal} throws. */
export function readRun(folder: string): RunRecord {
  const source = { folder, codeHash: codeHash() };
  const attempts = new Map<string, RecordedAttempt>();
  const resumedMicros: number[] = [];
  const setAside: { agent: string; atMicros: number }[] = [];
  const accepted = new Set<number>();
  const endOffsets = new Map<number, Set<number>>();
  let kernel: Kernel | undefined;
  const nameOf = (agent: number): string => kernel?.control.registry.names[agent] ?? '';
  const note = (effect: Effect, timeMicros: number): void => {
    if (effect.kind === 'submissionAccepted') accepted.add(effect.submission);
    else if (effect.kind === 'dispatch') {
      const { task, attempt, agent } = effect;
      const key = `${task} ${attempt}`;
      if (attempts.has(key)) return;
      attempts.set(key, {
        task,
        attempt,
        agent: nameOf(agent),
        placedMicros: timeMicros,
        begunMicros: -1,
        completedMicros: -1,
      });
    } else if (effect.kind === 'agentHeld' && effect.held && effect.cause === 'outlier')
      setAside.push({ agent: nameOf(effect.agent), atMicros: timeMicros });
    else if (effect.kind === 'deliver' && effect.correlation === null) {
      const end = effect.payload as { submission?: number; outcome?: string } | undefined;
      if (typeof end?.submission !== 'number' || end.outcome === undefined) return;
      // One end may be delivered many times; it has one offset.
      const offsets = endOffsets.get(end.submission) ?? new Set();
      endOffsets.set(end.submission, offsets.add(effect.offset));
    }
  };
  readJournal(source, oldestReadable(source), {
    restored(restored) {
      kernel = restored;
    },
    input({ body, timeMicros, ...rest }: Input) {
      const effects: Effect[] = [];
      kernel?.handle({ body, timeMicros, ...rest }, effects);
      if (body.kind === 'resumed') resumedMicros.push(timeMicros);
      else if (body.kind === 'dispatchAccepted') {
        const attempt = attempts.get(`${body.task} ${body.attempt}`);
        if (attempt !== undefined && attempt.begunMicros < 0) attempt.begunMicros = timeMicros;
      } else if (body.kind === 'taskFinished' && body.outcome === 'completed') {
        const attempt = attempts.get(`${body.task} ${body.attempt}`);
        if (attempt !== undefined && attempt.completedMicros < 0) attempt.completedMicros = timeMicros;
      }
      for (const effect of effects) note(effect, timeMicros);
      return true;
    },
  });
  const ends = new Map([...endOffsets].map(([submission, offsets]) => [submission, offsets.size]));
  return { attempts: [...attempts.values()], resumedMicros, setAside, accepted, ends };
}

export function timesOf(struck: StruckFault, run: RunRecord): FaultTimes {
  if (struck.fault === 'kernel') return untilBegun(struck, run, (at) => run.resumedMicros.find((time) => time >= at));
  if (struck.fault === 'slow')
    return untilBegun(
      struck,
      run,
      (at) => run.setAside.find(({ agent, atMicros }) => agent === struck.agent && atMicros >= at)?.atMicros,
    );
  const { agent, atMicros, untilMicros } = struck;
  const recoveredMicros: number[] = [];
  let unrecovered = 0;
  for (const hit of run.attempts) {
    if (hit.agent !== agent || hit.placedMicros >= untilMicros) continue;
    // What it finished itself was not displaced, before the fault, or late.
    if (hit.completedMicros >= 0) continue;
    const next = run.attempts.find((other) => other.task === hit.task && other.attempt > hit.attempt);
    // Displaced by an earlier fault.
    if (next !== undefined && next.placedMicros < atMicros) continue;
    const again = run.attempts.find(
      (other) => other.task === hit.task && other.attempt > hit.attempt && other.begunMicros >= 0,
    );
    if (again === undefined) unrecovered++;
    else recoveredMicros.push(again.begunMicros - Math.max(atMicros, hit.placedMicros));
  }
  return { ...struck, recoveredMicros: recoveredMicros.sort((left, right) => left - right), unrecovered };
}

/** Until work began somewhere else after the kernel had noticed. */
function untilBegun(
  struck: StruckFault,
  run: RunRecord,
  noticed: (atMicros: number) => number | undefined,
): FaultTimes {
  const from = noticed(struck.atMicros);
  const begun = run.attempts
    .filter(({ agent, placedMicros }) => agent !== struck.agent && from !== undefined && placedMicros >= from)
    .map(({ begunMicros }) => begunMicros)
    .filter((time) => time >= 0)
    .sort((left, right) => left - right)[0];
  return begun === undefined || begun >= struck.untilMicros
    ? { ...struck, recoveredMicros: [], unrecovered: 1 }
    : { ...struck, recoveredMicros: [begun - struck.atMicros], unrecovered: 0 };
}

export interface Ledger {
  /** Acknowledged to the submitter, and not in the record, or without an end there. */
  readonly lost: readonly number[];
  /** More than one end in the record, or told to the submitter more than once. */
  readonly twice: readonly number[];
}

/** For a submitter whose tasks have all ended. */
export function balance(
  account: { readonly acknowledged: readonly number[]; readonly told: readonly number[] },
  run: RunRecord,
): Ledger {
  const told = new Map<number, number>();
  for (const submission of account.told) told.set(submission, (told.get(submission) ?? 0) + 1);
  const lost = account.acknowledged.filter((each) => !run.accepted.has(each) || !run.ends.has(each) || !told.has(each));
  const twice = [...run.accepted].filter((each) => (run.ends.get(each) ?? 0) > 1 || (told.get(each) ?? 0) > 1);
  return { lost, twice };
}
