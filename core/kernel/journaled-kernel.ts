// A kernel that forgets nothing: each input is appended to the journal, handled, and its effects are held until the disk has
// the input; then they leave in order, (sequence, index) being their identity. All inputs that come during a sync share the
// next one. After a crash the kernel is restored from its newest snapshot and the inputs after it; the effects that may not
// have left are handed out again, and receivers drop what they have seen. What is held is bounded: while the disk is too far
// behind, or full, no input is taken, and nothing moves. A `resumed` input ends each such pause, and each outage, so that
// nobody is blamed for a silence that the kernel did not hear. Sans-I/O; one crash is the end of one of these.

import { assert } from '../base/assert.ts';
import type { ErrorCode } from '../base/errors.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import { accepted, type Refused, refused, type Status } from '../base/status.ts';
import type { LogFault } from '../log/log.ts';
import type { FileCompletion } from '../ports/file-port.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { EffectMarks } from './effect-marks.ts';
import type { Effect } from './effects.ts';
import type { Input, InputBody } from './inputs.ts';
import {
  Journal,
  type JournalFileEffect,
  type JournalOwner,
  type JournalReport,
  type JournalSettings,
  type JournalStore,
} from './journal.ts';
import { Kernel, type KernelSnapshot } from './kernel.ts';

/** An input that is durable, and what it brought about: carry the effects out, in order. */
export interface ReleasedInput {
  readonly sequence: number;
  readonly timeMicros: number;
  readonly body: InputBody;
  readonly effects: readonly Effect[];
}

export type JournaledKernelEffect =
  | JournalFileEffect
  | { readonly kind: 'released'; readonly input: ReleasedInput }
  /** Inputs are taken from now on. Wake the kernel at `kernel.wakeMicros`, and close the instant if it awaits that. */
  | { readonly kind: 'ready' }
  /** Inputs are refused until the next `ready`. */
  | { readonly kind: 'paused'; readonly refusal: Refused }
  | { readonly kind: 'recovered'; readonly report: JournalReport }
  /** Nothing is taken any more, and what is held does not leave. A new one may find out what the disk has. */
  | { readonly kind: 'failed'; readonly fault: LogFault };

export interface JournaledKernelSink {
  push(effect: JournaledKernelEffect): unknown;
}

/** From the shell to a submitter: the submission was not taken, because the journal takes nothing now. Nobody has decided on
 *  it: it is sent again later, as if it had been lost. */
export interface SubmissionDeferred {
  readonly kind: 'submissionDeferred';
  readonly submitter: number;
  readonly submission: number;
  /** `SIRA_DISK_FULL`, or `SIRA_QUEUE_FULL` while the disk is too far behind. */
  readonly code: ErrorCode;
  readonly reason: string;
}

interface SnapshotBody {
  readonly profile: Profile;
  readonly kernel: KernelSnapshot;
}

/** The kernel that a snapshot of a journal holds, and its profile. */
export function restoreSnapshot(body: Uint8Array): { readonly profile: Profile; readonly kernel: Kernel } {
  const { profile, kernel } = JSON.parse(new TextDecoder().decode(body)) as SnapshotBody;
  return { profile, kernel: Kernel.restore(kernel, profile) };
}

export class JournaledKernel implements JournalOwner {
  private readonly settings: JournalSettings;
  private readonly journal: Journal;
  private readonly faults: FaultSwitch;
  private readonly first: () => { readonly kernel: Kernel; readonly profile: Profile };
  private current: Kernel | undefined;
  private profile: Profile | undefined;
  /** In order of sequence: handled, and not durable yet. While replaying: what may not have left before. */
  private held: ReleasedInput[] = [];
  private heldFrom = 0;
  private released = 0;
  private refusal: Refused | undefined = refused('SIRA_LOG_CLOSED', 'the journal is being opened');
  private pausedSinceMicros = 0;
  private isStalled = false;
  private isRecovered = false;
  private differing: number | undefined;
  private snapshotAtSequence = 0;
  private snapshotAtMicros = 0;
  /** Waits until everything that it holds has left. */
  private snapshot: { readonly sequence: number; readonly timeMicros: number; readonly body: Uint8Array } | undefined;
  private nowMicros = 0;

  /** `first`: makes the kernel of a journal that has none yet. */
  constructor(
    settings: JournalSettings,
    first: () => { readonly kernel: Kernel; readonly profile: Profile },
    faults: FaultSwitch = noFaults,
  ) {
    // One place is taken by the input that ends a pause.
    assert(settings.heldInputsMax >= 2 && settings.snapshotInputs >= 1, 'a journal holds at least two inputs');
    this.settings = settings;
    this.first = first;
    this.journal = new Journal(settings, this, faults);
    this.faults = faults;
  }

