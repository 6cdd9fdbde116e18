// The proof that a live run and its replay are the same: every input of a journal through a kernel of its own, and after each
// the marks of its effects beside those that the live kernel left. It stops at the first that differs, names the effect and the
// decision, and looks further on in the record for what became of the same tasks live. No clock, no files: whoever calls it
// reads the journal.

import { type EffectMarks, firstDifference, markEffects } from '../../core/kernel/effect-marks.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { Input, InputBody } from '../../core/kernel/inputs.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { JournalReader } from './read-journal.ts';

/** Of an input whose effects are not those of the live run. */
export interface ReplayDifference {
  readonly sequence: number;
  readonly timeMicros: number;
  readonly body: InputBody;
  readonly recorded: EffectMarks;
  readonly replayed: EffectMarks;
  /** Effects that the replay made of it, and which of them differ first: those with indexes `from` to `to`. One that the replay
   *  did not make lies behind the last. */
  readonly effects: readonly Effect[];
  readonly from: number;
  readonly to: number;
  /** The first decision among or after those, or the one that led to the first of them. */
  readonly decision: DecisionRecord | undefined;
  /** What the record says later of the tasks concerned: what the live kernel had decided. */
  readonly later: readonly LaterInput[];
}

export interface LaterInput {
  readonly sequence: number;
  readonly timeMicros: number;
  readonly body: InputBody;
}

export interface ReplayCounts {
  readonly inputs: number;
  /** Inputs with marks: those that could be compared. */
  readonly marked: number;
  readonly effects: number;
  readonly decisions: number;
  /** Tasks whose end was delivered, as often as that was. */
  readonly ends: number;
  /** Outages and pauses that the kernel was told of. */
  readonly resumptions: number;
}

/** Inputs after the difference that are looked through, and told, at most. */
const lookAheadInputs = 100_000;
const laterMax = 6;

export class JournalReplay implements JournalReader {
  kernel: Kernel | undefined;
  fromSequence = 0;
  lastSequence = 0;
  firstMicros = 0;
  lastMicros = 0;
  /** The digest that the live kernel recorded last, `undefined` if it recorded none. */
  recordedDigest: string | undefined;
  difference: ReplayDifference | undefined;
  private readonly snapshotDigests: ReadonlyMap<number, string>;
  private readonly untilSequence: number;
  private readonly progress: (inputs: number) => void;
  private readonly later: LaterInput[] = [];
  private readonly tasks = new Set<number>();
  private inputs = 0;
  private marked = 0;
  private effectCount = 0;
  private decisions = 0;
  private ends = 0;
  private resumptions = 0;

  /**
   * @param snapshotDigests of the live kernel's snapshots, by the last input that they hold: compared as well.
   * @param progress is told of the number of inputs, now and then.
   * @param untilSequence no input after this one is taken.
   */
  constructor(
    snapshotDigests: ReadonlyMap<number, string>,
    progress: (inputs: number) => void = () => {},
    untilSequence = Number.POSITIVE_INFINITY,
  ) {
    this.snapshotDigests = snapshotDigests;
    this.progress = progress;
    this.untilSequence = untilSequence;
  }

  get counts(): ReplayCounts {
    const { inputs, marked, effectCount, decisions, ends, resumptions } = this;
    return { inputs, marked, effects: effectCount, decisions, ends, resumptions };
  }

  restored(kernel: Kernel): void {
    this.kernel = kernel;
    this.fromSequence = kernel.lastSequence;
    this.lastSequence = kernel.lastSequence;
    this.firstMicros = kernel.clockMicros;
    this.lastMicros = kernel.clockMicros;
  }

  input(input: Input, marks: EffectMarks | undefined): boolean {
    if (this.difference !== undefined) return this.lookAhead(input);
    const kernel = this.kernel as Kernel;
    const effects: Effect[] = [];
    kernel.handle(input, effects);
    this.count(input, effects);
    const snapshotDigest = this.snapshotDigests.get(input.sequence);
    const recorded = marks ?? (snapshotDigest === undefined ? undefined : { digest: snapshotDigest });
    if (marks !== undefined) this.marked++;
    if (recorded !== undefined) {
      this.recordedDigest = recorded.digest;
      if (recorded.digest !== kernel.digest)
        this.differs(input, effects, marks ?? unknownMarks(recorded.digest, effects));
      else if (snapshotDigest !== undefined && snapshotDigest !== recorded.digest)
        // The snapshot is that of another history than the record.
        this.differs(input, effects, unknownMarks(snapshotDigest, effects));
    }
    return input.sequence < this.untilSequence;
  }

  private count(input: Input, effects: readonly Effect[]): void {
    if (this.inputs === 0 && this.firstMicros === 0) this.firstMicros = input.timeMicros;
    this.inputs++;
    this.lastSequence = input.sequence;
    this.lastMicros = input.timeMicros;
    this.effectCount += effects.length;
    if (input.body.kind === 'resumed') this.resumptions++;
    for (const effect of effects) {
      if (effect.kind === 'decisionMade') this.decisions++;
      else if (effect.kind === 'deliver') this.ends++;
    }
    if (this.inputs % 10_000 === 0) this.progress(this.inputs);
  }

  private differs(input: Input, effects: readonly Effect[], recorded: EffectMarks): void {
    const replayed = markEffects(effects, (this.kernel as Kernel).digest);
    const { from, to } = firstDifference(recorded, replayed) ?? { from: 0, to: Math.max(0, effects.length - 1) };
    const concerned = effects.slice(from);
    const decision = decisionOf(effects, from);
    for (const effect of concerned.length === 0 ? effects : concerned) {
      if (effect.kind === 'decisionMade') this.tasks.add(effect.record.task);
      else if (effect.kind === 'dispatch' || effect.kind === 'stop') this.tasks.add(effect.task);
    }
    if (decision !== undefined) this.tasks.add(decision.task);
    const { sequence, timeMicros, body } = input;
    const { later } = this;
    this.difference = { sequence, timeMicros, body, recorded, replayed, effects, from, to, decision, later };
  }

  private lookAhead({ sequence, timeMicros, body }: Input): boolean {
    const { difference, later, tasks } = this;
    const isOfTask =
      body.kind === 'dispatchAccepted' || body.kind === 'taskFinished' || body.kind === 'taskProgressed'
        ? tasks.has(body.task)
        : false;
    if (isOfTask) later.push({ sequence, timeMicros, body });
    return later.length < laterMax && sequence - (difference as ReplayDifference).sequence < lookAheadInputs;
  }
}

/** Marks of which the digest alone is known. */
function unknownMarks(digest: string, effects: readonly Effect[]): EffectMarks {
  return { digest, effectCount: effects.length, fingerprints: [] };
}

function decisionOf(effects: readonly Effect[], from: number): DecisionRecord | undefined {
  for (const effect of effects.slice(from)) if (effect.kind === 'decisionMade') return effect.record;
  const first = effects[from];
  if (first === undefined || !('task' in first)) return undefined;
  for (const effect of effects)
    if (effect.kind === 'decisionMade' && effect.record.task === first.task) return effect.record;
  return undefined;
}
