// What the agent of a simulated machine declares that it can do, from the hardware.

import type { MachineSpec } from '../workload/workload.ts';

/** What a machine of a trace can do, as skills: cores of CPU, and devices of its GPU model. */
export function capabilitiesOf(spec: MachineSpec): Record<string, number> {
  const capabilities: Record<string, number> = { cpu: spec.cpuMilli / 1000 };
  if (spec.gpuCount > 0) capabilities[`gpu:${spec.gpuModel}`] = spec.gpuCount;
  return capabilities;
}
