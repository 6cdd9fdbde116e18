// What agents declare of the links between their machines, read from the attributes of their hellos: `rack` (a name), `linkGigabits`
// (of the machine's own link, to machines of its rack) and `uplinkGigabits` (its share of the way to other racks), a second.

import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Links } from '../scheduler/framework.ts';

/** Of a link of which nothing is said. */
const defaultGigabits = 10;
/** Between tasks of one machine. */
const memoryGigabits = 1000;

export class DeclaredLinks implements Links {
  private readonly registry: AgentRegistry;

  constructor(registry: AgentRegistry) {
    this.registry = registry;
  }

  rackOf(machine: number): string {
    const rack = this.registry.attributes.get(machine, 'rack');
    return typeof rack === 'string' ? rack : '';
  }

  gigabitsBetween(first: number, second: number): number {
    if (first === second) return memoryGigabits;
    const name = this.rackOf(first) === this.rackOf(second) ? 'linkGigabits' : 'uplinkGigabits';
    return Math.min(this.read(first, name), this.read(second, name));
  }

  private read(machine: number, name: string): number {
    const value = this.registry.attributes.get(machine, name);
    return typeof value === 'number' && value > 0 ? value : defaultGigabits;
  }
}
