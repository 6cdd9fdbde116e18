// A workload as the simulator needs it: a stream of tasks in order of arrival, and the machines it was recorded on. The true
// duration is for the simulated world alone; the kernel gets the estimate.

import type { MachineResources } from '../../core/scheduler/cluster-state.ts';
import type { TypicalTask } from '../../core/scheduler/framework.ts';
import type { GangReference } from '../../core/scheduler/gangs.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';

export interface WorkloadTask {
  /** The trace's own name of the task, for people. */
  readonly name: string;
  /** Microseconds since the start of the run; never falls within a stream. */
  readonly arrivalMicros: number;
  readonly request: ResourceRequest;
  /** True run time on a machine of speed 1, microseconds, at least 1; `Infinity` never ends by itself. */
  readonly durationMicros: number;
  /** What the submitter says the run time will be, microseconds, at least 1. */
  readonly estimateMicros: number;
  /** Larger is more important; 0 if the trace says nothing. */
  readonly priority: number;
  readonly tenant: string;
  /** The tasks that it must start together with. */
  readonly gang?: GangReference | undefined;
  /** Service between two checkpoints that it saves; none if left out. */
  readonly checkpointMicros?: number | undefined;
  /** What kind of work it is, and how much in that kind's unit: agents are measured by class. */
  readonly taskClass?: string | undefined;
  readonly size?: number | undefined;
  /** It runs only on machines whose agents declare this skill. */
  readonly skill?: string | undefined;
  /** How an attempt of it goes on a machine (the world's own index), the same each time that it is asked; left out where every
   *  machine takes `durationMicros` and completes it. */
  readonly run?: ((machine: number, attempt: number) => WorkRun) | undefined;
}

/** How work goes on a machine of speed 1. */
export interface WorkRun {
  /** Until it completes or fails, at least 1. */
  readonly durationMicros: number;
  readonly fails: boolean;
  readonly joules: number;
  /** Before it begins, such as for tensors from elsewhere; the agent does not count it as service. None if left out. */
  readonly setUpMicros?: number | undefined;
}

export interface MachineSpec extends MachineResources {
  readonly name: string;
  /** Skills that its agent declares besides those that follow from the hardware. */
  readonly skills?: Readonly<Record<string, number>> | undefined;
  /** Machines of one host share its cores; a machine of its own if left out. */
  readonly host?: string | undefined;
  /** Attributes that its agent declares besides the model of its GPUs. */
  readonly attributes?: Readonly<Record<string, string | number>> | undefined;
}

/** A finite list of tasks, or an endless stream that the horizon cuts. */
export interface Workload {
  /** Tasks in order of arrival, drawn lazily; a fresh iteration starts anew and yields the same tasks. */
  tasks(): Iterator<WorkloadTask>;
  /** Distinct demands of the source's whole list, most frequent first (FGD's typical pods), `coverage` of the tasks at least; their
   *  counts are shares of what is covered, exact to the last bit of the published arithmetic. */
  typicalTasks(coverage: number): readonly TypicalTask[];
  /** Notes for the report: what was resampled, capped, left out, estimated. One sentence each. */
  readonly notes: readonly string[];
}
