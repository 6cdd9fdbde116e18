import { expect, test } from 'vitest';
import { createKernelSettings, kernelSettingTable } from '../config/kernel-setting-table.ts';
import { Kernel } from './kernel.ts';
import { plainProfile } from './kernel-driver.ts';
import { appliesAtOnce, brokerSettingsOf, registrySettingsOf } from './kernel-settings.ts';

test('what the parts take from the settings when they are made', () => {
  const settings = createKernelSettings({
    initial: {
      'registry.leaseMicros': 9_000_000,
      'registry.heartbeatIntervalMicros': 2_000_000,
      'registry.suspicionThreshold': 5,
      'bus.redeliveryMicros': 7_000_000,
      'bus.topicLengthMax': 12,
    },
  });
  expect(registrySettingsOf(settings)).toMatchObject({
    leaseMicros: 9_000_000,
    heartbeatIntervalMicros: 2_000_000,
    acceptablePauseMicros: 2_000_000,
    threshold: 5,
    capabilitySpace: 'skills',
  });
  expect(brokerSettingsOf(settings)).toMatchObject({ redeliveryMicros: 7_000_000, topicMessagesMax: 12 });
});

test('a kernel starts at both ends of every setting', () => {
  for (const [name, definition] of Object.entries(kernelSettingTable)) {
    for (const value of [definition.min, definition.max]) {
      // The lease outlasts the interval, the longest back-off or hold the first: both move together.
      const beside: Record<string, number> = {};
      if (name === 'registry.leaseMicros' && value === definition.min) continue;
      if (name === 'registry.heartbeatIntervalMicros') beside['registry.leaseMicros'] = 2 * value;
      for (const [first, longest] of [
        ['scheduler.backoffFirstMicros', 'scheduler.backoffMaxMicros'],
        ['health.flapHoldFirstMicros', 'health.flapHoldMaxMicros'],
        ['health.ejectionFirstMicros', 'health.ejectionMaxMicros'],
      ] as const) {
        if (name === first) beside[longest] = value;
        if (name === longest) beside[first] = 1;
      }
      const settings = createKernelSettings({ initial: { ...beside, [name]: value } });
      expect(() => new Kernel(plainProfile, settings, 1), `${name} = ${value}`).not.toThrow();
    }
  }
});

test('settings that parts have copied do not pretend to change', () => {
  const copied = Object.keys(kernelSettingTable).filter((name) => !appliesAtOnce(name));
  expect(copied).toEqual([
    'registry.leaseMicros',
    'registry.heartbeatIntervalMicros',
    'registry.suspicionThreshold',
    'skills.halfLifeMicros',
    'skills.classesMax',
    'skills.optimism',
    'bus.redeliveryMicros',
    'bus.topicLengthMax',
  ]);
});
