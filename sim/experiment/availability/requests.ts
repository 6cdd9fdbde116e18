// The requests of a life of the fleet: Poisson arrivals over the whole span, drawn minute by minute from streams of their own, so
// that any stretch of it can be played alone and meets the same requests as if everything before had been played too.

import { RandomStream } from '../../../core/base/random.ts';
import { microsPerMinute, microsPerSecond } from '../../../core/base/time.ts';
import { sampleExponential, sampleLognormal } from '../../engine/distributions.ts';
import type { WorkloadTask } from '../../workload/workload.ts';
import { type RequestSpec, requestResources } from './fleet.ts';

const blockMicros = microsPerMinute;

/** The requests from `fromMicros` on (times relative to it), until `ended` says so. */
export function* requestsFrom(
  spec: RequestSpec,
  seed: number,
  fromMicros: number,
  ended: () => boolean,
): Generator<WorkloadTask> {
  const { ratePerSecond, serviceMedianMicros, serviceSigma, serviceMaxMicros } = spec;
  const meanGapMicros = microsPerSecond / ratePerSecond;
  for (let block = Math.floor(fromMicros / blockMicros); ; block++) {
    const random = new RandomStream(seed, `availability.requests.${block}`);
    const endMicros = (block + 1) * blockMicros;
    for (let atMicros = block * blockMicros; ; ) {
      atMicros += sampleExponential(random, meanGapMicros);
      if (atMicros >= endMicros) break;
      const service = serviceMedianMicros * sampleLognormal(random, 0, serviceSigma);
      if (atMicros < fromMicros) continue;
      if (ended()) return;
      yield {
        name: 'request',
        arrivalMicros: Math.round(atMicros - fromMicros),
        request: requestResources,
        durationMicros: Math.max(1, Math.round(Math.min(serviceMaxMicros, service))),
        estimateMicros: Math.round(serviceMedianMicros),
        priority: 0,
        tenant: 'default',
      };
    }
  }
}