  /** The kernel with all inputs so far, those that are not durable yet included. Not before `recovered`. */
  get kernel(): Kernel {
    assert(this.current !== undefined, 'the kernel has not been recovered yet');
    return this.current;
  }

  /** Puts another kernel in the place of the present one, which it must equal. */
  set kernel(kernel: Kernel) {
    assert(kernel.digest === this.kernel.digest, 'a kernel is replaced by its equal');
    this.current = kernel;
  }

  /** Why inputs are refused now, `undefined` if they are taken. */
  get refusalNow(): Refused | undefined {
    return this.refusal;
  }

  get heldCount(): number {
    return this.held.length - this.heldFrom;
  }

  /** Everything up to this input has left. */
  get releasedSequence(): number {
    return this.released;
  }

  /** The first input whose effects the recovery did not make again as they were, `undefined` if it did: this kernel went on as
   *  another one. That is a defect; the journal's replay tells where. */
  get differingSequence(): number | undefined {
    return this.differing;
  }

  get snapshotFailures(): number {
    return this.journal.snapshotFailures;
  }

  /** Recovers what the folders hold, or begins anew; answered by `recovered` and `ready`, or `failed`. `sequenceMax`: begin
   *  with a snapshot that holds no later input. */
  open(nowMicros: number, effects: JournaledKernelSink, sequenceMax?: number): void {
    this.nowMicros = nowMicros;
    this.journal.open(nowMicros, effects, sequenceMax);
  }

  complete(store: JournalStore, completion: FileCompletion, nowMicros: number, effects: JournaledKernelSink): void {
    this.nowMicros = nowMicros;
    this.journal.complete(store, completion, nowMicros, effects);
  }

  /** Takes one input; its effects leave once it is durable. Refused, and then not handled, with SIRA_DISK_FULL, SIRA_QUEUE_FULL
   *  (the disk is too far behind) or SIRA_LOG_CLOSED. Call {@link flush} after the last input of an instant. */
  give(body: InputBody, nowMicros: number, effects: JournaledKernelSink): Status {
    if (this.refusal !== undefined) return this.refusal;
    const isTight = this.heldCount > 0 && (this.faults.fires('journal.oneHeld') || this.faults.fires('journal.pause'));
    if (isTight || this.heldCount >= this.settings.heldInputsMax) {
      return this.pause(refused('SIRA_QUEUE_FULL', `${this.heldCount} inputs wait for the disk`), nowMicros, effects);
    }
    const status = this.take(body, nowMicros);
    return status.ok ? status : this.pause(status, nowMicros, effects);
  }

  /** Begins to write what was given. */
  flush(effects: JournaledKernelSink): void {
    this.journal.flush(effects);
  }

  /** Takes a snapshot as soon as what it holds has left, unless one is being taken: before the end of a process, so that the
   *  next one has nothing to replay. */
  takeSnapshot(nowMicros: number, effects: JournaledKernelSink): void {
    if (!this.isRecovered || this.snapshot !== undefined || this.journal.isWritingSnapshot) return;
    const sequence = this.kernel.lastSequence;
    this.snapshotAtSequence = sequence;
    this.snapshotAtMicros = nowMicros;
    const body = this.snapshotBody();
    if (sequence > this.released) this.snapshot = { sequence, timeMicros: nowMicros, body };
    else this.journal.writeSnapshot(sequence, nowMicros, body, effects);
  }

  /** True while a snapshot waits for what it holds, or is being written. */
  get isTakingSnapshot(): boolean {
    return this.snapshot !== undefined || this.journal.isWritingSnapshot;
  }

  /** Time passes: call it about once a second. */
  maintain(nowMicros: number, effects: JournaledKernelSink): void {
    this.nowMicros = nowMicros;
    if (this.isRecovered) this.journal.maintain(nowMicros, effects);
  }

  begin(): Uint8Array {
    const { kernel, profile } = this.first();
    this.current = kernel;
    this.profile = profile;
    return this.snapshotBody();
  }

  restore(body: Uint8Array): void {
    const { profile, kernel } = restoreSnapshot(body);
    this.profile = profile;
    this.current = kernel;
    this.released = this.current.lastSequence;
  }

  replay({ sequence, timeMicros, body }: Input, releasedSequence: number, marks: EffectMarks | undefined): void {
    const effects: Effect[] = [];
    this.kernel.handle({ sequence, timeMicros, body }, effects);
    if (marks !== undefined && marks.digest !== this.kernel.digest) this.differing ??= sequence;
    this.held.push({ sequence, timeMicros, body, effects });
    this.released = Math.max(this.released, releasedSequence);
    while (this.heldFrom < this.held.length && this.oldest.sequence <= this.released) this.heldFrom++;
    this.compactHeld();
  }

