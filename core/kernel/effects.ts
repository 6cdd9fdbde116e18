// Everything that the kernel can bring about. Effects are plain data; the shell carries them out in order. An effect's
// identity is (sequence of its input, index), so that after a crash it is made again and receivers drop what they have seen.

import type { BrokerEffect } from '../bus/broker-protocol.ts';
import type { RolloutEvent } from '../policy/rollout.ts';
import type { AgentState } from '../registry/agent-state.ts';
import type { DecisionRecord } from '../scheduler/decision.ts';
import type { TaskOutcome } from '../scheduler/task.ts';
import type { AttemptReference } from './inputs.ts';

/** To the gateway of an agent that said hello. */
export interface AgentRegistered {
  readonly kind: 'agentRegistered';
  readonly gateway: number;
  readonly name: string;
  /** The agent's number from now on. */
  readonly agent: number;
  readonly incarnation: number;
  /** That of the hello that is answered. */
  readonly helloSentMicros: number;
  readonly leaseMicros: number;
  readonly heartbeatIntervalMicros: number;
  /** Once it has closed its connection, the agent keeps its work for no longer than this; left out: for the rest of its lease. */
  readonly disconnectGraceMicros?: number | undefined;
  /** Attempts that the agent runs but no longer owns: stop them. */
  readonly stop: readonly AttemptReference[];
}

export interface AgentRefused {
  readonly kind: 'agentRefused';
  readonly gateway: number;
  readonly name: string;
  readonly incarnation: number;
  readonly reason: string;
}

/** To the gateway: the leases of the batch's agents run from when the batch was sent. */
export interface HeartbeatsRecorded {
  readonly kind: 'heartbeatsRecorded';
  readonly gateway: number;
  readonly batch: number;
  /** What leases are from this batch on. Left out while it is what agents were told when they registered. */
  readonly terms?: LeaseTerms | undefined;
}

export interface LeaseTerms {
  readonly leaseMicros: number;
  readonly heartbeatIntervalMicros: number;
}

export interface SubmissionAccepted {
  readonly kind: 'submissionAccepted';
  readonly submitter: number;
  readonly submission: number;
  /** The task that it has become, where the acceptance is no repetition. */
  readonly task?: number | undefined;
}

export interface SubmissionRefused {
  readonly kind: 'submissionRefused';
  readonly submitter: number;
  readonly submission: number;
  /** `SIRA_QUEUE_FULL` where trying later may help, `SIRA_MESSAGE_REFUSED` where the task itself is wrong. */
  readonly code: 'SIRA_QUEUE_FULL' | 'SIRA_MESSAGE_REFUSED';
  readonly reason: string;
  /** When trying again may help, where it may. */
  readonly retryAfterMicros?: number | undefined;
}

/** To the leading agent: begin. Repeated until accepted; (task, attempt) makes it one. */
export interface Dispatch extends AttemptReference {
  readonly kind: 'dispatch';
  readonly agent: number;
  readonly incarnation: number;
  /** Counts the attempts that this incarnation of the agent was given, from 1: each is begun once, however late a copy comes. */
  readonly order: number;
  readonly submitter: number;
  readonly submission: number;
  /** All machines of the task, the leading one first, and the devices on each. */
  readonly machines: readonly number[];
  readonly deviceMasks: readonly number[];
  /** How often to save a checkpoint, and how much service the one to go on from holds. Left out for work that saves none. */
  readonly checkpoint?: { readonly everyMicros: number; readonly resumeMicros: number } | undefined;
}

/** To the leading agent: stop. Repeated until it answers `taskFinished`. */
export interface Stop extends AttemptReference {
  readonly kind: 'stop';
  readonly agent: number;
  readonly incarnation: number;
  /** That of the dispatch: should it come later than this, it is void. */
  readonly order: number;
}

/** To an agent: its machine shall be awake, or may sleep. Said again until it answers `agentPowerChanged`. */
export interface AgentPower {
  readonly kind: 'agentPower';
  readonly agent: number;
  readonly incarnation: number;
  readonly awake: boolean;
}

/** Receipt of a result: the agent may forget the attempt. */
export interface ResultRecorded extends AttemptReference {
  readonly kind: 'resultRecorded';
  readonly agent: number;
  readonly incarnation: number;
}

export interface DecisionMade {
  readonly kind: 'decisionMade';
  readonly record: DecisionRecord;
}

export interface AgentStateChanged {
  readonly kind: 'agentStateChanged';
  readonly agent: number;
  readonly from: AgentState;
  readonly to: AgentState;
  readonly reason: string;
}

/** New work is kept from an agent, or no more. What it runs goes on. */
export interface AgentHeld {
  readonly kind: 'agentHeld';
  readonly agent: number;
  /** `flapping`: it came back too often. `outlier`: its results are worse than its peers'. */
  readonly cause: 'flapping' | 'outlier';
  readonly held: boolean;
  /** When it ends, or ended. */
  readonly untilMicros: number;
}

/** An outcome has taught what an agent can do. */
export interface SkillMeasured {
  readonly kind: 'skillMeasured';
  readonly agent: number;
  readonly taskClass: string;
  /** What is believed now of a unit of the class's work: median seconds, relative standard deviation of that belief, and the
   *  chance that a task completes. */
  readonly secondsPerUnit: number;
  readonly deviation: number;
  readonly success: number;
}

/** A setting has a new value, or keeps its old one for the reason given. */
export interface SettingAnswered {
  readonly kind: 'settingAnswered';
  readonly name: string;
  /** Version of the settings after it. */
  readonly version: number;
  /** Empty if the change applies. */
  readonly refusal: string;
}

/** A rollout has moved; who serves from now on is in it. */
export interface RolloutChanged {
  readonly kind: 'rolloutChanged';
  readonly event: RolloutEvent;
}

/** A command about policies was done, or was not for the reason given. */
export interface PolicyAnswered {
  readonly kind: 'policyAnswered';
  /** The rollout that it was about; 0 if none. */
  readonly rollout: number;
  /** Empty if it was done. */
  readonly refusal: string;
}

/** Give the kernel a `timeReached` at this time; it replaces no earlier wish. */
export interface WakeAt {
  readonly kind: 'wakeAt';
  readonly timeMicros: number;
}

/** The payload that a submitter's topic carries when a task ends. */
export interface TaskEnded {
  readonly task: number;
  readonly submission: number;
  readonly outcome: TaskOutcome;
  readonly attempts: number;
  /** The attempt that ended it, 0 if it ended while it waited: whose result counts. */
  readonly attempt: number;
  /** Agent of the last attempt, −1 if there was none. */
  readonly agent: number;
  readonly serviceMicros: number;
  /** It was given up for a more important one, since the queue was full. */
  readonly shed?: boolean | undefined;
}

export type Effect =
  | AgentRegistered
  | AgentRefused
  | HeartbeatsRecorded
  | SubmissionAccepted
  | SubmissionRefused
  | Dispatch
  | Stop
  | ResultRecorded
  | AgentPower
  | DecisionMade
  | AgentStateChanged
  | AgentHeld
  | SkillMeasured
  | SettingAnswered
  | RolloutChanged
  | PolicyAnswered
  | WakeAt
  | BrokerEffect;

/** Where effects go. An array will do. */
export interface EffectSink {
  push(effect: Effect): unknown;
}
