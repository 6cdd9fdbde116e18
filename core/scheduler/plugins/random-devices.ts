// Device choice at random, for the random baseline.

import { deviceCountMax } from '../cluster-state.ts';
import type { DevicePlugin, PluginContext } from '../framework.ts';
import { fittingDevices } from './device-masks.ts';

/** `gpuCount` distinct fitting devices, every such set equally likely. Draws from the kernel's stream only if there is a choice. */
export function randomDevices({ cluster, random }: PluginContext): DevicePlugin {
  return {
    name: 'random',
    choose(kind, machine) {
      let left = fittingDevices(cluster, kind, machine);
      let fitting = 0;
      for (let device = 0; device < deviceCountMax; device++) fitting += (left >> device) & 1;
      let chosen = 0;
      for (let needed = kind.gpuCount; needed > 0; needed--, fitting--) {
        if (fitting === needed) return chosen | left;
        let skip = random.nextBelow(fitting);
        let device = 0;
        while (((left >> device) & 1) === 0 || skip-- > 0) device++;
        chosen |= 1 << device;
        left &= ~(1 << device);
      }
      return chosen;
    },
  };
}
