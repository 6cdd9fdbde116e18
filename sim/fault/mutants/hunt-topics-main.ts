// Hunts with the swarm of durable topics: what `npm run swarm:broker` checks, seed by seed.

import { checkTopicCase } from '../topics/check-topic-case.ts';
import { drawTopicCase } from '../topics/draw-topic-case.ts';
import { huntSeeds } from './hunt-seeds.ts';

huntSeeds({ check: (seed) => checkTopicCase(drawTopicCase(seed)).finding }, process.argv.slice(2));
