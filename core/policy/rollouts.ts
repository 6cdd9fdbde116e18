// The rollout state machine: one candidate at a time goes from proposal over the simulation gate, the replay gate and the shadow
// to the canary, and is promoted, rejected or rolled back; a person can approve, pause, resume, reject or roll back at any
// stage. Promises: whatever is breached, unclear or interrupted, the last good policy serves from that very input on; a
// candidate serves alone only if every witness that must has spoken for it, or a person has. It is told of tasks and commands,
// and says which policy serves; what a policy is, and how it decides, is the host's business. All of it is state of the kernel:
// journaled by the inputs that move it, and carried by snapshots.

import { assert } from '../base/assert.ts';
import { RandomStream } from '../base/random.ts';
import { Canary, tellLook, type WatchedTask } from './canary.ts';
import {
  agreesOn,
  copyOf,
  hasServed,
  newRollout,
  type PolicyVersion,
  type Rollout,
  type RolloutCommand,
  type RolloutEvent,
  type RolloutHost,
  type RolloutsState,
  saidBy,
  testify,
} from './rollout.ts';
import { breachOf, guardWindowMax } from './rollout-guards.ts';
import { checkPlan, endStages, type RolloutStage, stageAfter } from './rollout-plan.ts';

const rolloutsKept = 64;
const eventsKept = 1024;
const goodKept = 32;

interface Speaker {
  readonly who: string;
  readonly why: string;
}

export class Rollouts<Policy> {
  private readonly host: RolloutHost<Policy>;
  private readonly random: RandomStream;
  private versionCount = 1;
  private rolloutCount = 0;
  /** Policies that were trusted with everything, the one that is now last. */
  readonly good: PolicyVersion<Policy>[];
  private serving: PolicyVersion<Policy>;
  /** Oldest first, as the events are; only this class changes them. */
  readonly rollouts: Rollout<Policy>[] = [];
  readonly events: RolloutEvent[] = [];
  private canary: Canary | undefined;
  private lookAtMicros = Number.POSITIVE_INFINITY;

  /** `first` serves until something else is promoted. */
  constructor(first: { readonly name: string; readonly policy: Policy }, seed: number, host: RolloutHost<Policy>) {
    this.host = host;
    this.random = new RandomStream(seed, 'rollouts');
    this.serving = { version: 1, name: first.name, policy: first.policy, artifact: '' };
    this.good = [this.serving];
  }

  /** The policy that decides now. */
  get serves(): PolicyVersion<Policy> {
    return this.serving;
  }

  /** The one that is not at its end. */
  get active(): Rollout<Policy> | undefined {
    const last = this.rollouts.at(-1);
    return last === undefined || endStages.includes(last.stage) ? undefined : last;
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
    const rollout = this.rollouts.find((each) => each.rollout === command.rollout);
    if (rollout === undefined) return `there is no rollout ${command.rollout}`;
    if (command.command === 'rollback' && rollout.stage === 'promoted') {
      if (rollout.candidate.version !== this.good.at(-1)?.version) return 'another policy has taken its place since';
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
        this.lookAgain(rollout, nowMicros);
        this.goOn(rollout, speaker, nowMicros);
        return '';
      case 'reject':
      case 'rollback':
        return this.end(rollout, hasServed(rollout) ? 'rolledBack' : 'rejected', speaker, nowMicros);
    }
  }

  /** A task comes, before it is queued: the canary may change who serves. */
  submitted(task: WatchedTask, nowMicros: number): void {
    const rollout = this.active;
    if (rollout?.stage !== 'canary' || rollout.paused !== '') return;
    const canary = this.canary as Canary;
    if (canary.isExhausted) return;
    const arm = canary.submittedTask(task, nowMicros, () => this.random.nextUint32() % 2 === 0);
    this.serve(arm === 'candidate' ? rollout.candidate : this.lastGood);
    if (canary.isExhausted) {
      canary.close(nowMicros);
      this.serve(this.lastGood);
    }
    rollout.canary = canary.look(nowMicros);
  }

  /** A task ended. */
  ended(task: WatchedTask, completed: boolean, nowMicros: number): void {
    const rollout = this.active;
    if (rollout === undefined) return;
    if (rollout.stage === 'shadow') {
      const floor = rollout.plan.canary.slowdownFloorMicros;
      rollout.baseline.ended++;
      rollout.baseline.slowdowns += (nowMicros - task.submittedMicros) / Math.max(task.estimateMicros, floor);
    }
    if (this.canary === undefined) return;
    this.canary.endedTask(task.task, completed, nowMicros);
    if (rollout.stage === 'canary' && rollout.paused === '') this.judge(rollout, nowMicros);
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
    const rollout = this.active;
    if (rollout === undefined) {
      this.lookAtMicros = Number.POSITIVE_INFINITY;
      return;
    }
    this.lookAgain(rollout, nowMicros);
    if (rollout.stage === 'canary') this.judge(rollout, nowMicros);
    else this.goOn(rollout, rollouts, nowMicros);
  }

