// Whether a table that grows, or keeps what is of no use any more, is found out, in a real world.

import { describe, expect, it } from 'vitest';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import { horizonMicros, memoryBounds } from '../fault/case-phases.ts';
import { drawSwarmCase, runSwarmCase } from '../fault/swarm.ts';
import { judgeEmptiness, judgeSizes } from './memory-oracle.ts';

describe('memory', () => {
  const { faults: _, ...rest } = drawSwarmCase(3);
  const drawn = { ...rest, faults: [], queueLengthMax: 1_000_000, cancellations: [], tasks: rest.tasks.slice(0, 60) };
  const bounds = memoryBounds(drawn);

  it('is empty when the last words have been said', () => {
    const { world } = runSwarmCase(drawn);
    world.runUntil(Math.max(world.simulation.nowMicros, horizonMicros(drawn)) + 3 * microsPerMinute);
    expect(() => judgeEmptiness(world, bounds)).not.toThrow();
  });

  it('is not, and found out, if something is kept', () => {
    const { world } = runSwarmCase(drawn);
    world.runUntil(Math.max(world.simulation.nowMicros, horizonMicros(drawn)) + 3 * microsPerMinute);
    world.host.give({
      kind: 'taskSubmitted',
      submitter: 1,
      submission: drawn.tasks.length + 1,
      settled: 0,
      request: { ...(drawn.tasks[0] as (typeof drawn.tasks)[number]).request, machineCount: 1 },
      estimateMicros: microsPerSecond,
      priority: 0,
      tenant: 'nobody',
    });
    expect(() => judgeEmptiness(world, bounds)).toThrow(expect.objectContaining({ oracle: 'memory' }));
  });

  it('is larger than its bounds, and found out', () => {
    const { world } = runSwarmCase(drawn);
    expect(() => judgeSizes(world, bounds)).not.toThrow();
    expect(() => judgeSizes(world, { ...bounds, requestKindsMax: 1 })).toThrow(/kinds of requests/);
    expect(() => judgeSizes(world, { ...bounds, machineCount: 5 })).toThrow(/agents: 6, and 5 is the most/);
  });
});
