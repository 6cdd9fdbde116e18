// The rollout state machine: one candidate at a time goes from proposal over the simulation gate, the replay gate and the shadow
// to the canary, and is promoted, rejected or rolled back; a person can approve, pause, resume, reject or roll back at any
// stage. Promises: whatever is breached, unclear or interrupted, the last good policy serves from that very input on, be it
// after a promotion; a candidate serves alone only if every witness that must has spoken for it, or a person has. It is told
// of tasks and commands, and says which policy serves; what a policy is, and how it decides, is the host's business. All of it
// is state of the kernel: journaled by the inputs that move it, and carried by snapshots.

import { RandomStream } from '../base/random.ts';
import { Canary, tellLook, type WatchedTask } from './canary.ts';
import type { WatchLook } from './drift-watch.ts';
import { PolicyWatches, type TaskEnding } from './policy-watches.ts';
import {
  byItself,
  byWatch,
  copyOf,
  hasServed,
  nameProblem,
  newRollout,
  nextStage,
  noteBaseline,
  type PolicyVersion,
  type Rollout,
  type RolloutCommand,
  type RolloutEvent,
  type RolloutHost,
  type RolloutsState,
  type Speaker,
  shadowOf,
  testify,
} from './rollout.ts';
import { breachOf, type Guarded } from './rollout-guards.ts';
import { checkPlan, endStages, type RolloutStage, stageAfter } from './rollout-plan.ts';
import { RolloutRecords } from './rollout-records.ts';
import { TrustedPolicies } from './trusted-policies.ts';

export class Rollouts<Policy> {
  private readonly host: RolloutHost<Policy>;
  private readonly random: RandomStream;
  private versionCount = 1;
  private rolloutCount = 0;
  private readonly trusted: TrustedPolicies<Policy>;
  private readonly records = new RolloutRecords<Policy>();
  private readonly watches = new PolicyWatches();
  private canary: Canary | undefined;
  private lookAtMicros = Number.POSITIVE_INFINITY;

  /** `first` serves until something else is promoted. */
  constructor(first: { readonly name: string; readonly policy: Policy }, seed: number, host: RolloutHost<Policy>) {
    this.host = host;
    this.random = new RandomStream(seed, 'rollouts');
    const version = { version: 1, name: first.name, policy: first.policy, artifact: '' };
    this.trusted = new TrustedPolicies(version, (serves) => host.serve(serves));
  }

  /** The policy that decides now. */
  get serves(): PolicyVersion<Policy> {
    return this.trusted.serves;
  }

  /** Policies that were trusted with everything, the one that is now last. */
  get good(): readonly PolicyVersion<Policy>[] {
    return this.trusted.all;
  }

  /** Oldest first, as the events are; only this class changes them. */
  get rollouts(): readonly Rollout<Policy>[] {
    return this.records.rollouts;
  }

  get events(): readonly RolloutEvent[] {
    return this.records.events;
  }

  /** The one that is not at its end. */
  get active(): Rollout<Policy> | undefined {
    return this.records.active;
  }

  /** What is seen of the policy that was promoted last; undefined if nobody looks. */
  get watch(): WatchLook | undefined {
    return this.watches.look();
  }

  /** Whom guards look at: the candidate whose canary goes on, else what serves alone after a promotion. */
  get guarded(): Guarded | undefined {
    return this.tried && this.canary ? { plan: this.tried.plan, recent: this.canary.recent } : this.watches.guarded;
  }

  /** True if nobody ever proposed anything: then there is nothing to save. */
  get isUntouched(): boolean {
    return this.rolloutCount === 0;
  }

  get nextDeadlineMicros(): number {
    return this.lookAtMicros;
  }

