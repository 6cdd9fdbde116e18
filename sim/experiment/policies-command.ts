// `sira policies`: what a policy of a scenario may be made of.

import { createColors } from 'picocolors';
import type { Command } from '../../core/ports/command.ts';
import {
  learnedOrderDescription,
  learnedOrderName,
  learnedPlacementDescription,
  learnedPlacementName,
  placements,
  queueOrders,
} from '../../core/scheduler/catalogue.ts';
import type { BackfillRule, PreemptRule, UnplacedRule } from '../../core/scheduler/framework.ts';

export const unplacedRules: Readonly<Record<UnplacedRule, string>> = {
  block: 'nothing behind it is placed until it fits',
  skip: 'tasks behind it may be placed first (bounded by `overtakeMax`)',
  backoff: 'it waits for a growing time, then tries again',
  drop: 'it ends unplaced; there is no retry',
};

export const backfillRules: Readonly<Record<BackfillRule, string>> = {
  none: 'nothing overtakes a blocked task',
  never: 'a task overtakes only if its estimate ends before the blocked one can start',
  avoidReserved: 'or if it keeps off the machines reserved for the blocked one',
  conservative: 'every waiting task has a reservation, and one overtakes only if it delays none of them',
};

export const preemptRules: Readonly<Record<PreemptRule, string>> = {
  never: 'what runs, runs to its end',
  lowerPriority:
    'a task that fits nowhere stops running ones of lower priority, as few and unimportant ones as will do',
};

export const policiesCommand: Command = {
  name: 'policies',
  summary: 'list queue orders, placements and rules',
  description:
    'Lists what a policy of a scenario is made of: a queue order, a placement, what an unplaced task does, backfilling and preemption.',
  arguments: [],
  options: [{ flags: '--json', description: 'print JSON' }],
  examples: [{ line: 'sira policies', meaning: 'what a policy is made of' }],
  run(call, context) {
    const parts = {
      order: { ...describe(queueOrders), [learnedOrderName]: learnedOrderDescription },
      place: { ...describe(placements), [learnedPlacementName]: learnedPlacementDescription },
      unplaced: unplacedRules,
      backfill: backfillRules,
      preempt: preemptRules,
    };
    if (call.options.json === true) {
      context.terminal.write(`${JSON.stringify(parts, null, 2)}\n`);
      return 0;
    }
    const colours = createColors(context.terminal.colour);
    const titles = {
      order: 'Queue orders: which waiting task is looked at first',
      place: 'Placements: which machine and devices it gets',
      unplaced: 'Unplaced rules: what happens to a task that fits nowhere now',
      backfill: 'Backfilling: who may overtake a blocked task',
      preempt: 'Preemption: who may be stopped for a waiting task',
    };
    const width = Math.max(...Object.values(parts).flatMap((part) => Object.keys(part).map((name) => name.length)));
    for (const field of ['order', 'place', 'unplaced', 'backfill', 'preempt'] as const) {
      context.terminal.write(
        `${field === 'order' ? '' : '\n'}${colours.bold(titles[field])} ${colours.dim(`(${field}:)`)}\n`,
      );
      for (const [name, description] of Object.entries(parts[field]))
        context.terminal.write(`  ${colours.cyan(name.padEnd(width + 2))}${description}\n`);
    }
    return 0;
  },
};

function describe(entries: Readonly<Record<string, { readonly description: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, entry.description]));
}
