// Collects what a run is judged by: the life of every task, the use of the machines, samples over time, the Gantt bars of a
// few machines and the tasks that waited longest. It watches the world and changes nothing in it.

import { microsPerSecond } from '../../core/base/time.ts';
import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { explainFilter } from '../../core/scheduler/decision.ts';
import type { TypicalTask } from '../../core/scheduler/framework.ts';
import { FragmentationMeter } from '../../core/scheduler/plugins/fragmentation.ts';
import { describeRequest } from '../workload/describe.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';
import type { GanttBar, SlowTask } from './results.ts';
import type { Samples } from './run-record.ts';
import { outcomeNames, TaskColumns } from './task-columns.ts';
import { Usage, type UsageIntegrals } from './usage.ts';

const ganttMachinesMax = 12;
const ganttBarsMax = 2000;
const slowestMax = 10;

interface OpenBar {
  readonly machine: number;
  readonly row: number;
  readonly startMicros: number;
}

export class Collector implements WorldObserver {
  readonly tasks = new TaskColumns();
  readonly usage = new Usage();
  readonly samples: Samples = {
    timeSeconds: [],
    gpuUtilizationPercent: [],
    cpuUtilizationPercent: [],
    queueLength: [],
    runningTasks: [],
    fragmentationPercent: [],
    powerWatts: [],
  };
  readonly gantt: GanttBar[] = [];
  /** Attempts stopped for tasks of higher priority since measurement began. */
  evictions = 0;
  /** GPU time (CPU time where there are no GPUs) since measurement began by tenant, µs × milli. */
  readonly tenantUse: number[] = [];
  /** Since when an attempt runs, and on how many machines. */
  private readonly runningSince = new Map<
    number,
    { readonly row: number; readonly machines: number; readonly startMicros: number }
  >();
  private readonly machines: readonly MachineSpec[];
  private readonly typicalTasks: readonly TypicalTask[];
  private readonly ganttFromMicros: number;
  private readonly openBars = new Map<number, OpenBar>();
  private readonly ganttMachines: ReadonlySet<number>;
  private readonly originMicros: number;
  private readonly gpuCapacityMilli: number;
  private readonly cpuCapacityMilli: number;
  /** Why the last task of each request kind that was tried in vain had to wait. */
  private readonly waitReasons = new Map<number, string>();
  private last: UsageIntegrals;
  private lastJoules = 0;
  private meter: { readonly kernel: Kernel; readonly fragmentation: FragmentationMeter } | undefined;

  /** `originMicros` is when measurement begins; Gantt bars are kept from `ganttFromMicros` on (`Infinity`: none). */
  constructor(
    machines: readonly MachineSpec[],
    typicalTasks: readonly TypicalTask[],
    originMicros: number,
    ganttFromMicros: number,
  ) {
    this.machines = machines;
    this.typicalTasks = typicalTasks;
    this.originMicros = originMicros;
    this.ganttFromMicros = ganttFromMicros;
    this.gpuCapacityMilli = machines.reduce((sum, machine) => sum + machine.gpuCount * 1000, 0);
    this.cpuCapacityMilli = machines.reduce((sum, machine) => sum + machine.cpuMilli, 0);
    // Machines spread evenly over the list show its whole mix of models.
    const stride = Math.max(1, Math.floor(machines.length / ganttMachinesMax));
    this.ganttMachines = new Set(
      machines
        .map((_, index) => index)
        .filter((index) => index % stride === 0)
        .slice(0, ganttMachinesMax),
    );
    this.last = this.usage.at(0);
  }

  taskArrived(_submission: number, task: WorkloadTask, nowMicros: number): void {
    this.tasks.add(task, nowMicros);
    while (this.tenantUse.length < this.tasks.tenants.length) this.tenantUse.push(0);
    this.setWaiting(this.tasks.count - 1, 1, nowMicros);
  }