  /** Does what is asked; returns why not, or nothing. */
  command(command: RolloutCommand<Policy>, speaker: Speaker, nowMicros: number): string {
    switch (command.command) {
      case 'propose':
        return this.propose(command, speaker, nowMicros);
      case 'rollback':
        if (command.rollout === undefined) return this.rollbackServing(speaker, nowMicros);
        break;
    }
    const rollout = this.records.find(command.rollout);
    if (rollout === undefined) return `there is no rollout ${command.rollout}`;
    if (command.command === 'rollback' && rollout.stage === 'promoted') {
      if (rollout.candidate.version !== this.trusted.last.version) return 'another policy has taken its place since';
      return this.rollbackServing(speaker, nowMicros);
    }
    if (endStages.includes(rollout.stage)) return `rollout ${rollout.rollout} is over: ${rollout.stage}`;
    switch (command.command) {
      case 'witness':
        testify(rollout, { ...command, atMicros: nowMicros, who: speaker.who });
        this.goOn(rollout, speaker, nowMicros);
        return '';
      case 'approve':
        return this.approve(rollout, speaker, nowMicros);
      case 'pause':
        if (rollout.paused !== '') return 'it stands still already';
        return this.pause(rollout, speaker.why || `paused by ${speaker.who}`, speaker, nowMicros);
      case 'resume':
        if (rollout.paused === '') return 'it does not stand still';
        rollout.paused = '';
        this.tell(rollout, rollout.stage, speaker, nowMicros);
        if (rollout.stage === 'shadow') this.host.shadow(rollout.candidate);
        this.lookAgain(nowMicros);
        this.goOn(rollout, speaker, nowMicros);
        return '';
      case 'reject':
      case 'rollback':
        return this.giveUp(rollout, speaker, nowMicros);
    }
  }

  /** A task comes, before it is queued: the canary may change who serves. */
  submitted(task: WatchedTask, nowMicros: number): void {
    const breach = this.watches.wantsArrivals ? this.watches.arrivedTask(this.host.inputsOf(task)) : '';
    const rollout = this.tried;
    if (rollout === undefined) this.heed(breach, nowMicros);
    else this.takeTurns(rollout, task, nowMicros);
  }

  /** A task ended. */
  ended(task: WatchedTask, ending: TaskEnding, nowMicros: number): void {
    const { active } = this;
    if (active?.stage === 'shadow') noteBaseline(active, task, nowMicros);
    const slowdown = this.canary?.endedTask(task.task, ending.completed, nowMicros);
    if (slowdown !== undefined) this.watches.triedTask(slowdown, task, ending);
    if (this.tried !== undefined) this.judge(this.tried, nowMicros);
    else this.heed(this.watches.endedTask(task, ending, this.host, nowMicros), nowMicros);
  }

  /** The shadow has decided beside the policy that serves. */
  shadowDecided(agrees: boolean, nowMicros: number): void {
    const rollout = this.active;
    if (rollout?.stage !== 'shadow' || rollout.paused !== '') return;
    rollout.shadowDecisions++;
    if (agrees) rollout.shadowAgreements++;
    // Who serves does not change in the midst of a decision.
    if (rollout.shadowDecisions >= rollout.plan.shadowDecisions) this.lookAtMicros = nowMicros + 1;
  }

  /** Time has come to {@link nextDeadlineMicros}. */
  fire(nowMicros: number): void {
    const { active, tried } = this;
    this.lookAgain(nowMicros);
    if (tried !== undefined) this.judge(tried, nowMicros);
    else if (active !== undefined) this.goOn(active, byItself, nowMicros);
    if (this.tried === undefined) this.heed(this.watches.breach(this.host, nowMicros), nowMicros);
  }

  /** The kernel was down, or stood still, perhaps by the candidate: the last good policy serves, and a person decides. */
  interrupted(pausedMicros: number, nowMicros: number): void {
    this.watches.skip(nowMicros);
    const rollout = this.active;
    if (rollout?.paused !== '' || (rollout.stage !== 'canary' && rollout.stage !== 'shadow')) return;
    this.pause(rollout, `the kernel stood still for ${pausedMicros} µs`, byItself, nowMicros);
  }

  save(): RolloutsState<Policy> {
    return {
      versionCount: this.versionCount,
      rolloutCount: this.rolloutCount,
      good: [...this.good],
      servesVersion: this.serves.version,
      rollouts: this.rollouts.map(copyOf),
      events: [...this.events],
      canary: this.canary?.save(),
      watches: this.watches.save(),
      lookAtMicros: this.lookAtMicros === Number.POSITIVE_INFINITY ? null : this.lookAtMicros,
      random: this.random.save(),
    };
  }

  /** For one that knows nothing yet. The host is told of nothing: it asks {@link serves} and {@link shadows}. */
  restore(state: RolloutsState<Policy>): void {
    this.versionCount = state.versionCount;
    this.rolloutCount = state.rolloutCount;
    this.records.restore(state.rollouts.map(copyOf), state.events);
    if (state.watches !== undefined) this.watches.restore(state.watches);
    this.lookAtMicros = state.lookAtMicros ?? Number.POSITIVE_INFINITY;
    this.random.restore(state.random);
    const { active } = this;
    this.trusted.restore(state.good, state.servesVersion, active?.candidate);
    if (state.canary === undefined || active === undefined) return;
    this.canary = new Canary(active);
    this.canary.restore(state.canary);
  }

