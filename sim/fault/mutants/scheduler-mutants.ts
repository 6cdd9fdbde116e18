// Planted bugs of the scheduler: whose turn it is, where it fits, which machine is best, what is kept for whom.

import type { Mutant } from './mutant.ts';

const scheduler = 'core/scheduler/scheduler.ts';
const placer = 'core/scheduler/placer.ts';
const index = 'core/scheduler/placement-index.ts';
const column = 'core/scheduler/score-column.ts';
const cluster = 'core/scheduler/cluster-state.ts';
const easy = 'core/scheduler/easy-reservation.ts';
const queue = 'core/scheduler/task-queue.ts';

export const schedulerMutants: readonly Mutant[] = [
  {
    name: 'release-leaks-other-machines',
    bug: 'a task over several machines gives back the first alone',
    file: placer,
    search: 'else this.cluster.release(kind, machine, deviceMask);',
    replace: 'else if (position === 0) this.cluster.release(kind, machine, deviceMask);',
  },
  {
    name: 'freed-machine-unnoticed',
    bug: 'parked tasks are not told of a machine that a task leaves, unless it led the task',
    file: scheduler,
    search: '    for (const machine of attempt.machines) this.freed.note(machine);',
    replace: '    this.freed.note(attempt.machines[0] as number);',
  },
  {
    name: 'returned-machine-unnoticed',
    bug: 'parked tasks are not told of a machine that takes tasks again',
    file: scheduler,
    search: 'if (!held) this.freed.note(machine);',
    replace: '',
  },
  {
    name: 'overtaking-unbounded',
    bug: 'the bound on overtaking is counted and ignored',
    file: scheduler,
    search: 'if (head.overtaken >= this.profile.overtakeMax) this.pinned = head;',
    replace: '',
  },
  {
    name: 'reservation-ignored',
    bug: 'backfilling takes the machines that are set aside for the blocked head',
    file: easy,
    search: 'endsBefore ? undefined : reservation, shadowMicros',
    replace: 'undefined, shadowMicros',
  },
  {
    name: 'shadow-ignored',
    bug: 'backfilling starts tasks that end after the blocked head could start',
    file: easy,
    search: 'const endsBefore = nowMicros + longestEstimate(task) < shadowMicros;',
    replace: 'const endsBefore = nowMicros < shadowMicros;',
  },
  {
    name: 'shadow-from-placement',
    bug: 'the shadow time counts from when tasks were placed, not from when they began',
    file: 'core/scheduler/reservation.ts',
    search: 'attempt.startedMicros >= 0 ? attempt.startedMicros : attempt.placedMicros',
    replace: 'attempt.placedMicros',
  },
  {
    name: 'reservation-goes-stale',
    bug: 'a reservation is not computed anew when a task ends',
    file: easy,
    search: 'if (this.keptShadowMicros < 0) this.reservation = undefined;',
    replace: '',
  },
  {
    name: 'backoff-never-ends',
    bug: 'a task that backs off is never tried again',
    file: queue,
    search: 'return this.backingOff[0]?.untilMicros ?? Number.POSITIVE_INFINITY;',
    replace: 'return Number.POSITIVE_INFINITY;',
  },
  {
    name: 'unparks-by-number',
    bug: 'of the parked lines only the last is looked at when a machine comes free',
    file: queue,
    search: 'for (let index = this.parked.length - 1; index >= 0; index--) {',
    replace: 'for (let index = this.parked.length - 1; index >= this.parked.length - 1; index--) {',
  },
  {
    name: 'longest-job-first',
    bug: 'shortest job first sorts the longest first',
    file: 'core/scheduler/plugins/sjf.ts',
    search: 'key: (task) => task.estimateMicros',
    replace: 'key: (task) => -task.estimateMicros',
  },
  {
    name: 'least-priority-first',
    bug: 'the order by priority puts the least important first',
    file: 'core/scheduler/plugins/priority.ts',
    search: 'key: (task) => -task.priority',
    replace: 'key: (task) => task.priority',
  },
  {
    name: 'keys-of-the-past',
    bug: 'a key that changes with time is computed when the task comes, and never again',
    file: queue,
    search: '        task.queueKey = order.key(task, nowMicros);\n',
    replace: '',
  },
  {
    name: 'heap-loses-order',
    bug: 'the heap of waiting tasks looks at one child only',
    file: 'core/scheduler/task-heap.ts',
    search: 'if (child + 1 < size && runsBefore(this.items[child + 1] as Task, this.items[child] as Task)) child++;',
    replace: '',
  },
  {
    name: 'tie-to-the-last',
    bug: 'of machines that are equally good the last is taken',
    file: index,
    search: 'this.winner = column.tied(0);',
    replace: 'this.winner = column.tied(column.tieCount - 1);',
  },
  {
    name: 'block-best-goes-stale',
    bug: 'the best of a block of machines is not looked for again when it has changed',
    file: column,
    search: 'if (this.blockTies[block] === 0) this.rescan(block);',
    replace: 'if (this.blockTies[block] === 0) this.blockTies[block] = 1;',
  },
  {
    name: 'changed-row-missed',
    bug: 'of several changes of a machine the last is missed',
    file: column,
    search: 'if (cluster.lastChange[machine] === position + 1) this.update(machine);',
    replace: 'if (cluster.lastChange[machine] === position + 1 && position % 7 !== 0) this.update(machine);',
  },
  {
    name: 'worst-machine-best',
    bug: 'best fit takes the machine that is left with the most',
    file: 'core/scheduler/plugins/best-fit.ts',
    search: 'return Math.trunc(100 * (1 - left));',
    replace: 'return Math.trunc(100 * left);',
  },
  {
    name: 'gpu-model-ignored',
    bug: 'a task that asks for one GPU model is placed on another',
    file: cluster,
    search:
      'if (kind.gpuModelMask !== 0 && (model < 0 || (kind.gpuModelMask & (1 << model)) === 0)) return reasonGpuModel;',
    replace: 'if (model < 0) return reasonGpuModel;',
  },
  {
    name: 'memory-ignored',
    bug: 'a machine is taken although its memory is full',
    file: cluster,
    search: 'if ((this.memoryFreeMib[machine] as number) < kind.memoryMib) return reasonMemory;',
    replace: '',
  },
  {
    name: 'exact-fit-refused',
    bug: 'a task that needs all that is left of the CPU is thought not to fit',
    file: cluster,
    search: 'if ((this.cpuFreeMilli[machine] as number) < kind.cpuMilli) return reasonCpu;',
    replace: 'if ((this.cpuFreeMilli[machine] as number) <= kind.cpuMilli) return reasonCpu;',
  },
  {
    name: 'suspect-takes-work',
    bug: 'machines whose agent takes no work are given some',
    file: cluster,
    search: 'if (this.schedulable[machine] === 0) return reasonOfHolds(this.holds[machine] as number);',
    replace: 'if ((this.holds[machine] as number) > 1) return reasonOfHolds(this.holds[machine] as number);',
  },
  {
    name: 'device-shared-too-often',
    bug: 'a device is shared by tasks that together need more than all of it',
    file: 'core/scheduler/plugins/device-masks.ts',
    search: 'if (left >= kind.gpuMilli && left < bestFree) {',
    replace: 'if (left > 0 && left < bestFree) {',
  },
  {
    name: 'failed-gang-keeps-machines',
    bug: 'members of a gang keep their machines when a later one finds none',
    file: 'core/scheduler/place-gang.ts',
    search: 'for (const { attempt } of begun.reverse()) placer.release(attempt);',
    replace: '',
  },
  {
    name: 'gang-begins-incomplete',
    bug: 'a gang is thought whole when one member is missing',
    file: 'core/scheduler/gangs.ts',
    search: 'if (gang.members.length < size) return undefined;',
    replace: 'if (gang.members.length < size - 1) return undefined;',
  },
  {
    name: 'equals-are-evicted',
    bug: 'tasks of the same priority evict each other',
    file: 'core/scheduler/choose-victims.ts',
    search: 'if (task.priority >= priority ||',
    replace: 'if (task.priority > priority ||',
  },
  {
    name: 'eviction-needs-more-than-room',
    bug: 'more tasks are evicted than must go',
    file: 'core/scheduler/choose-victims.ts',
    search: '    if (row.fits(kind)) return false;\n',
    replace: '',
  },
  {
    name: 'held-machine-never-opened',
    bug: 'a machine that was held for a task that evicts stays closed',
    file: 'core/scheduler/held-machines.ts',
    search: 'for (const machine of machines) this.cluster.setHold(machine, holdForTask, false);',
    replace: '',
  },
];
