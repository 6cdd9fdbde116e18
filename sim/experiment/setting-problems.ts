// What is wrong with settings of the kernel that a scenario names: each by itself, and all together.

import { SiraError } from '../../core/base/errors.ts';
import {
  createKernelSettings,
  type KernelSettingName,
  kernelSettingTable,
} from '../../core/config/kernel-setting-table.ts';
import { checkSettingValue, unknownSetting } from '../../core/config/setting.ts';

/** Of a value by itself: what must hold between settings is asked of all together. */
export function boundProblem(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(kernelSettingTable, name)) return unknownSetting(name, kernelSettingTable).reason;
  const checked = checkSettingValue(name, kernelSettingTable[name as KernelSettingName], value);
  return checked.ok ? undefined : checked.reason;
}

/** Of all of them, what must hold between them included. */
export function settingProblem(initial: Readonly<Record<string, unknown>>): string | undefined {
  try {
    createKernelSettings({ initial });
    return undefined;
  } catch (error) {
    if (error instanceof SiraError) return error.message;
    throw error;
  }
}
