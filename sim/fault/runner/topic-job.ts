// The unit of work of a swarm over the durable topics: a few seeds in a row, checked one after the other. Jobs and results are
// plain data and cross to worker threads and back.

import type { TopicCase } from '../../world/topic-case.ts';
import { ReachCounts } from '../reached.ts';
import { checkTopicCase } from '../topics/check-topic-case.ts';
import { drawBulkCase } from '../topics/draw-bulk-case.ts';
import { drawTopicCase } from '../topics/draw-topic-case.ts';
import { TopicReach, topicFacts, topicReachable } from '../topics/topic-reach.ts';
import type { SwarmFailure, SwarmJob, SwarmJobResult } from './swarm-job.ts';

export function runTopicJob(job: SwarmJob): SwarmJobResult {
  return runJob(job, drawTopicCase);
}

/** One case in eight is a small one, so that the corners are visited too. */
export function drawSoakCase(seed: number): TopicCase {
  return seed % 8 === 0 ? drawTopicCase(seed) : drawBulkCase(seed);
}

export function runSoakJob(job: SwarmJob): SwarmJobResult {
  return runJob(job, drawSoakCase);
}

function runJob({ seeds }: SwarmJob, draw: (seed: number) => TopicCase): SwarmJobResult {
  const counts = new ReachCounts(topicReachable);
  const failures: SwarmFailure[] = [];
  let eventCount = 0;
  let simulatedMicros = 0;
  for (const seed of seeds) {
    const drawn = draw(seed);
    const reach = new TopicReach();
    for (const fact of topicFacts(drawn)) reach.note(fact);
    const checked = checkTopicCase(drawn, { observers: [reach] });
    reach.finish(checked.published, checked.deliveries, checked.acknowledged);
    counts.addCase(reach.seen);
    eventCount += checked.eventCount;
    simulatedMicros += checked.simulatedMicros;
    if (checked.finding !== undefined) failures.push({ seed, ...checked.finding });
  }
  return { cases: seeds.length, eventCount, simulatedMicros, reached: [...counts.byName], failures };
}
