import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedExp, fixedLog } from '../base/fixed-math.ts';
import { RandomStream } from '../base/random.ts';
import { microsPerDay, microsPerSecond } from '../base/time.ts';
import { costWithFailures, hopedRate } from './skill-estimate.ts';
import { defaultSkillSettings } from './skill-settings.ts';
import { SkillTable, type SkillTableState } from './skill-table.ts';

/** A table over so many agents, whose declared rates are those of `declared[row]` by class. */
function tableOf(declared: readonly Readonly<Record<string, number>>[], models: readonly string[] = [], settings = {}) {
  const names = [...new Set(declared.flatMap((rates) => Object.keys(rates)))];
  const table = new SkillTable(
    { ...defaultSkillSettings, ...settings },
    {
      dimensionOf: (name) => names.indexOf(name),
      rate: (row, dimension) => declared[row]?.[names[dimension] as string] ?? 0,
    },
  );
  table.grow(declared.length);
  const register = (): void => {
    for (let row = 0; row < declared.length; row++) table.register(row, models[row] ?? 'A100', () => {});
  };
  return { table, register };
}

const done = (seconds: number, size = 1) => ({ completed: true, serviceMicros: seconds * microsPerSecond, size });
const failed = { completed: false, serviceMicros: 1, size: 1 };
const second = microsPerSecond;

describe('what is believed of an agent', () => {
  it('is what it declares before anything was measured, and nothing where it declares nothing', () => {
    const { table, register } = tableOf([{ resnet: 4 }, {}]);
    register();
    const resnet = table.internClass('resnet');
    expect(fixedExp(table.estimate(0, resnet)?.mean ?? 0)).toBeCloseTo(0.25, 12);
    expect(table.estimate(1, resnet)).toBeUndefined();
    expect(table.estimate(0, table.internClass('bert'))).toBeUndefined();
  });

  it('goes over from declared to measured as outcomes come, and grows surer', () => {
    const { table, register } = tableOf([{ resnet: 4 }]);
    register();
    const resnet = table.internClass('resnet');
    let believed = 0.25;
    let variance = table.estimate(0, resnet)?.variance ?? 0;
    for (let count = 0; count < 20; count++) {
      table.record(0, resnet, done(10, 10), count * second);
      const estimate = table.estimate(0, resnet);
      const now = fixedExp(estimate?.mean ?? 0);
      expect(now).toBeGreaterThanOrEqual(believed);
      expect(estimate?.variance).toBeLessThan(variance);
      variance = estimate?.variance ?? 0;
      believed = now;
    }
    // Ten units in ten seconds, where a quarter of a second each was declared.
    expect(believed).toBeGreaterThan(0.95);
    expect(believed).toBeLessThanOrEqual(1);
    expect(table.measured(0, resnet)).toMatchObject({ count: 20, lastMicros: 19 * second });
  });

  it('spreads to its other classes and to its like, less far than to what was measured', () => {
    const declared = { resnet: 1, bert: 1 };
    const { table, register } = tableOf([declared, declared, declared], ['A100', 'A100', 'T4']);
    register();
    const resnet = table.internClass('resnet');
    const bert = table.internClass('bert');
    for (let count = 0; count < 10; count++) table.record(0, resnet, done(3), count * second);
    const slower = (row: number, taskClass: number) => table.estimate(row, taskClass)?.mean ?? 0;
    expect(slower(0, resnet)).toBeGreaterThan(1);
    expect(slower(0, bert)).toBeGreaterThan(0.1);
    expect(slower(0, bert)).toBeLessThan(slower(0, resnet));
    expect(slower(1, resnet), 'its like at the class').toBeGreaterThan(0.1);
    expect(slower(1, resnet)).toBeLessThan(slower(0, resnet));
    expect(slower(1, bert), 'its like at another class').toBe(0);
    expect(slower(2, resnet), 'another model').toBe(0);
  });

  it('is found although nobody declares anything: groups, agents and pairs of a planted table', () => {
    const rows = 40;
    const { table, register } = tableOf(
      Array.from({ length: rows }, () => ({})),
      Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 'fast' : 'slow')),
    );
    register();
    const classes = ['a', 'b', 'c', 'd'].map((name) => table.internClass(name));
    const random = new RandomStream(7, 'planted');
    const agent = Array.from({ length: rows }, () => 0.5 * (random.nextFloat() - 0.5));
    const truth = (row: number, taskClass: number) => taskClass + (row % 2) + (agent[row] as number);
    // Every second pair is measured once, with noise of 5%; the others follow.
    for (let row = 0; row < rows; row++)
      for (const taskClass of classes)
        if (((row >> 1) + taskClass) % 2 === 0 || row < 2) {
          const noise = 0.1 * (random.nextFloat() - 0.5);
          table.record(row, taskClass, done(fixedExp(truth(row, taskClass) + noise)), second);
        }
    const errors = (isMeasured: boolean) => {
      let sum = 0;
      let count = 0;
      for (let row = 2; row < rows; row++)
        for (const taskClass of classes)
          if ((((row >> 1) + taskClass) % 2 === 0) === isMeasured) {
            sum += ((table.estimate(row, taskClass)?.mean ?? 99) - truth(row, taskClass)) ** 2;
            count++;
          }
      return Math.sqrt(sum / count);
    };
    expect(errors(true)).toBeLessThan(0.05);
    expect(errors(false), 'pairs that were never measured').toBeLessThan(0.15);
  });

  it('forgets: after a half-life an old outcome counts half, after many nothing', () => {
    const { table, register } = tableOf([{ resnet: 1 }, { resnet: 1 }]);
    register();
    const resnet = table.internClass('resnet');
    table.record(0, resnet, done(1), 0);
    table.record(1, resnet, done(1), 7 * microsPerDay);
    expect(table.measured(0, resnet)?.samples).toBeCloseTo(0.5, 12);
    for (let count = 0; count < 50; count++) table.record(0, resnet, done(1), 7 * microsPerDay + count);
    for (let count = 0; count < 10; count++) table.record(0, resnet, done(2), 70 * microsPerDay + count);
    expect(fixedExp(table.estimate(0, resnet)?.mean ?? 0), 'a changed agent is believed').toBeGreaterThan(1.9);
    table.record(1, resnet, done(1), 10_000 * microsPerDay);
    const { samples } = table.measured(0, resnet) ?? { samples: 1 };
    expect(samples, 'weights were scaled down meanwhile').toBeLessThan(1e-100);
    expect(Number.isFinite(table.estimate(0, resnet)?.mean)).toBe(true);
  });

  it('counts failures, is hopeful of the untried alone, and starts anew with other hardware', () => {
    const { table, register } = tableOf([{ resnet: 1 }, { resnet: 1 }]);
    register();
    const resnet = table.internClass('resnet');
    for (let count = 0; count < 5; count++) table.record(0, resnet, failed, count * second);
    const estimate = table.estimate(0, resnet) ?? {
      mean: 0,
      variance: 0,
      success: 1,
      successVariance: 0,
      tried: false,
    };
    expect(estimate.success).toBeLessThan(0.1);
    expect(estimate.success).toBeGreaterThan(0);
    expect(costWithFailures(estimate.mean, estimate.success), 'ten tries for one result').toBeGreaterThan(fixedLog(10));
    const other = table.estimate(1, resnet) ?? estimate;
    expect(other.success, 'its like fail').toBeLessThan(0.5);
    expect(hopedRate(other, 1)).toBeGreaterThan(2 * hopedRate(estimate, 1));
    table.register(0, 'H100', () => {});
    expect(table.estimate(0, resnet)).toMatchObject({ success: 1, tried: false });
    expect(table.measured(0, resnet)).toBeUndefined();
  });

  it('measures joules a unit, tasks that say nothing of them taken for the average', () => {
    const { table, register } = tableOf([{}]);
    register();
    const resnet = table.internClass('resnet');
    table.record(0, resnet, { ...done(1, 2), joules: 100 }, 0);
    table.record(0, resnet, done(1, 2), 0);
    table.record(0, resnet, { ...done(1, 2), joules: 160 }, 0);
    expect(table.measured(0, resnet)?.joulesPerUnit).toBeCloseTo((50 + 50 + 80) / 3, 12);
  });
});