  /** Who decides beside the policy that serves. */
  get shadows(): PolicyVersion<Policy> | undefined {
    return shadowOf(this.active);
  }

  /** The one whose canary goes on. */
  private get tried(): Rollout<Policy> | undefined {
    const { active } = this;
    return active?.stage === 'canary' && active.paused === '' ? active : undefined;
  }

  private propose(
    { name, policy, artifact, plan }: Extract<RolloutCommand<Policy>, { command: 'propose' }>,
    speaker: Speaker,
    nowMicros: number,
  ): string {
    const { active } = this;
    if (active !== undefined) return `rollout ${active.rollout} of ${active.candidate.name} is not over`;
    const status = checkPlan(plan);
    if (!status.ok) return status.reason;
    const objection = nameProblem(name) || this.host.objection(policy);
    if (objection !== '') return objection;
    const candidate = { version: ++this.versionCount, name, policy, artifact };
    const rollout = newRollout(++this.rolloutCount, candidate, this.trusted.last.version, plan);
    this.records.add(rollout, this.good);
    this.tell(rollout, 'proposed', speaker, nowMicros);
    return '';
  }

  /** Moves a rollout as far as the witnesses carry it. */
  private goOn(rollout: Rollout<Policy>, speaker: Speaker, nowMicros: number): void {
    if (rollout.paused !== '' || rollout.awaitsApproval !== undefined) return;
    const stage = nextStage(rollout);
    if (stage === 'rejected')
      this.end(rollout, stage, { who: speaker.who, why: `${rollout.stage} gate: fail` }, nowMicros);
    else if (stage === 'promoted') this.enter(rollout, stage, { ...byItself, why: 'all witnesses agree' }, nowMicros);
    else if (stage !== undefined) this.enter(rollout, stage, stage === 'canary' ? byItself : speaker, nowMicros);
  }

  private enter(rollout: Rollout<Policy>, stage: RolloutStage, speaker: Speaker, nowMicros: number): void {
    if (rollout.plan.approvals.includes(stage)) {
      rollout.awaitsApproval = stage;
      this.serveAlone();
    } else this.begin(rollout, stage, speaker, nowMicros);
  }

  private begin(rollout: Rollout<Policy>, stage: RolloutStage, speaker: Speaker, nowMicros: number): void {
    const from = rollout.stage;
    rollout.stage = stage;
    rollout.awaitsApproval = undefined;
    if (stage === 'shadow' || stage === 'canary') this.watches.beginTrial();
    if (stage === 'canary') this.canary = new Canary(rollout);
    if (stage === 'promoted') this.promote(rollout, nowMicros);
    else {
      this.host.shadow(stage === 'shadow' ? rollout.candidate : undefined);
      this.trusted.serveLast();
    }
    this.tell(rollout, from, speaker, nowMicros);
    this.lookAgain(nowMicros);
    this.goOn(rollout, speaker, nowMicros);
  }

  /** Looks at everything that can end a canary. */
  private judge(rollout: Rollout<Policy>, nowMicros: number): void {
    const canary = this.canary as Canary;
    canary.settle(nowMicros);
    const look = canary.look(nowMicros);
    rollout.canary = look;
    const worse = look.verdict === 'worse' ? `worse: ${tellLook(look)}` : '';
    const breach = breachOf(rollout, canary.recent, this.host, nowMicros) || worse;
    const said = { witness: 'canary', atMicros: nowMicros, who: byItself.who } as const;
    if (breach !== '') {
      testify(rollout, { ...said, verdict: 'fail', evidence: breach });
      this.end(rollout, 'rolledBack', { ...byItself, why: breach }, nowMicros);
    } else if (look.verdict === 'better' || (canary.isExhausted && canary.isSettled)) {
      const verdict = look.verdict === 'better' ? 'pass' : 'cannotTell';
      const evidence = tellLook(look);
      testify(rollout, { ...said, verdict, evidence });
      this.canary = undefined;
      this.begin(rollout, 'held', { ...byItself, why: `canary: ${verdict}, ${evidence}` }, nowMicros);
    }
  }

