import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import { SiraError } from '../base/errors.ts';
import { createKernelSettings, kernelSettingTable } from './kernel-setting-table.ts';
import type { SettingTable, SettingValue } from './setting.ts';
import { type ChangeSet, Settings } from './settings.ts';

const table = {
  'a.count': { type: 'integer', default: 3, min: 0, max: 10, description: 'A count.' },
  'a.ratio': { type: 'number', unit: 'ratio', default: 0.5, min: 0, max: 1, description: 'A ratio.' },
  'a.waitMicros': { type: 'integer', unit: 'micros', default: 1000, min: 1, max: 60_000_000, description: 'A wait.' },
  'b.enabled': { type: 'boolean', default: true, description: 'A switch.' },
  'b.mode': { type: 'choice', choices: ['fast', 'safe'], default: 'safe', description: 'A mode.' },
} as const satisfies SettingTable;

const reason = (atMicros = 0) => ({ who: 'ada', why: 'a test', atMicros });

describe('Settings', () => {
  it('types each value by its name', () => {
    const settings = new Settings(table);
    const count: number = settings.get('a.count');
    const enabled: boolean = settings.get('b.enabled');
    const mode: 'fast' | 'safe' = settings.get('b.mode');
    expect([count, enabled, mode]).toEqual([3, true, 'safe']);
    // @ts-expect-error a name that the table lacks
    expect(() => settings.get('a.missing')).toThrow(AssertionError);
    // @ts-expect-error a value of another type
    expect(settings.set('b.mode', 7, reason()).ok).toBe(false);
    // @ts-expect-error a text that is no choice
    expect(settings.set('b.mode', 'slow', reason()).ok).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ['a.count', 11, 'a.count is at most 10, not 11'],
    ['a.count', -1, 'a.count is at least 0, not -1'],
    ['a.count', 1.5, 'a.count is a whole number, not 1.5'],
    ['a.count', NaN, 'a.count is a number, not NaN'],
    ['a.count', Infinity, 'a.count is a whole number, not Infinity'],
    ['a.count', '3', 'a.count is a number, not "3"'],
    ['a.ratio', 1.01, 'a.ratio is at most 1 ratio, not 1.01 ratio'],
    ['a.waitMicros', '2m', 'a.waitMicros is at most 60000000 µs (1 m), not 120000000 µs (2 m)'],
    ['a.waitMicros', 'soon', 'a.waitMicros is a number of microseconds or a duration such as 40s, not "soon"'],
    ['b.enabled', 'yes', 'b.enabled is true or false, not "yes"'],
    ['b.mode', 'slow', 'b.mode is one of fast, safe, not "slow"'],
    ['b.mode', {}, 'b.mode is one of fast, safe, not an object'],
    ['a.cuont', 3, 'there is no setting "a.cuont"; did you mean a.count?'],
    ['toString', 3, 'there is no setting "toString"'],
  ])('refuses %s = %j and says why', (name, value, expected) => {
    const settings = new Settings(table);
    expect(settings.assign({ [name]: value }, reason())).toEqual({
      ok: false,
      code: 'SIRA_SETTING_INVALID',
      reason: expected,
    });
    expect(settings.version).toBe(0);
    expect(settings.values()).toEqual(new Settings(table).values());
    expect(() => new Settings(table, { initial: { [name]: value } })).toThrow(SiraError);
  });

  it('refuses a change by nobody, and one without end', () => {
    const settings = new Settings(table);
    expect(settings.set('a.count', 4, { who: '', why: '', atMicros: 0 }).ok).toBe(false);
    expect(settings.set('a.count', 4, { who: 'ada', why: 'x'.repeat(1001), atMicros: 0 }).ok).toBe(false);
    expect(settings.get('a.count')).toBe(3);
  });

  it('applies a change set whole or not at all, as one version', () => {
    const settings = new Settings(table);
    expect(settings.assign({ 'a.count': 4, 'a.ratio': 7 }, reason()).ok).toBe(false);
    expect(settings.get('a.count')).toBe(3);
    expect(settings.assign({ 'a.waitMicros': '1.5s', 'a.count': 4, 'b.enabled': true }, reason(9)).ok).toBe(true);
    expect(settings.history()).toEqual([
      {
        version: 1,
        who: 'ada',
        why: 'a test',
        atMicros: 9,
        changes: [
          { name: 'a.count', from: 3, to: 4 },
          { name: 'a.waitMicros', from: 1000, to: 1_500_000 },
        ],
      },
    ]);
    expect(settings.set('a.count', 4, reason()).ok).toBe(true);
    expect(settings.version).toBe(1);
  });

  it('tells its listeners in order, with the values in place, and lets none change settings', () => {
    const settings = new Settings(table);
    const heard: [string, ChangeSet, number][] = [];
    settings.onChange((change) => heard.push(['first', change, settings.get('a.count')]));
    settings.onChange((change) => heard.push(['second', change, settings.get('a.count')]));
    settings.set('a.count', 5, reason());
    expect(heard.map(([who, change, value]) => [who, change.version, value])).toEqual([
      ['first', 1, 5],
      ['second', 1, 5],
    ]);
    settings.onChange(() => void settings.set('a.count', 6, reason()));
    expect(() => settings.set('a.count', 7, reason())).toThrow(AssertionError);
  });

  it('keeps rules between settings, also on the way back', () => {
    const settings = createKernelSettings();
    const refusedRule = settings.set('registry.leaseMicros', 25_000_000 - 1, reason());
    expect(refusedRule).toMatchObject({ ok: false, code: 'SIRA_SETTING_INVALID' });
    expect(refusedRule.ok || refusedRule.reason).toMatch(/at least 2.5 times .* make the lease longer/);
    expect(settings.set('registry.heartbeatIntervalMicros', 16_000_001, reason()).ok).toBe(false);
    expect(settings.set('registry.leaseMicros', 25_000_000, reason()).ok).toBe(true);
    expect(settings.set('registry.heartbeatIntervalMicros', 10_000_001, reason()).ok).toBe(false);
    expect(
      settings.assign({ 'registry.leaseMicros': '5s', 'registry.heartbeatIntervalMicros': '1s' }, reason()).ok,
    ).toBe(true);
    expect(() => createKernelSettings({ initial: { 'scheduler.backoffMaxMicros': 10 } })).toThrow(/backoffMaxMicros/);
  });

  it('behaves as a list of all values by version: rollback, bounded history, snapshots', () => {
    const names = Object.keys(table) as (keyof typeof table)[];
    const operation = fc.record({
      kind: fc.constantFrom('set' as const, 'set' as const, 'rollback' as const, 'restore' as const),
      name: fc.constantFrom(...names),
      value: fc.oneof(
        fc.integer({ min: -1, max: 11 }),
        fc.boolean(),
        fc.constantFrom('fast', 'safe', '2s'),
        fc.double(),
      ),
      back: fc.integer({ min: -1, max: 8 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(operation, { maxLength: 60, size: 'max' }),
        (historyMax, operations) => {
          let settings = new Settings(table, { historyMax });
          const versions: Record<string, SettingValue>[] = [{ ...settings.values() }];
          let atMicros = 0;
          for (const { kind, name, value, back } of operations) {
            atMicros += 1;
            const before = versions.length - 1;
            if (kind === 'set') {
              const status = settings.assign({ [name]: value }, reason(atMicros));
              if (!status.ok) expect(settings.version).toBe(before);
            } else if (kind === 'rollback') {
              const target = before - back;
              const isReachable = target >= Math.max(0, before - historyMax) && target <= before;
              expect(settings.rollback(target, reason(atMicros)).ok).toBe(isReachable);
              if (isReachable) expect(settings.values()).toEqual(versions[target]);
            } else {
              const copy = new Settings(table, { historyMax });
              copy.restore(JSON.parse(JSON.stringify(settings.snapshot())));
              expect(copy.snapshot()).toEqual(settings.snapshot());
              settings = copy;
            }
            if (settings.version > before) versions.push({ ...settings.values() });
            expect(settings.version).toBe(versions.length - 1);
            expect(settings.values()).toEqual(versions.at(-1));
            expect(settings.history().length).toBe(Math.min(historyMax, versions.length - 1));
            expect(settings.oldestVersion).toBe(Math.max(0, versions.length - 1 - historyMax));
          }
        },
      ),
    );
  });

  it('restores an older state with defaults for what it lacks, and refuses what it does not know', () => {
    const settings = new Settings(table);
    settings.restore({ version: 4, values: { 'a.count': 9 }, history: [] });
    expect(settings.values()).toEqual({ ...new Settings(table).values(), 'a.count': 9 });
    expect(settings.version).toBe(4);
    expect(() => settings.restore({ version: 5, values: { 'z.gone': 1 }, history: [] })).toThrow(SiraError);
    expect(settings.version).toBe(4);
  });

  it('restores what a rule of today would refuse, and has it mended with the next change', () => {
    const settings = createKernelSettings();
    settings.restore({ version: 4, values: { 'registry.leaseMicros': 20_000_000 }, history: [] });
    expect(settings.get('registry.leaseMicros')).toBe(20_000_000);
    expect(settings.set('scheduler.attemptsMax', 3, reason())).toMatchObject({ ok: false });
    expect(settings.set('registry.leaseMicros', 40_000_000, reason()).ok).toBe(true);
    expect(settings.rollback(4, reason())).toMatchObject({ ok: false });
    expect(settings.set('scheduler.attemptsMax', 3, reason()).ok).toBe(true);
  });
});

describe('the kernel’s settings', () => {
  it('are named after their part, with the unit last, bounded and explained', () => {
    for (const [name, definition] of Object.entries(kernelSettingTable)) {
      expect(name).toMatch(/^[a-z]+\.[a-z][A-Za-z]+$/);
      expect(name.endsWith('Micros')).toBe('unit' in definition && definition.unit === 'micros');
      expect(Number.isFinite(definition.min) && Number.isFinite(definition.max)).toBe(true);
      expect(definition.min).toBeLessThan(definition.max);
      expect(definition.description).toMatch(/^[A-Z].*\.$/);
    }
    expect(createKernelSettings().get('registry.leaseMicros')).toBe(40_000_000);
  });
});
