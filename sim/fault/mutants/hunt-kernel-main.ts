// Hunts with the swarm of whole kernels: what `npm run swarm` checks, seed by seed.

import { checkCase, drawCase } from '../check-case.ts';
import { shrinkCase } from '../shrink.ts';
import { huntSeeds } from './hunt-seeds.ts';

huntSeeds(
  {
    check: (seed) => checkCase(drawCase(seed)).finding,
    shrink: (seed) => {
      const shrunk = shrinkCase(drawCase(seed), { runsMax: 1500 });
      if (shrunk === undefined) return undefined;
      return { case: shrunk.case, restartsMicros: shrunk.restartsMicros, what: shrunk.finding.what };
    },
  },
  process.argv.slice(2),
);
