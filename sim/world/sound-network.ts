// A network without any trouble, for worlds in which it is not what is asked about.

import type { NetworkSpec } from '../experiment/scenario.ts';

/** Every message takes `latencyMicros`; none is lost, doubled or overtaken, and bandwidth has no bound. */
export function soundNetwork(latencyMicros: number): NetworkSpec {
  return {
    latency: { distribution: 'constant', meanMicros: latencyMicros, sigma: 0 },
    bandwidthBytesPerSecond: 0,
    loss: 0,
    duplication: 0,
    reordering: 0,
  };
}
