// Planted bugs of single policies, of what a task's attempts cost it, and of promises about the future.

import type { Mutant } from './mutant.ts';

const drf = 'core/scheduler/plugins/drf.ts';
const victims = 'core/scheduler/choose-victims.ts';
const conservative = 'core/scheduler/conservative-backfill.ts';
const plugins = 'core/scheduler/plugins';

export const policyMutants: readonly Mutant[] = [
  {
    name: 'best-fit-worst',
    bug: 'worst fit takes the machine that is left with the least',
    file: `${plugins}/worst-fit.ts`,
    search: 'Math.trunc(100 * left)',
    replace: 'Math.trunc(100 * (1 - left))',
  },
  {
    name: 'shares-without-weights',
    bug: 'fair shares forget the weights of tenants',
    file: drf,
    search: 'return dominant / usage.weight;',
    replace: 'return dominant;',
  },
  {
    name: 'shares-of-cpu-alone',
    bug: 'fair shares look at CPU alone',
    file: drf,
    search:
      '        share(usage.memory, cluster.memoryCapacityTotalMib),\n        share(usage.gpu, cluster.gpuCapacityTotalMilli),\n',
    replace: '',
  },
  {
    name: 'shares-never-fall',
    bug: 'what a tenant gives back is counted as if it had taken it again',
    file: drf,
    search: 'usage.gpu += sign * thousandths(kind.gpuTotalMilli, kind);',
    replace: 'usage.gpu += thousandths(kind.gpuTotalMilli, kind);',
  },
  {
    name: 'fullest-device-spared',
    bug: 'shared devices are filled up evenly, so that no whole one stays free',
    file: `${plugins}/device-masks.ts`,
    search: 'if (left >= kind.gpuMilli && left < bestFree) {',
    replace: 'if (left >= kind.gpuMilli && (bestFree > 1000 || left > bestFree)) {',
  },
  {
    name: 'packing-unpacked',
    bug: 'GPU packing prefers devices that nobody uses',
    file: `${plugins}/gpu-packing.ts`,
    search: 'return whole > 0 ? Math.max(50 - whole, 33) : Math.max(100 - Math.trunc(left / 10), 50);',
    replace: 'return whole > 0 ? 50 + whole : Math.min(100 - Math.trunc(left / 10), 50);',
  },
  {
    name: 'clusters-mixed',
    bug: 'GPU clustering prefers machines that run other classes of tasks',
    file: `${plugins}/gpu-clustering.ts`,
    search: 'if (same) return used + (others ? 50 : 75);',
    replace: 'if (same) return used;',
  },
  {
    name: 'fragments-welcome',
    bug: 'the placement by fragmentation takes the machine on which it rises most',
    file: `${plugins}/fgd.ts`,
    search: 'fixedExp(rise / 1000)',
    replace: 'fixedExp(-rise / 1000)',
  },
  {
    name: 'evictions-uncounted',
    bug: 'a task may be evicted any number of times, and each counts as a failed attempt',
    file: 'core/scheduler/preemptor.ts',
    search: '    for (const victim of eviction.victims) victim.task.preemptions++;\n',
    replace: '',
  },
  {
    name: 'most-important-evicted',
    bug: 'of machines that could be cleared the one with the most important victims is',
    file: victims,
    search: 'return left.highestPriority < right.highestPriority ? -1 : 1;',
    replace: 'return left.highestPriority < right.highestPriority ? 1 : -1;',
  },
  {
    name: 'preempted-capacity-leaks',
    bug: 'a task that is stopped to make room keeps its capacity when it has gone',
    file: 'core/kernel/control.ts',
    search: '    this.scheduler.release(attempt);\n    this.agentHolds.ended(attempt, input, nowMicros);',
    replace:
      "    if (!(outcome === 'stopped' && attempt.task.preemptions > 0)) this.scheduler.release(attempt);\n    this.agentHolds.ended(attempt, input, nowMicros);",
  },
  {
    name: 'one-attempt-too-many',
    bug: 'a task that keeps failing is tried once more than the settings allow',
    file: 'core/kernel/control.ts',
    search: "else if (task.attempts - task.preemptions >= this.settings.get('scheduler.attemptsMax'))",
    replace: "else if (task.attempts - task.preemptions > this.settings.get('scheduler.attemptsMax'))",
  },
  {
    name: 'progress-forgotten',
    bug: 'what a stopped task has saved is forgotten, and it begins from nothing',
    file: 'core/kernel/submitted-task.ts',
    search: 'if (task.checkpointMicros > 0 && progressMicros',
    replace: 'if (task.checkpointMicros < 0 && progressMicros',
  },
  {
    name: 'plans-overlap',
    bug: 'conservative backfilling plans two tasks into the same machines at the same time',
    file: conservative,
    search:
      '      for (const { window } of plan.parts) availability.take(window);\n      if (plan.startMicros > nowMicros) {',
    replace: '      if (plan.startMicros > nowMicros) {',
  },
  {
    name: 'kept-plans-forgotten',
    bug: 'a plan that still holds is not set aside while others move up',
    file: conservative,
    search: '        availability.take(window);\n        taken.push(window);',
    replace: '        taken.push(window);',
  },
  {
    name: 'gang-gathers-for-ever',
    bug: 'a gang that misses a member is never given up',
    file: 'core/scheduler/scheduler.ts',
    search: 'return oldestMicros === Infinity ? Infinity :',
    replace: 'return oldestMicros >= 0 ? Infinity :',
  },
  {
    name: 'companions-left-behind',
    bug: 'when a member of a waiting gang is cancelled the others wait on',
    file: 'core/kernel/control.ts',
    search: 'for (const companion of companions) this.endTask(',
    replace: 'for (const companion of companions.slice(companions.length)) this.endTask(',
  },
];
