// Everything that the kernel can come to know. An input is what the shell stamped: a sequence number, a non-decreasing time,
// and a body. Agents and submitters send bodies as messages; the shell adds its own (`instantEnded`, `timeReached`, `resumed`).

import type { BrokerInput } from '../bus/broker-protocol.ts';
import type { SettingValue } from '../config/setting.ts';
import type { RolloutCommand } from '../policy/rollout.ts';
import type { AgentResources, Capabilities } from '../registry/agent-hello.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { GangReference } from '../scheduler/gangs.ts';
import type { ResourceRequest } from '../scheduler/request.ts';

/** A task as one agent and the kernel both name it. */
export interface AttemptReference {
  readonly task: number;
  /** Fencing token: larger is later. */
  readonly attempt: number;
}

/** An agent registers, or comes back. Answered by `agentRegistered` or `agentRefused`. */
export interface AgentHello {
  readonly kind: 'agentHello';
  readonly gateway: number;
  /** Unique name of the agent; the order of first registration breaks ties between machines. */
  readonly name: string;
  /** Grows with each restart of the agent: what ran before is lost. The same number means that it only reconnects. */
  readonly incarnation: number;
  readonly resources: AgentResources;
  readonly capabilities: Capabilities;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** The agent's own clock when it sent this; its lease runs from then. Echoed in the answer, of no meaning to the kernel. */
  readonly sentMicros: number;
  /** Counts the agent's connections within an incarnation, so that an old hello is told from a new one. */
  readonly connection: number;
  /** What it is running, or has finished without the kernel's receipt. */
  readonly running: readonly AttemptReference[];
}

/** A batch of heartbeats from one gateway. `agents` are agent numbers; the arrays are valid during the call only. */
export interface Heartbeats {
  readonly kind: 'heartbeats';
  readonly gateway: number;
  /** The gateway's own number of this batch, echoed in the answer. */
  readonly batch: number;
  readonly agents: Int32Array;
  readonly incarnations: Int32Array;
  readonly count: number;
}

/** The agent's side has closed its connection: it died, or means to come back. Who only is silent is not said to. */
export interface AgentDisconnected {
  readonly kind: 'agentDisconnected';
  readonly agent: number;
  readonly incarnation: number;
  /** Which of this incarnation, as its hello said: of one before the present nothing follows. */
  readonly connection: number;
}

/** An agent takes no new work; what it runs it finishes. */
export interface AgentDraining {
  readonly kind: 'agentDraining';
  readonly agent: number;
  readonly incarnation: number;
}

/** The agent's machine sleeps now, or is awake, as the kernel wished. */
export interface AgentPowerChanged {
  readonly kind: 'agentPowerChanged';
  readonly agent: number;
  readonly incarnation: number;
  readonly awake: boolean;
}

/** A submitter hands over a task. Repeated until answered; (submitter, submission) makes it one task. */
export interface TaskSubmitted {
  readonly kind: 'taskSubmitted';
  readonly submitter: number;
  /** Counts from 1 for each submitter. */
  readonly submission: number;
  /** The submitter has the answers to all its submissions up to this one. */
  readonly settled: number;
  readonly request: ResourceRequest;
  readonly estimateMicros: number;
  readonly priority: number;
  readonly tenant: string;
  /** The tasks that it must start together with. */
  readonly gang?: GangReference | undefined;
  /** Service between two checkpoints that the task saves; 0 or nothing means that it saves none. */
  readonly checkpointMicros?: number | undefined;
  /** What kind of work it is: agents are measured by class. None if left out or empty; a name has at most 200 characters. */
  readonly taskClass?: string | undefined;
  /** It runs only on agents that declare this skill, with a strength above 0; any will do if it is left out or empty. */
  readonly skill?: string | undefined;
  /** How much work it is, in the class's own unit, above 0; 1 if left out. */
  readonly size?: number | undefined;
}

/** The submitter wants the task no longer. Its end is reported as any other. */
export interface TaskCancelled {
  readonly kind: 'taskCancelled';
  readonly submitter: number;
  readonly submission: number;
}

/** The agent took the dispatch and has begun. */
export interface DispatchAccepted extends AttemptReference {
  readonly kind: 'dispatchAccepted';
  readonly agent: number;
  readonly incarnation: number;
}

/** The work has saved a checkpoint: should it be placed anew, it goes on from there. Said once, never repeated: the next one
 *  or the result says more. */
export interface TaskProgressed extends AttemptReference {
  readonly kind: 'taskProgressed';
  readonly agent: number;
  readonly incarnation: number;
  /** Service that the checkpoint holds, earlier attempts' included. */
  readonly progressMicros: number;
}

/** The agent's result. Repeated until answered by `resultRecorded`. */
export interface TaskFinished extends AttemptReference {
  readonly kind: 'taskFinished';
  readonly agent: number;
  readonly incarnation: number;
  /** `stopped`: the kernel asked for it. */
  readonly outcome: 'completed' | 'failed' | 'stopped';
  /** Time from begin to end as the agent measured it. */
  readonly serviceMicros: number;
  /** Service that the latest checkpoint holds, if there is one. */
  readonly progressMicros?: number | undefined;
  /** Energy that the work took, if the agent measured it. */
  readonly joules?: number | undefined;
  /** Time from the coming of the dispatch to the begin of the work, if the agent measured it; of no meaning to the kernel. */
  readonly queueMicros?: number | undefined;
}

export interface SettingChanged {
  readonly kind: 'settingChanged';
  readonly name: string;
  readonly value: number;
  readonly who: string;
  readonly why: string;
}

/** Several settings at once, as one version: all of them apply or none. A rollback is the values of the version meant. */
export interface SettingsAssigned {
  readonly kind: 'settingsAssigned';
  /** By dotted name; what already has its value changes nothing. */
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly who: string;
  readonly why: string;
}

/** A person or the pipeline moves a rollout of a scheduling policy: proposes a candidate, reports what a gate found, approves,
 *  pauses, resumes, rejects, rolls back. Answered by `policyAnswered`. */
export interface PolicyCommanded {
  readonly kind: 'policyCommanded';
  readonly command: RolloutCommand<Profile>;
  readonly who: string;
  readonly why: string;
}

/** The kernel was paused or restarted: leases are extended by the length of the pause, those that ran out in it by less where clocks are
 *  known to be right (`registry.clockErrorMicros`). */
export interface Resumed {
  readonly kind: 'resumed';
  readonly pausedMicros: number;
}

/** A time asked for by `wakeAt` has come. */
export interface TimeReached {
  readonly kind: 'timeReached';
}

/** No more inputs of this instant: the scheduler works now. */
export interface InstantEnded {
  readonly kind: 'instantEnded';
}

export type InputBody =
  | AgentHello
  | Heartbeats
  | AgentDraining
  | AgentDisconnected
  | AgentPowerChanged
  | TaskSubmitted
  | TaskCancelled
  | DispatchAccepted
  | TaskProgressed
  | TaskFinished
  | SettingChanged
  | SettingsAssigned
  | PolicyCommanded
  | Resumed
  | TimeReached
  | InstantEnded
  | BrokerInput;

/** What the shell hands to `Kernel.handle`. The envelope may be reused: the kernel does not keep it. */
export interface Input {
  sequence: number;
  timeMicros: number;
  body: InputBody;
}