  /** Incumbent and candidate serve in turns, and this task may begin one. */
  private takeTurns(rollout: Rollout<Policy>, task: WatchedTask, nowMicros: number): void {
    this.watches.skip(nowMicros);
    const canary = this.canary as Canary;
    if (canary.isExhausted) return;
    const arm = canary.submittedTask(task, nowMicros, () => this.random.nextUint32() % 2 === 0);
    this.trusted.serve(arm === 'candidate' ? rollout.candidate : this.trusted.last);
    if (canary.isExhausted) {
      canary.close(nowMicros);
      this.trusted.serveLast();
    }
    rollout.canary = canary.look(nowMicros);
  }

  private promote({ candidate, plan }: Rollout<Policy>, nowMicros: number): void {
    this.trusted.trust(candidate);
    this.watches.promoted(candidate.version, plan, this.host.trainedOn(candidate.policy));
    this.finish(nowMicros);
  }

  /** What serves alone is not what it was promoted for. */
  private heed(breach: string, nowMicros: number): void {
    if (breach === '') return;
    const { active } = this;
    const rollout = this.records.ofVersion(this.trusted.last.version) as Rollout<Policy>;
    testify(rollout, { witness: 'watch', verdict: 'fail', evidence: breach, atMicros: nowMicros, who: byWatch.who });
    rollout.watch = this.watches.look();
    const speaker = { ...byWatch, why: breach };
    if (rollout.plan.drift?.response === 'alarm') {
      this.watches.stop();
      this.tell(rollout, 'promoted', speaker, nowMicros);
      return;
    }
    // Whoever was to replace it was held against it.
    if (active !== undefined) {
      const why = `version ${rollout.candidate.version}, which it was to replace, is rolled back`;
      this.giveUp(active, { ...byWatch, why }, nowMicros);
    }
    this.rollbackServing(speaker, nowMicros);
  }

  private approve(rollout: Rollout<Policy>, speaker: Speaker, nowMicros: number): string {
    if (rollout.paused !== '') return 'it stands still: resume it first';
    const stage = rollout.awaitsApproval ?? (stageAfter[rollout.stage] as RolloutStage);
    this.canary = undefined;
    this.begin(rollout, stage, speaker, nowMicros);
    return '';
  }

  private pause(rollout: Rollout<Policy>, why: string, speaker: Speaker, nowMicros: number): string {
    rollout.paused = why;
    this.canary?.close(nowMicros);
    this.serveAlone();
    this.tell(rollout, rollout.stage, { who: speaker.who, why }, nowMicros);
    return '';
  }

  private giveUp(rollout: Rollout<Policy>, speaker: Speaker, nowMicros: number): string {
    return this.end(rollout, hasServed(rollout) ? 'rolledBack' : 'rejected', speaker, nowMicros);
  }

  private end(rollout: Rollout<Policy>, stage: 'rejected' | 'rolledBack', speaker: Speaker, nowMicros: number): string {
    const from = rollout.stage;
    if (this.canary !== undefined) rollout.canary = this.canary.look(nowMicros);
    rollout.stage = stage;
    rollout.paused = '';
    rollout.awaitsApproval = undefined;
    this.finish(nowMicros);
    this.tell(rollout, from, speaker, nowMicros);
    return '';
  }

  private rollbackServing(speaker: Speaker, nowMicros: number): string {
    const { active } = this;
    if (active !== undefined) return this.giveUp(active, speaker, nowMicros);
    const removed = this.trusted.giveUp();
    if (removed === undefined) return 'no policy served before this one';
    const rollout = this.records.ofVersion(removed.version) as Rollout<Policy>;
    rollout.stage = 'rolledBack';
    this.finish(nowMicros);
    this.tell(rollout, 'promoted', speaker, nowMicros);
    return '';
  }

  /** No candidate is on trial: the last good policy serves alone. */
  private finish(nowMicros: number): void {
    this.canary = undefined;
    this.serveAlone();
    this.watches.serve(this.good, nowMicros);
    this.lookAgain(nowMicros);
  }

  private serveAlone(): void {
    this.host.shadow(undefined);
    this.trusted.serveLast();
  }

  private lookAgain(nowMicros: number): void {
    this.lookAtMicros = nowMicros + (this.tried?.plan.lookMicros ?? this.watches.lookMicros);
  }

  private tell(rollout: Rollout<Policy>, from: RolloutEvent['from'], speaker: Speaker, nowMicros: number): void {
    this.host.changed(this.records.note(rollout, from, speaker, this.serves.version, nowMicros));
  }
}
