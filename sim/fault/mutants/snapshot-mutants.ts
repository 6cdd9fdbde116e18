// Planted bugs of snapshots: something that the kernel goes on with is not saved, or not taken back.

import type { Mutant } from './mutant.ts';

const kernel = 'core/kernel/kernel.ts';
const scheduler = 'core/scheduler/scheduler.ts';

export const snapshotMutants: readonly Mutant[] = [
  {
    name: 'random-stream-not-restored',
    bug: 'a restored kernel draws its random numbers from the start',
    file: kernel,
    search: '    kernel.random.restore(snapshot.random);\n',
    replace: '',
  },
  {
    name: 'publish-count-not-restored',
    bug: 'a restored kernel numbers the ends of tasks from 1 again',
    file: kernel,
    search: '    kernel.publishCount = snapshot.publishCount;\n',
    replace: '',
  },
  {
    name: 'pending-ends-not-restored',
    bug: 'a restored kernel has lost the ends that wait for room',
    file: kernel,
    search: '    kernel.pendingEnds.restore(snapshot.pendingEnds);\n',
    replace: '',
  },
  {
    name: 'arrivals-not-restored',
    bug: 'a restored scheduler does not know that tasks have come since its last cycle',
    file: scheduler,
    search: '    this.arrived = snapshot.arrived;\n',
    replace: '',
  },
  {
    name: 'freed-machines-not-restored',
    bug: 'a restored scheduler does not know which machines have come free',
    file: scheduler,
    search: '    this.freed.restore(snapshot.freed);\n',
    replace: '',
  },
  {
    name: 'shadow-time-not-restored',
    bug: 'a restored scheduler computes the shadow time anew that was to be kept',
    file: scheduler,
    search: '    this.parts.easy.restore(snapshot.shadowMicros);\n',
    replace: '',
  },
  {
    name: 'plans-not-restored',
    bug: 'conservative backfilling has forgotten to whom it promised what',
    file: 'core/scheduler/conservative-backfill.ts',
    search: '      this.plans.set(task, { startMicros, parts: restored });\n',
    replace: '',
  },
  {
    name: 'overtaking-not-restored',
    bug: 'a restored task has forgotten how often it was overtaken',
    file: 'core/kernel/control-snapshot.ts',
    search: 'return { ...saved, size: saved.size ?? 1, kind, gang: undefined, queueKey: 0, queueIndex: -1 };',
    replace:
      'return { ...saved, size: saved.size ?? 1, kind, gang: undefined, queueKey: 0, queueIndex: -1, overtaken: 0 };',
  },
  {
    name: 'orders-not-restored',
    bug: 'a restored dispatcher numbers its orders from nothing',
    file: 'core/kernel/dispatcher.ts',
    search: '    this.orders.push(...state.orders);\n',
    replace: '    this.orders.push(...state.orders.map(() => 0));\n',
  },
  {
    name: 'detector-not-restored',
    bug: 'a restored failure detector has forgotten how much heartbeats vary',
    file: 'core/registry/phi-accrual.ts',
    search: '    this.variance.set(state.variance);\n',
    replace: '',
  },
  {
    name: 'refusals-not-restored',
    bug: 'a restored kernel has forgotten which submissions it refused',
    file: 'core/kernel/submission-ledger.ts',
    search: '    for (const submission of saved.refused) ledger.refused.add(submission);\n',
    replace: '',
  },
  {
    name: 'redelivery-timers-not-restored',
    bug: 'a restored subscription has forgotten when to deliver again',
    file: 'core/bus/delivery-window.ts',
    search:
      'for (const { offset, deadlineMicros } of list) this.link(offset, offset & this.mask, wait, deadlineMicros);',
    replace: 'void [list, wait];',
  },
];