  submissionAnswered(submission: number, accepted: boolean, _reason: string, nowMicros: number): void {
    if (accepted) return;
    const row = submission - 1;
    this.tasks.outcome[row] = outcomeNames.indexOf('refused');
    this.tasks.endMicros[row] = nowMicros;
    this.setWaiting(row, 0, nowMicros);
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind !== 'decisionMade') return;
    const { outcome, kind, reasonCounts, victims } = effect.record;
    if (outcome === 'waits') this.waitReasons.set(kind, explainFilter(reasonCounts));
    else if (outcome === 'evicts' && nowMicros >= this.originMicros) this.evictions += victims?.length ?? 0;
  }

  workStarted(dispatch: Dispatch, machines: readonly number[], nowMicros: number): void {
    const row = dispatch.submission - 1;
    const { tasks } = this;
    if ((tasks.startMicros[row] as number) < 0) tasks.startMicros[row] = nowMicros;
    tasks.machine[row] = machines[0] as number;
    tasks.attempts[row] = (tasks.attempts[row] as number) + 1;
    this.setWaiting(row, 0, nowMicros);
    this.usage.workStarted(tasks.requestOf(row), machines.length, nowMicros);
    this.runningSince.set(dispatch.attempt, { row, machines: machines.length, startMicros: nowMicros });
    if (this.ganttFromMicros === Number.POSITIVE_INFINITY) return;
    const shown = machines.find((machine) => this.ganttMachines.has(machine));
    if (shown !== undefined) this.openBars.set(dispatch.attempt, { machine: shown, row, startMicros: nowMicros });
  }

  workEnded(dispatch: Dispatch, machines: readonly number[], end: WorkEnd, nowMicros: number): void {
    const row = dispatch.submission - 1;
    this.usage.workEnded(this.tasks.requestOf(row), machines.length, nowMicros);
    this.chargeTenant(dispatch.attempt, nowMicros);
    // Nobody waits for work that its end has overtaken.
    if (end !== 'completed' && (this.tasks.endMicros[row] as number) < 0) this.setWaiting(row, 1, nowMicros);
    const bar = this.openBars.get(dispatch.attempt);
    if (bar === undefined) return;
    this.openBars.delete(dispatch.attempt);
    this.closeBar(bar, nowMicros);
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    const row = end.submission - 1;
    this.tasks.outcome[row] = outcomeNames.indexOf(end.outcome);
    this.tasks.endMicros[row] = nowMicros;
    this.setWaiting(row, 0, nowMicros);
  }

  /** Takes a sample: the state now, and the averages since the last one. `joules`: what all machines took so far, if that is
   *  measured. */
  sample(kernel: Kernel, nowMicros: number, joules?: number): void {
    const { samples, last } = this;
    const usage = this.usage.at(nowMicros);
    const elapsed = usage.timeMicros - last.timeMicros;
    if (elapsed <= 0) return;
    samples.timeSeconds.push(nowMicros / microsPerSecond);
    samples.gpuUtilizationPercent.push(percent(usage.gpuMilli - last.gpuMilli, this.gpuCapacityMilli * elapsed));
    samples.cpuUtilizationPercent.push(percent(usage.cpuMilli - last.cpuMilli, this.cpuCapacityMilli * elapsed));
    samples.queueLength.push((usage.waiting - last.waiting) / elapsed);
    samples.runningTasks.push((usage.running - last.running) / elapsed);
    if (this.gpuCapacityMilli > 0) samples.fragmentationPercent.push(this.fragmentationPercent(kernel));
    if (joules !== undefined) {
      samples.powerWatts.push((joules - this.lastJoules) / (elapsed / microsPerSecond));
      this.lastJoules = joules;
    }
    this.last = usage;
  }

  /** Closes what is still open when the run ends. */
  finish(nowMicros: number): void {
    for (const bar of this.openBars.values()) this.closeBar(bar, nowMicros);
    this.openBars.clear();
    for (const attempt of [...this.runningSince.keys()]) this.chargeTenant(attempt, nowMicros);
  }

  /** Tasks of the measured window that waited longest, longest first; those still waiting count with their wait so far. */
  slowest(seed: number, nowMicros: number): SlowTask[] {
    const { tasks } = this;
    const rows: number[] = [];
    const waitOf = (row: number): number => {
      const start = tasks.startMicros[row] as number;
      const end =
        start >= 0 ? start : (tasks.endMicros[row] as number) >= 0 ? (tasks.endMicros[row] as number) : nowMicros;
      return end - (tasks.arrivalMicros[row] as number);
    };
    for (let row = 0; row < tasks.count; row++) {
      if ((tasks.arrivalMicros[row] as number) < this.originMicros) continue;
      const wait = waitOf(row);
      if (rows.length === slowestMax && wait <= waitOf(rows[slowestMax - 1] as number)) continue;
      let position = rows.length;
      while (position > 0 && waitOf(rows[position - 1] as number) < wait) position--;
      rows.splice(position, 0, row);
      if (rows.length > slowestMax) rows.pop();
    }
    return rows.map((row) => {
      const reason = this.reasonOf(row);
      const isOpen = (tasks.startMicros[row] as number) < 0;
      const outcome = outcomeNames[tasks.outcome[row] as number] as string;
      const standing = outcome === 'unfinished' ? 'still waiting at the end' : outcome;
      return {
        task: tasks.names.at(row),
        id: row + 1,
        seed,
        waitSeconds: waitOf(row) / microsPerSecond,
        runSeconds: (tasks.durationMicros[row] as number) / microsPerSecond,
        request: describeRequest(tasks.requestOf(row)),
        reason: isOpen ? `${standing}: ${reason}` : reason,
      };
    });
  }

  private readonly kindOfRow = new Map<number, number>();

  private reasonOf(row: number): string {
    const kind = this.kindOfRow.get(this.tasks.request[row] as number);
    return (kind === undefined ? undefined : this.waitReasons.get(kind)) ?? 'waited behind others in the queue';
  }

  /** Lets the collector translate the workload's requests to the kernel's kinds, for reasons. */
  learnKinds(kernel: Kernel): void {
    this.tasks.requests.forEach((request, index) => {
      this.kindOfRow.set(index, kernel.control.scheduler.kinds.intern(request).id);
    });
  }

  /** Work may end well and be lost all the same, with its agent: whether a task waits is looked up, not counted. */
  private setWaiting(row: number, waiting: 0 | 1, nowMicros: number): void {
    if (this.tasks.waiting[row] === waiting) return;
    this.tasks.waiting[row] = waiting;
    this.usage.changeWaiting(waiting === 1 ? 1 : -1, nowMicros);
  }

  private chargeTenant(attempt: number, nowMicros: number): void {
    const running = this.runningSince.get(attempt);
    if (running === undefined) return;
    this.runningSince.delete(attempt);
    const { row, machines, startMicros } = running;
    const { gpuCount, gpuMilli, cpuMilli } = this.tasks.requestOf(row);
    const micros = Math.max(0, nowMicros - Math.max(startMicros, this.originMicros));
    const milli = machines * (this.gpuCapacityMilli > 0 ? gpuCount * gpuMilli : cpuMilli);
    const tenant = this.tasks.tenant[row] as number;
    this.tenantUse[tenant] = (this.tenantUse[tenant] as number) + micros * milli;
  }

  private closeBar(bar: OpenBar, endMicros: number): void {
    if (endMicros < this.ganttFromMicros || this.gantt.length >= ganttBarsMax) return;
    const request = this.tasks.requestOf(bar.row);
    this.gantt.push({
      machine: this.machines[bar.machine]?.name ?? '',
      task: this.tasks.names.at(bar.row),
      startSeconds: (bar.startMicros - this.originMicros) / microsPerSecond,
      endSeconds: (endMicros - this.originMicros) / microsPerSecond,
      gpuMilli: request.gpuCount * request.gpuMilli,
    });
  }

  private fragmentationPercent(kernel: Kernel): number {
    if (this.typicalTasks.length === 0) return 0;
    if (this.meter?.kernel !== kernel) {
      this.meter = {
        kernel,
        fragmentation: new FragmentationMeter(kernel.control.scheduler.cluster, this.typicalTasks),
      };
    }
    return percent(this.meter.fragmentation.total(), this.gpuCapacityMilli);
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
