// The unit of work of the swarm: a few seeds in a row, checked one after the other. Jobs and results are plain data and cross
// to worker threads and back.

import { checkCase, drawCase } from '../check-case.ts';
import { ReachObserver } from '../reach-observer.ts';
import { drawnFacts, type Reach, ReachCounts } from '../reached.ts';

export interface SwarmJob {
  readonly seeds: readonly number[];
}

export interface SwarmFailure {
  readonly seed: number;
  readonly oracle: string;
  readonly what: string;
  readonly chain: readonly string[];
}

export interface SwarmJobResult {
  readonly cases: number;
  readonly eventCount: number;
  readonly simulatedMicros: number;
  readonly reached: readonly (readonly [name: string, reach: Reach])[];
  readonly failures: readonly SwarmFailure[];
}

export function runSwarmJob({ seeds }: SwarmJob): SwarmJobResult {
  const counts = new ReachCounts();
  const failures: SwarmFailure[] = [];
  let eventCount = 0;
  let simulatedMicros = 0;
  for (const seed of seeds) {
    const drawn = drawCase(seed);
    const observer = new ReachObserver();
    for (const fact of drawnFacts(drawn)) observer.note(fact);
    const checked = checkCase(drawn, { observers: [observer] });
    for (const [point, times] of checked.faultPoints) observer.seen.set(`fault point: ${point}`, times);
    counts.addCase(observer.seen);
    eventCount += checked.eventCount;
    simulatedMicros += checked.simulatedMicros;
    if (checked.finding !== undefined) failures.push({ seed, ...checked.finding });
  }
  return { cases: seeds.length, eventCount, simulatedMicros, reached: [...counts.byName], failures };
}
