import { expect, test } from 'vitest';
import { createKernelSettings, kernelSettingTable, leaseIntervalsMin } from '../config/kernel-setting-table.ts';
import { Kernel } from './kernel.ts';
import { helloFrom, KernelDriver, plainProfile, submissionOf } from './kernel-driver.ts';
import { brokerSettingsOf, registrySettingsOf } from './kernel-settings.ts';

test('what the parts take from the settings when they are made', () => {
  const settings = createKernelSettings({
    initial: {
      'registry.leaseMicros': 9_000_000,
      'registry.heartbeatIntervalMicros': 2_000_000,
      'registry.suspicionThreshold': 5,
      'registry.clockErrorMicros': 7000,
      'bus.redeliveryMicros': 7_000_000,
      'bus.topicLengthMax': 12,
    },
  });
  expect(registrySettingsOf(settings)).toMatchObject({
    leaseMicros: 9_000_000,
    heartbeatIntervalMicros: 2_000_000,
    acceptablePauseMicros: 2_000_000,
    threshold: 5,
    clockErrorMicros: 7000,
    capabilitySpace: 'skills',
  });
  expect(brokerSettingsOf(settings)).toMatchObject({ redeliveryMicros: 7_000_000, topicMessagesMax: 12 });
});

test('a kernel starts at both ends of every setting', () => {
  for (const [name, definition] of Object.entries(kernelSettingTable)) {
    for (const value of [definition.min, definition.max]) {
      // The lease outlasts some intervals, the longest back-off or hold the first: both move together.
      const beside: Record<string, number> = {};
      if (name === 'registry.leaseMicros' && value === definition.min) continue;
      if (name === 'registry.heartbeatIntervalMicros') beside['registry.leaseMicros'] = leaseIntervalsMin * value;
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

test('several settings change as one version or not at all, and a rollback is the way there and back', () => {
  const driver = new KernelDriver();
  const assign = (values: Readonly<Record<string, number>>) => {
    driver.give({ kind: 'settingsAssigned', values, who: 'operator', why: 'test' });
    return driver.of('settingAnswered').map(({ version, refusal }) => [version, refusal.slice(0, 46)])[0];
  };
  const { settings } = driver.kernel;
  // Each alone would break the rule between them.
  expect(assign({ 'scheduler.backoffFirstMicros': 600_000_000, 'scheduler.backoffMaxMicros': 900_000_000 })).toEqual([
    1,
    '',
  ]);
  const refusal = assign({ 'scheduler.backoffFirstMicros': 1, 'registry.leaseMicros': 5_000_000 });
  expect(refusal).toEqual([1, 'registry.leaseMicros must be at least 2.5 time']);
  expect(assign({ 'scheduler.backofFirstMicros': 1 })).toEqual([1, 'there is no setting "scheduler.backofFirstMicr']);
  const back = settings.difference(1, 0);
  if (!back.ok) throw new Error(back.reason);
  expect(back.value).toEqual([
    { name: 'scheduler.backoffFirstMicros', from: 600_000_000, to: 1_000_000 },
    { name: 'scheduler.backoffMaxMicros', from: 900_000_000, to: 300_000_000 },
  ]);
  assign(Object.fromEntries(back.value.map(({ name, to }) => [name, to as number])));
  expect(settings.difference(0, 2)).toEqual({ ok: true, value: [] });
  expect(settings.difference(0, 3).ok).toBe(false);
  driver.restart();
  expect(driver.kernel.settings.history().map(({ version, who }) => [version, who])).toEqual([
    [1, 'operator'],
    [2, 'operator'],
  ]);
});

test('a time-out that is over when it is set is waited for no longer, and no wake lies in the past', () => {
  const driver = new KernelDriver();
  driver.give(helloFrom('alpha'));
  driver.give(submissionOf(1, { gang: { name: 'pair', size: 2 } }));
  driver.give(submissionOf(2), 100_000_000);
  const change = { name: 'scheduler.gangTimeoutMicros', value: 1_000_000, who: 'operator', why: 'test' };
  driver.give({ kind: 'settingChanged', ...change });
  expect(driver.of('wakeAt').map(({ timeMicros }) => timeMicros)).toEqual([100_000_000]);
  driver.pass(100_000_000);
  expect(driver.of('decisionMade').map(({ record }) => record.rule)).toEqual(['incomplete gang']);
});

test('fault points are part of the state: a restored kernel takes the same paths, and they can be disarmed', () => {
  const run = (restarts: boolean, seed: number): string => {
    const driver = new KernelDriver({}, { 'faults.seed': seed });
    driver.give(helloFrom('alpha'));
    for (let number = 1; number <= 60; number++) {
      driver.give(submissionOf(number), number * 1000);
      driver.end();
      if (restarts) driver.restart();
    }
    for (let second = 1; second <= 60; second++) driver.pass(second * 1_000_000);
    return driver.kernel.digest;
  };
  const seeds = Array.from({ length: 12 }, (_, seed) => seed);
  const digests = seeds.map((seed) => run(false, seed));
  expect(new Set(digests).size).toBeGreaterThan(3);
  expect(seeds.map((seed) => run(true, seed))).toEqual(digests);
  const driver = new KernelDriver({}, { 'faults.seed': 3 });
  expect(driver.kernel.faultPoints.isArmed).toBe(true);
  driver.give({ kind: 'settingChanged', name: 'faults.seed', value: 0, who: 'operator', why: 'test' });
  expect(driver.kernel.faultPoints.isArmed).toBe(false);
  driver.restart();
  expect(driver.kernel.faultPoints.isArmed).toBe(false);
});