  opened(report: JournalReport, effects: JournaledKernelSink): void {
    assert(this.kernel.lastSequence === report.lastSequence, 'every input is replayed');
    this.isRecovered = true;
    this.snapshotAtSequence = report.snapshotSequence;
    this.snapshotAtMicros = this.nowMicros;
    this.pausedSinceMicros = report.lastSequence === 0 ? this.nowMicros : this.kernel.clockMicros;
    effects.push({ kind: 'recovered', report });
    this.release(report.lastSequence, effects);
    this.resume(effects);
  }

  durable(sequence: number, effects: JournaledKernelSink): void {
    this.release(sequence, effects);
    const { snapshot } = this;
    if (snapshot !== undefined && snapshot.sequence <= this.released && !this.journal.isWritingSnapshot) {
      this.snapshot = undefined;
      this.journal.writeSnapshot(snapshot.sequence, snapshot.timeMicros, snapshot.body, effects);
    }
    if (this.isRecovered && !this.isStalled && this.heldCount <= this.settings.heldInputsMax / 2) this.resume(effects);
  }

  stalled(reason: string | undefined, effects: JournaledKernelSink): void {
    this.isStalled = reason !== undefined;
    if (reason !== undefined) this.pause(refused('SIRA_DISK_FULL', reason), this.nowMicros, effects);
    // What waits tells whether there is room: only with nothing to wait for it is tried at once.
    else if (this.heldCount === 0) this.resume(effects);
  }

  failed(fault: LogFault, effects: JournaledKernelSink): void {
    this.refusal = refused('SIRA_LOG_CLOSED', fault.reason);
    this.isRecovered = false;
    effects.push({ kind: 'failed', fault });
  }

  private get oldest(): ReleasedInput {
    return this.held[this.heldFrom] as ReleasedInput;
  }

  private take(body: InputBody, nowMicros: number): Status {
    const { kernel } = this;
    const timeMicros = Math.max(nowMicros, kernel.clockMicros);
    const input = { sequence: kernel.lastSequence + 1, timeMicros, body };
    const prepared = this.journal.prepare(input, this.released);
    if (!prepared.ok) return prepared;
    const effects: Effect[] = [];
    kernel.handle(input, effects);
    // Nothing leaves before the input is on the disk, so that its marks can go there with it.
    this.journal.append(input, effects, this.settings.marksEffects ? kernel.digestWords : undefined);
    this.held.push({ ...input, effects });
    this.takeSnapshotIfDue(timeMicros);
    return accepted;
  }

  private release(sequence: number, effects: JournaledKernelSink): void {
    while (this.heldFrom < this.held.length && this.oldest.sequence <= sequence) {
      const input = this.oldest;
      this.heldFrom++;
      this.released = input.sequence;
      effects.push({ kind: 'released', input });
    }
    this.compactHeld();
  }

  /** Memory follows what is held. */
  private compactHeld(): void {
    if (this.heldFrom < 1024 && this.heldFrom < this.held.length) return;
    this.held.splice(0, this.heldFrom);
    this.heldFrom = 0;
  }

  private pause(refusal: Refused, nowMicros: number, effects: JournaledKernelSink): Refused {
    if (this.refusal === undefined) {
      this.pausedSinceMicros = nowMicros;
      effects.push({ kind: 'paused', refusal });
    }
    this.refusal = refusal;
    return refusal;
  }

  private resume(effects: JournaledKernelSink): void {
    if (this.refusal === undefined) return;
    this.refusal = undefined;
    const pausedMicros = Math.max(0, this.nowMicros - this.pausedSinceMicros);
    if (pausedMicros > 0) {
      const status = this.take({ kind: 'resumed', pausedMicros }, this.nowMicros);
      if (!status.ok) {
        this.refusal = status;
        return;
      }
      this.flush(effects);
    }
    effects.push({ kind: 'ready' });
  }

  private takeSnapshotIfDue(timeMicros: number): void {
    const { snapshotInputs, snapshotMicros } = this.settings;
    const sequence = this.kernel.lastSequence;
    const isDue =
      sequence - this.snapshotAtSequence >= snapshotInputs || timeMicros - this.snapshotAtMicros >= snapshotMicros;
    if (this.snapshot !== undefined || this.journal.isWritingSnapshot) return;
    if (isDue ? this.faults.fires('journal.snapshotLate') : !this.faults.fires('journal.snapshotNow')) return;
    this.snapshotAtSequence = sequence;
    this.snapshotAtMicros = timeMicros;
    this.snapshot = { sequence, timeMicros, body: this.snapshotBody() };
  }

  private snapshotBody(): Uint8Array {
    const body: SnapshotBody = { profile: this.profile as Profile, kernel: this.kernel.save() };
    return new TextEncoder().encode(JSON.stringify(body));
  }
}
