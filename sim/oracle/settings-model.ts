// The kernel's settings as an outsider knows them: what the world began with, and every change that the kernel has confirmed.

import { type KernelSettingTable, kernelSettingTable } from '../../core/config/kernel-setting-table.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';

export class SettingsModel {
  private readonly values = new Map<string, number>();
  private asked: Readonly<Record<string, unknown>> | undefined;

  constructor(initial: Readonly<Record<string, unknown>> = {}) {
    for (const [name, value] of Object.entries(initial)) this.values.set(name, value as number);
  }

  get(name: keyof KernelSettingTable): number {
    return this.values.get(name) ?? kernelSettingTable[name].default;
  }

  kernelInput(input: InputBody): void {
    if (input.kind === 'settingChanged') this.asked = { [input.name]: input.value };
    else if (input.kind === 'settingsAssigned') this.asked = input.values;
  }

  kernelEffect(effect: Effect): void {
    if (effect.kind !== 'settingAnswered' || this.asked === undefined) return;
    if (effect.refusal === '')
      for (const [name, value] of Object.entries(this.asked)) this.values.set(name, value as number);
    this.asked = undefined;
  }
}
