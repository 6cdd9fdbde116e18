// Draws for some cases with a journal that the kernel knows how far its wall clocks may be wrong: then they are no further wrong than
// that, since beyond it nothing is promised (core/registry/agent-registry.ts). In all other cases they may show anything. It has a
// random stream of its own, so that the case underneath stays what its seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMilli, microsPerSecond } from '../../core/base/time.ts';
import type { SwarmCase } from './swarm.ts';

export function withKnownClocks(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.clocks');
  if (drawn.journal === undefined || random.nextFloat() >= 0.3) return drawn;
  const errors = [microsPerMilli, microsPerSecond, drawn.heartbeat.leaseMicros] as const;
  const clockErrorMicros = errors[random.nextBelow(errors.length)] as number;
  // Seconds ahead or behind of the true time, so that any two processes differ by the whole error at most.
  const most = clockErrorMicros / (2 * microsPerSecond);
  return {
    ...drawn,
    faults: drawn.faults.map((fault) =>
      fault.kind === 'kernelClock' ? { ...fault, factor: Math.max(-most, Math.min(fault.factor, most)) } : fault,
    ),
    settings: { ...drawn.settings, 'registry.clockErrorMicros': clockErrorMicros },
  };
}
