// Device choice that packs: a task that shares a device goes to the fullest one that still holds it, a task that wants
// whole devices takes the first free ones.

import type { DevicePlugin, PluginContext } from '../framework.ts';
import { leastLeftDevices as choose } from './device-masks.ts';

/** The `gpuCount` fitting devices with least left, ties by lowest index. Source: the simulator of Weng et al., USENIX ATC
 *  2023, for every policy but FGD and Random. */
export function leastLeftDevices({ cluster }: PluginContext): DevicePlugin {
  return { name: 'least-left', choose: (kind, machine) => choose(cluster, kind, machine) };
}