  /** The kernel was down, or stood still: nobody knows what the candidate has to do with it. The last good policy serves, and
   *  the rollout waits for a person. */
  interrupted(pausedMicros: number, nowMicros: number): void {
    const rollout = this.active;
    if (rollout === undefined || rollout.paused !== '') return;
    if (rollout.stage !== 'canary' && rollout.stage !== 'shadow') return;
    this.pause(rollout, `the kernel stood still for ${pausedMicros} µs`, rollouts, nowMicros);
  }

  save(): RolloutsState<Policy> {
    return {
      versionCount: this.versionCount,
      rolloutCount: this.rolloutCount,
      good: [...this.good],
      servesVersion: this.serving.version,
      rollouts: this.rollouts.map(copyOf),
      events: [...this.events],
      canary: this.canary?.save(),
      lookAtMicros: this.lookAtMicros === Number.POSITIVE_INFINITY ? null : this.lookAtMicros,
      random: this.random.save(),
    };
  }

  /** For one that knows nothing yet. The host is told of nothing: it asks {@link serves} and {@link shadows}. */
  restore(state: RolloutsState<Policy>): void {
    this.versionCount = state.versionCount;
    this.rolloutCount = state.rolloutCount;
    this.good.splice(0, 1, ...state.good);
    this.rollouts.push(...state.rollouts.map(copyOf));
    this.events.push(...state.events);
    this.lookAtMicros = state.lookAtMicros ?? Number.POSITIVE_INFINITY;
    this.random.restore(state.random);
    const { active } = this;
    const serving = [...this.good, ...(active === undefined ? [] : [active.candidate])].find(
      ({ version }) => version === state.servesVersion,
    );
    assert(serving !== undefined, 'a snapshot knows the policy that serves');
    this.serving = serving;
    if (state.canary === undefined || active === undefined) return;
    this.canary = this.canaryOf(active);
    this.canary.restore(state.canary);
  }

  /** Who decides beside the policy that serves. */
  get shadows(): PolicyVersion<Policy> | undefined {
    const { active } = this;
    return active?.stage === 'shadow' && active.paused === '' && active.awaitsApproval === undefined
      ? active.candidate
      : undefined;
  }

  private get lastGood(): PolicyVersion<Policy> {
    return this.good.at(-1) as PolicyVersion<Policy>;
  }

  private propose(
    { name, policy, artifact, plan }: Extract<RolloutCommand<Policy>, { command: 'propose' }>,
    speaker: Speaker,
    nowMicros: number,
  ): string {
    const { active } = this;
    if (active !== undefined) return `rollout ${active.rollout} of ${active.candidate.name} is not over`;
    if (name.length === 0 || name.length > 200) return 'a policy has a name of 1 to 200 characters';
    const status = checkPlan(plan);
    if (!status.ok) return status.reason;
    const objection = this.host.objection(policy);
    if (objection !== '') return objection;
    const candidate = { version: ++this.versionCount, name, policy, artifact };
    const rollout = newRollout(++this.rolloutCount, candidate, this.lastGood.version, plan);
    if (this.rollouts.push(rollout) > rolloutsKept) this.rollouts.shift();
    this.tell(rollout, 'proposed', speaker, nowMicros);
    return '';
  }

  /** Moves a rollout as far as the witnesses carry it. */
  private goOn(rollout: Rollout<Policy>, speaker: Speaker, nowMicros: number): void {
    if (rollout.paused !== '' || rollout.awaitsApproval !== undefined) return;
    const { stage } = rollout;
    if (stage === 'simulation' || stage === 'replay') {
      const verdict = saidBy(rollout, stage);
      if (verdict === 'fail')
        this.end(rollout, 'rejected', { who: speaker.who, why: `${stage} gate: fail` }, nowMicros);
      else if (verdict === 'pass')
        this.enter(rollout, stage === 'simulation' ? 'replay' : 'shadow', speaker, nowMicros);
    } else if (stage === 'shadow' && rollout.shadowDecisions >= rollout.plan.shadowDecisions)
      this.enter(rollout, 'canary', rollouts, nowMicros);
    else if (stage === 'held') this.weigh(rollout, nowMicros);
  }

  private enter(rollout: Rollout<Policy>, stage: RolloutStage, speaker: Speaker, nowMicros: number): void {
    if (rollout.plan.approvals.includes(stage)) {
      rollout.awaitsApproval = stage;
      this.host.shadow(undefined);
      this.serve(this.lastGood);
      return;
    }
    this.begin(rollout, stage, speaker, nowMicros);
  }

