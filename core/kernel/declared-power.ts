// What agents declare of their machines' power, read from the attributes of their hellos: `idleWatts`, `processorWatts`,
// `acceleratorWatts`, `sleepWatts`, `wakeSeconds`. Who declares no finite, non-negative `idleWatts` has said nothing.

import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { MachinePower, PowerRatings } from '../scheduler/framework.ts';

export class DeclaredPower implements PowerRatings {
  private readonly registry: AgentRegistry;

  constructor(registry: AgentRegistry) {
    this.registry = registry;
  }

  of(machine: number): MachinePower | undefined {
    const idleWatts = this.read(machine, 'idleWatts');
    if (idleWatts === undefined) return undefined;
    return {
      idleWatts,
      processorWatts: this.read(machine, 'processorWatts') ?? 0,
      acceleratorWatts: this.read(machine, 'acceleratorWatts') ?? 0,
      sleepWatts: this.read(machine, 'sleepWatts'),
      wakeSeconds: this.read(machine, 'wakeSeconds'),
    };
  }

  private read(machine: number, name: string): number | undefined {
    const value = this.registry.attributes.get(machine, name);
    return typeof value === 'number' && value >= 0 ? value : undefined;
  }
}
