// The promise of bounded memory: every table of the kernel is as large as what it stands for at most, whatever happens, and when
// nothing is left to do every table that stands for something to do is empty. Looks at the kernel's whole state, from time to time.

import { sequenceWindowMax } from '../../core/base/sequence-window.ts';
import type { KernelSnapshot } from '../../core/kernel/kernel.ts';
import type { World } from '../world/world.ts';
import { OracleViolation } from './violation.ts';

export interface MemoryBounds {
  readonly machineCount: number;
  /** Most requests that differ. */
  readonly requestKindsMax: number;
  readonly topicLengthMax: number;
}

interface Table {
  readonly name: string;
  readonly size: number;
  readonly most: number;
  /** Empty when there is nothing to do. */
  readonly empties: boolean;
}

/** @throws {@link OracleViolation} if a table is larger than what bounds it. */
export function judgeSizes(world: World, bounds: MemoryBounds): void {
  for (const { name, size, most } of tablesOf(world, bounds))
    if (size > most) broken(`${name}: ${size}, and ${most} is the most`, world.simulation.nowMicros);
}

/** Once nothing is left to do. @throws {@link OracleViolation} if something is kept nevertheless. */
export function judgeEmptiness(world: World, bounds: MemoryBounds): void {
  judgeSizes(world, bounds);
  const kept = tablesOf(world, bounds).filter(({ empties, size }) => empties && size > 0);
  if (kept.length === 0) return;
  const what = kept.map(({ name, size }) => `${name}: ${size}`).join(', ');
  broken(`nothing is left to do, and yet there are ${what}`, world.simulation.nowMicros);
}

function tablesOf(world: World, bounds: MemoryBounds): Table[] {
  const { control, broker, pendingEnds }: KernelSnapshot = world.host.kernel.save();
  const { machineCount, requestKindsMax, topicLengthMax } = bounds;
  const open = world.arrivedCount - world.endedCount;
  const { scheduler } = control;
  const working = (name: string, size: number, most: number): Table => ({ name, size, most, empties: true });
  const lasting = (name: string, size: number, most: number): Table => ({ name, size, most, empties: false });
  const count = (values: readonly unknown[] | undefined): number => values?.length ?? 0;
  const members = scheduler.gangs.gangs.reduce((sum, gang) => sum + count(gang.members), 0);
  const tables = [
    working('tasks', count(control.tasks), open),
    working('attempts', count(control.attempts), open),
    working('members of gangs', members, open),
    working('tasks that wait for victims', count(scheduler.held), open),
    working(
      'ends that found no room',
      pendingEnds.reduce((sum, { ends }) => sum + count(ends), 0),
      open,
    ),
    working('questions to agents', count(control.dispatcher.retries), 10_000),
    working('requests that wait for a reply', count(broker.requests.requests), 0),
    lasting('kinds of requests', count(control.requestKinds), requestKindsMax),
    lasting('submitters', count(control.submitters), world.settings.get('submissions.submittersMax')),
    lasting('agents', count(control.registry.names), machineCount),
    lasting('held agents', count(control.agentHolds.holds), 2 * machineCount),
  ];
  for (const { submitter, early, refused } of control.submitters) {
    tables.push(lasting(`submissions of ${submitter} above a gap`, count(early), sequenceWindowMax));
    tables.push(lasting(`refusals of ${submitter}`, count(refused), sequenceWindowMax));
  }
  for (const { name, messages } of broker.topics)
    tables.push(working(`messages on ${name}`, count(messages), topicLengthMax));
  for (const { agent, spec, responsive } of world.machines)
    if (responsive) tables.push(working(`work of ${spec.name}`, agent.runningCount, open + 64));
  return tables;
}

function broken(what: string, nowMicros: number): never {
  throw new OracleViolation('memory', what, nowMicros, {}, []);
}
