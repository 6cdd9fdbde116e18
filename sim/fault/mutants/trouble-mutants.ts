// Planted bugs of how the product meets trouble from outside: reads that fail, clocks that drift, clients that forget, settings that
// change while it runs. Most of them were bugs of ours, found by the swarm.

import type { Mutant } from './mutant.ts';

const submitter = 'core/client/submitter-client.ts';

export const troubleMutants: readonly Mutant[] = [
  {
    name: 'wake-in-the-past',
    bug: 'when a time-out is shortened the kernel asks to be woken at a time that has gone by',
    file: 'core/kernel/kernel.ts',
    search: 'const timeMicros = Math.max(next, this.nowMicros);',
    replace: 'const timeMicros = next;',
  },
  {
    name: 'drift-of-clocks-ignored',
    bug: 'an agent whose clock is slow believes its lease to last longer than the kernel does',
    file: 'core/client/agent-client.ts',
    search: 'this.leaseShare = 1 - (options.clockDriftMax ?? 0.01);',
    replace: 'this.leaseShare = 1;',
  },
  {
    name: 'former-life-awaited',
    bug: 'a submitter that has forgotten everything waits for ends that its former life acknowledged',
    file: submitter,
    search: 'if (offset <= this.nextOffset) return;',
    replace: 'if (offset >= 0) return;',
  },
  {
    name: 'overdue-never-sent',
    bug: 'repetitions that were put off are never sent',
    file: submitter,
    search: 'for (const next of this.overdue) {',
    replace: 'for (const next of [...this.overdue].slice(this.overdue.size)) {',
  },
  {
    name: 'setting-only-answered',
    bug: 'a change of a setting is confirmed and never applied',
    file: 'core/kernel/kernel.ts',
    search: 'this.settings.assign(values, { who, why, atMicros });',
    replace: 'this.settings.assign({}, { who, why, atMicros });',
  },
  {
    name: 'other-resources-accepted',
    bug: 'an agent that comes back with other resources is registered with those that it had',
    file: 'core/kernel/take-in-agent.ts',
    search: "    return 'resources differ from the first registration';\n",
    replace: '',
  },
  {
    name: 'drain-forgotten-by-hello',
    bug: 'an agent that drains is ready again when it only says hello',
    file: 'core/registry/agent-registry.ts',
    search:
      "this.change(row, this.flagsOf(row) & ~flagSuspect, 'heartbeat returned');\n      return { row, kind: 'resumed'",
    replace: "this.change(row, flagStarted, 'heartbeat returned');\n      return { row, kind: 'resumed'",
  },
];
