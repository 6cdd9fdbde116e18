// How long a task that could not be placed waits before it is tried again: twice as long each time, up to a bound.

import { powerOfTwo } from '../base/float-bits.ts';
import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';

/** Microseconds; `backoffs` counts the times that it has backed off so far. */
export function backoffDelay(backoffs: number, settings: Settings<KernelSettingTable>): number {
  return Math.min(
    settings.get('scheduler.backoffFirstMicros') * powerOfTwo(Math.min(backoffs, 30)),
    settings.get('scheduler.backoffMaxMicros'),
  );
}
