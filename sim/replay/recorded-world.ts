// What the world did to a live kernel, taken from its journal: which tasks came when and how long their work took, which agents
// there were and when they were gone. It is what a simulated world can do again to another policy. What the kernel answered
// is kept as times alone.

import { SiraError } from '../../core/base/errors.ts';
import type { EffectMarks } from '../../core/kernel/effect-marks.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { Input } from '../../core/kernel/inputs.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { JournalReader } from './read-journal.ts';
import { quantile, TaskTimes } from './task-times.ts';

interface Absence {
  readonly name: string;
  readonly fromMicros: number;
  untilMicros: number;
}

export class RecordedWorld implements JournalReader {
  readonly times = new TaskTimes();
  readonly machines: MachineSpec[] = [];
  kernel: Kernel | undefined;
  profile: Profile | undefined;
  /** As the record begins. */
  settings: Readonly<Record<string, unknown>> = {};
  settingChanges = 0;
  resumptions = 0;
  /** From this input on the record is not what the kernel did live: see `sira replay` without a change. */
  differingSequence: number | undefined;
  /** By agent's number. */
  readonly nameOfAgent: string[] = [];
  private readonly absences: Absence[] = [];
  /** Since when the connections of agents are gone, by agent's number. */
  private readonly leftMicros = new Map<number, number>();
  private beganMicros = -1;
  private lastMicros = 0;

  restored(kernel: Kernel, profile: Profile): void {
    if (kernel.control.registry.size > 0 || kernel.control.submitters.size > 0)
      throw new SiraError(
        'SIRA_OFFSET_GONE',
        `the journal begins after input ${kernel.lastSequence}, when agents and tasks were there whose coming is not in it`,
        {},
        'Let a kernel keep its first snapshot (`snapshot: kept` in its configuration) where other policies are to be tried on its journal.',
      );
    this.kernel = kernel;
    this.profile = profile;
    this.settings = kernel.settings.values();
  }

  input(input: Input, marks?: EffectMarks): boolean {
    const kernel = this.kernel as Kernel;
    const { body, timeMicros } = input;
    const effects: Effect[] = [];
    kernel.handle(input, effects);
    if (marks !== undefined && marks.digest !== kernel.digest) this.differingSequence ??= input.sequence;
    const isOfWorld = body.kind === 'agentHello' || body.kind === 'taskSubmitted';
    if (isOfWorld && this.beganMicros < 0) this.beganMicros = timeMicros;
    this.lastMicros = timeMicros;
    if (body.kind === 'resumed') this.resumptions++;
    if (body.kind === 'agentDisconnected') this.leftMicros.set(body.agent, timeMicros);
    if (body.kind === 'settingChanged' || body.kind === 'settingsAssigned') this.settingChanges++;
    this.times.input(body, timeMicros);
    this.times.handled(kernel.awaitsInstantEnd);
    for (const effect of effects) {
      this.times.effect(effect, timeMicros);
      if (effect.kind === 'agentRegistered' && body.kind === 'agentHello') {
        this.nameOfAgent[effect.agent] = body.name;
        this.leftMicros.delete(effect.agent);
        if (!this.machines.some(({ name }) => name === body.name)) this.joins(body, timeMicros);
        const absence = this.absences.findLast(({ name }) => name === body.name);
        if (absence?.untilMicros === Number.POSITIVE_INFINITY) absence.untilMicros = timeMicros;
      } else if (effect.kind === 'agentStateChanged' && effect.to === 'dead') {
        // It is declared dead a lease after it was last heard, or soon after its connection is gone.
        const heardMicros = timeMicros - kernel.settings.get('registry.leaseMicros');
        const fromMicros = Math.max(this.beganMicros, this.leftMicros.get(effect.agent) ?? heardMicros);
        const name = kernel.control.registry.names[effect.agent] as string;
        this.absences.push({ name, fromMicros, untilMicros: Number.POSITIVE_INFINITY });
      }
    }
    return true;
  }

  /** Tasks that were accepted and not cancelled, in order of arrival. */
  get tasks(): WorkloadTask[] {
    return this.times.all.flatMap((time) => {
      if (!time.isAccepted || time.outcome === 'cancelled') return [];
      const { submitted, arrivedMicros, endedMicros, serviceMicros } = time;
      const { request, estimateMicros, priority, tenant, gang, checkpointMicros, taskClass, size, skill } = submitted;
      return [
        {
          ...{
            name: `${submitted.submitter}/${submitted.submission}`,
            arrivalMicros: arrivedMicros - this.beganMicros,
          },
          ...{ request, estimateMicros, priority, tenant, gang, checkpointMicros, taskClass, size, skill },
          durationMicros: Math.max(1, Math.round(endedMicros >= 0 ? serviceMicros : estimateMicros)),
        },
      ];
    });
  }

  /** Tasks among those whose work never completed: it lasts as long as was estimated. */
  get estimatedCount(): number {
    return this.times.all.filter((time) => time.isAccepted && time.outcome !== 'cancelled' && time.endedMicros < 0)
      .length;
  }

  get cancelledCount(): number {
    return this.times.all.filter((time) => time.outcome === 'cancelled').length;
  }

  get lengthMicros(): number {
    return Math.max(0, this.lastMicros - this.beganMicros);
  }

  /** Times without their agents, as crashes. */
  get faults(): FaultSpec[] {
    return this.absences.map(({ name, fromMicros, untilMicros }) => ({
      ...{ kind: 'crash' as const, machines: [name], factor: 1 },
      atMicros: fromMicros - this.beganMicros,
      // Whoever never came back is away for longer than any run lasts.
      forMicros: Math.max(1, Math.min(untilMicros, this.lastMicros + 1e12) - fromMicros),
    }));
  }

  /** Half the median time from a dispatch to the agent's word that it has begun. */
  get latencyMicros(): number {
    const trips = this.times.all.flatMap(({ dispatchedMicros, begunMicros }) =>
      dispatchedMicros >= 0 && begunMicros >= dispatchedMicros ? [begunMicros - dispatchedMicros] : [],
    );
    return Math.round(
      quantile(
        trips.sort((left, right) => left - right),
        0.5,
      ) / 2,
    );
  }

  private joins(
    { name, resources, capabilities, attributes }: Extract<Input['body'], { kind: 'agentHello' }>,
    now: number,
  ): void {
    const skills = 'length' in capabilities ? {} : (capabilities as Readonly<Record<string, number>>);
    const host = typeof attributes.host === 'string' ? { host: attributes.host } : {};
    this.machines.push({ name, ...resources, skills, ...host });
    if (now > this.beganMicros) this.absences.push({ name, fromMicros: this.beganMicros, untilMicros: now });
  }
}