describe('the table', () => {
  it('knows no more classes than it may', () => {
    const { table } = tableOf([{}], [], { classCountMax: 2 });
    expect(['a', 'b', 'c', 'a', ''].map((name) => table.internClass(name))).toEqual([1, 2, 0, 1, 0]);
  });

  it('property: restored through text it goes on identically, and every estimate and offer is a number', () => {
    const event = fc.record({
      row: fc.nat(4),
      taskClass: fc.integer({ min: 1, max: 3 }),
      seconds: fc.double({ min: 1e-6, max: 1e7, noNaN: true }),
      size: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      completed: fc.boolean(),
      passMicros: fc.oneof(fc.nat(1000), fc.nat(600 * microsPerDay)),
      model: fc.option(fc.constantFrom('A100', 'T4'), { nil: undefined }),
    });
    const declared = [{ a: 1, b: 2 }, { a: 3 }, {}, { c: 0.1 }, { a: 1e6, b: 1e-6, c: 1 }];
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.nat(60), (events, restartAt) => {
        const make = () => {
          const { table, register } = tableOf(declared);
          table.wantOffers();
          return { table, register };
        };
        const first = make();
        first.register();
        let second = make();
        second.register();
        for (const { table } of [first, second]) for (const name of ['a', 'b', 'c']) table.internClass(name);
        let nowMicros = 0;
        events.forEach((given, index) => {
          if (index === restartAt) {
            const state = JSON.parse(JSON.stringify(second.table.save())) as SkillTableState;
            second = make();
            second.table.restore(state);
          }
          nowMicros += given.passMicros;
          const outcome = { ...done(given.seconds, given.size), completed: given.completed, joules: given.seconds };
          for (const { table } of [first, second]) {
            if (given.model !== undefined) table.register(given.row, given.model, () => {});
            table.record(given.row, given.taskClass, outcome, nowMicros);
          }
        });
        expect(second.table.save()).toEqual(first.table.save());
        for (let row = 0; row < declared.length; row++)
          for (let taskClass = 1; taskClass <= 3; taskClass++) {
            const estimate = first.table.estimate(row, taskClass);
            expect(second.table.estimate(row, taskClass)).toEqual(estimate);
            expect(second.table.offer(taskClass, row)).toBe(first.table.offer(taskClass, row));
            expect(first.table.offer(taskClass, row)).toBeGreaterThan(0);
            expect(first.table.offer(taskClass, row)).toBeLessThan(Number.POSITIVE_INFINITY);
            if (estimate === undefined) continue;
            expect(Number.isFinite(estimate.mean)).toBe(true);
            expect(estimate.variance).toBeGreaterThan(0);
            expect(estimate.success).toBeGreaterThan(0);
            expect(estimate.success).toBeLessThanOrEqual(1);
          }
      }),
      { numRuns: 200 },
    );
  });
});
