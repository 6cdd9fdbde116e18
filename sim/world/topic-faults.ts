// Carries out the faults of a case of durable topics: each begins at its time and ends after its length.

import { eventPriority } from '../engine/priority.ts';
import type { TopicFault } from './topic-case.ts';
import type { TopicWorld } from './topic-world.ts';

export class TopicFaults {
  private readonly world: TopicWorld;
  /** Of each kind and whom, how many are under way: the last one that ends, ends it. */
  private readonly active = new Map<string, number>();

  constructor(world: TopicWorld, faults: readonly TopicFault[]) {
    this.world = world;
    const { simulation } = world;
    const begins = simulation.defineHandler('fault begins', (index) => this.change(faults[index]!, true));
    const ends = simulation.defineHandler('fault ends', (index) => this.change(faults[index]!, false));
    faults.forEach(({ atMicros, forMicros }, index) => {
      simulation.schedule(atMicros, eventPriority.world, begins, index, undefined);
      simulation.schedule(atMicros + forMicros, eventPriority.world, ends, index, undefined);
    });
  }

  private change(fault: TopicFault, begins: boolean): void {
    const name = `${fault.kind} ${fault.who}`;
    const former = this.active.get(name) ?? 0;
    this.active.set(name, former + (begins ? 1 : -1));
    this.world.faultChanged(name, begins);
    if (begins ? former > 0 && fault.kind !== 'brokerCrash' && fault.kind !== 'hang' : former > 1) return;
    this.apply(fault, begins);
  }

  private apply({ kind, who, forMicros, factor }: TopicFault, begins: boolean): void {
    const { host, disk, simulation } = this.world;
    switch (kind) {
      case 'brokerCrash':
        if (begins) host.crash();
        else host.start();
        return;
      case 'brokerPause':
        if (begins) host.pause();
        else host.proceed();
        return;
      case 'diskSlow':
        disk.slowness = begins ? factor : 1;
        return;
      case 'diskFull':
        disk.isFull = begins;
        return;
      case 'diskFails':
        disk.syncsFail = begins;
        return;
      case 'partition':
        this.world.partition(who, begins);
        return;
      case 'linkBreak':
        if (begins) this.world.breakLink(who);
        return;
      case 'hang':
        if (begins) this.world.memberNamed(who)?.hang(simulation.nowMicros + forMicros);
        return;
      case 'crash': {
        const client = this.world.memberNamed(who) ?? this.world.producerNamed(who);
        if (begins) client?.crash();
        else client?.restart();
        return;
      }
    }
  }
}
