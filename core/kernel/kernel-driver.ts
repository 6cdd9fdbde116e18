// Gives a kernel inputs by hand, for tests: stamps them, keeps the last effects, and can put a kernel restored from its own
// snapshot in the place of the first. It adds nothing of its own; what an input means is the kernel's to say.

import { createKernelSettings, type KernelSettingName } from '../config/kernel-setting-table.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { ResourceRequest } from '../scheduler/request.ts';
import type { Effect } from './effects.ts';
import type { AgentHello, InputBody, TaskFinished, TaskSubmitted } from './inputs.ts';
import { Kernel, type KernelSnapshot } from './kernel.ts';

export const plainProfile: Profile = {
  name: 'plain',
  order: 'fcfs',
  place: 'first-fit',
  unplaced: 'skip',
  backfill: 'none',
  overtakeMax: 0,
  typicalTasks: [],
};

export const cpuRequest: ResourceRequest = {
  cpuMilli: 1000,
  memoryMib: 1024,
  gpuCount: 0,
  gpuMilli: 0,
  gpuModels: [],
  machineCount: 1,
};

export function helloFrom(name: string, changes: Partial<AgentHello> = {}): AgentHello {
  return {
    kind: 'agentHello',
    gateway: 0,
    name,
    incarnation: 1,
    resources: { cpuMilli: 4000, memoryMib: 16_384, gpuCount: 0, gpuModel: '' },
    capabilities: {},
    attributes: {},
    sentMicros: 0,
    connection: 1,
    running: [],
    ...changes,
  };
}

export function submissionOf(submission: number, changes: Partial<TaskSubmitted> = {}): TaskSubmitted {
  return {
    kind: 'taskSubmitted',
    submitter: 1,
    submission,
    settled: 0,
    request: cpuRequest,
    estimateMicros: 1_000_000,
    priority: 0,
    tenant: 'default',
    ...changes,
  };
}

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

export class KernelDriver {
  kernel: Kernel;
  readonly profile: Profile;
  nowMicros = 0;
  /** Effects of the last input. */
  effects: Effect[] = [];
  private sequence = 0;

  constructor(
    profile: Partial<Profile> = {},
    settings: Partial<Readonly<Record<KernelSettingName, number>>> = {},
    seed = 1,
  ) {
    this.profile = { ...plainProfile, ...profile };
    this.kernel = new Kernel(this.profile, createKernelSettings({ initial: settings }), seed);
  }

  /** One input, now or at a later time. */
  give(body: InputBody, atMicros = this.nowMicros): Effect[] {
    this.nowMicros = atMicros;
    this.effects = [];
    this.kernel.handle({ sequence: ++this.sequence, timeMicros: atMicros, body }, this.effects);
    return this.effects;
  }

  /** Closes the instant. */
  end(atMicros = this.nowMicros): Effect[] {
    return this.give({ kind: 'instantEnded' }, atMicros);
  }

  /** Time passes until then, and nothing comes in. */
  pass(atMicros: number): Effect[] {
    return this.give({ kind: 'timeReached' }, atMicros);
  }

  beat(agents: readonly number[], incarnations: readonly number[] = agents.map(() => 1)): Effect[] {
    return this.give({
      kind: 'heartbeats',
      gateway: 0,
      batch: this.sequence + 1,
      agents: Int32Array.from(agents),
      incarnations: Int32Array.from(incarnations),
      count: agents.length,
    });
  }

  accept(attempt: number, agent = 0, incarnation = 1): Effect[] {
    return this.give({ kind: 'dispatchAccepted', agent, incarnation, task: attempt, attempt });
  }

  finish(attempt: number, changes: Partial<TaskFinished> = {}): Effect[] {
    return this.give({
      kind: 'taskFinished',
      agent: 0,
      incarnation: 1,
      task: attempt,
      attempt,
      outcome: 'completed',
      serviceMicros: 10,
      ...changes,
    });
  }

  /** The effects of one kind among the last. */
  of<Kind extends Effect['kind']>(kind: Kind, effects: readonly Effect[] = this.effects): EffectOf<Kind>[] {
    return effects.filter((effect): effect is EffectOf<Kind> => effect.kind === kind);
  }

  /** Replaces the kernel by one restored from its snapshot, through text. */
  restart(): void {
    const snapshot = JSON.parse(JSON.stringify(this.kernel.save())) as KernelSnapshot;
    this.kernel = Kernel.restore(snapshot, this.profile);
  }
}