  private begin(rollout: Rollout<Policy>, stage: RolloutStage, speaker: Speaker, nowMicros: number): void {
    const from = rollout.stage;
    rollout.stage = stage;
    rollout.awaitsApproval = undefined;
    if (stage === 'canary') this.canary = this.canaryOf(rollout);
    if (stage === 'promoted') this.promote(rollout);
    else {
      this.host.shadow(stage === 'shadow' ? rollout.candidate : undefined);
      this.serve(this.lastGood);
    }
    this.tell(rollout, from, speaker, nowMicros);
    this.lookAgain(rollout, nowMicros);
    this.goOn(rollout, speaker, nowMicros);
  }

  private canaryOf({ plan, baseline }: Rollout<Policy>): Canary {
    return new Canary(plan.canary, baseline, guardWindowMax(plan.guards));
  }

  /** Looks at everything that can end a canary. */
  private judge(rollout: Rollout<Policy>, nowMicros: number): void {
    const canary = this.canary as Canary;
    canary.settle(nowMicros);
    const look = canary.look(nowMicros);
    rollout.canary = look;
    const breach = breachOf(rollout, canary, this.host, nowMicros);
    if (breach !== '') this.fail(rollout, breach, nowMicros);
    else if (look.verdict === 'worse') this.fail(rollout, `worse: ${tellLook(look)}`, nowMicros);
    else if (look.verdict === 'better' || (canary.isExhausted && canary.isSettled)) {
      const verdict = look.verdict === 'better' ? 'pass' : 'cannotTell';
      const evidence = tellLook(look);
      testify(rollout, { witness: 'canary', verdict, evidence, atMicros: nowMicros, who: rollouts.who });
      this.canary = undefined;
      this.begin(rollout, 'held', { who: rollouts.who, why: `canary: ${verdict}, ${evidence}` }, nowMicros);
    }
  }

  private fail(rollout: Rollout<Policy>, evidence: string, nowMicros: number): void {
    testify(rollout, { witness: 'canary', verdict: 'fail', evidence, atMicros: nowMicros, who: rollouts.who });
    this.end(rollout, 'rolledBack', { who: rollouts.who, why: evidence }, nowMicros);
  }

  /** The canary is over: all witnesses must agree, or a person decides. */
  private weigh(rollout: Rollout<Policy>, nowMicros: number): void {
    if (!agreesOn(rollout)) return;
    this.enter(rollout, 'promoted', { who: rollouts.who, why: 'all witnesses agree' }, nowMicros);
  }

  private promote(rollout: Rollout<Policy>): void {
    if (this.good.push(rollout.candidate) > goodKept) this.good.shift();
    this.finish();
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
    this.host.shadow(undefined);
    this.serve(this.lastGood);
    this.tell(rollout, rollout.stage, { who: speaker.who, why }, nowMicros);
    return '';
  }

  private end(rollout: Rollout<Policy>, stage: 'rejected' | 'rolledBack', speaker: Speaker, nowMicros: number): string {
    const from = rollout.stage;
    if (this.canary !== undefined) rollout.canary = this.canary.look(nowMicros);
    rollout.stage = stage;
    rollout.paused = '';
    rollout.awaitsApproval = undefined;
    this.finish();
    this.tell(rollout, from, speaker, nowMicros);
    return '';
  }

  private rollbackServing(speaker: Speaker, nowMicros: number): string {
    const { active } = this;
    if (active !== undefined) {
      return this.end(active, hasServed(active) ? 'rolledBack' : 'rejected', speaker, nowMicros);
    }
    if (this.good.length < 2) return 'no policy served before this one';
    const removed = this.good.pop() as PolicyVersion<Policy>;
    const rollout = this.rollouts.find(({ candidate }) => candidate.version === removed.version);
    this.finish();
    if (rollout !== undefined) {
      rollout.stage = 'rolledBack';
      this.tell(rollout, 'promoted', speaker, nowMicros);
    }
    return '';
  }

  private finish(): void {
    this.canary = undefined;
    this.lookAtMicros = Number.POSITIVE_INFINITY;
    this.host.shadow(undefined);
    this.serve(this.lastGood);
  }

  private serve(version: PolicyVersion<Policy>): void {
    if (version.version === this.serving.version) return;
    this.serving = version;
    this.host.serve(version);
  }

  private lookAgain(rollout: Rollout<Policy>, nowMicros: number): void {
    const watches = rollout.stage === 'canary' && rollout.paused === '';
    this.lookAtMicros = watches ? nowMicros + rollout.plan.lookMicros : Number.POSITIVE_INFINITY;
  }

  private tell(rollout: Rollout<Policy>, from: RolloutEvent['from'], speaker: Speaker, nowMicros: number): void {
    const event: RolloutEvent = {
      rollout: rollout.rollout,
      from,
      to: rollout.stage,
      who: speaker.who,
      why: speaker.why,
      atMicros: nowMicros,
      servesVersion: this.serving.version,
    };
    if (this.events.push(event) > eventsKept) this.events.shift();
    this.host.changed(event);
  }
}

/** Who speaks where nobody asked. */
const rollouts: Speaker = { who: 'rollout', why: 'by its plan' };
