// The page says what was hunted and nothing else: survivors are named, and so are oracles that caught nothing.

import { describe, expect, it } from 'vitest';
import { oraclePromises, topicOraclePromises } from '../../oracle/oracle-names.ts';
import { type HuntedMutant, mutantsDocument, mutantsMarkdown } from './mutants-report.ts';

const plan = { from: 101, seedsMax: 200 };

function hunted(
  name: string,
  oracle: string | undefined,
  seeds = 1,
  swarm: HuntedMutant['swarm'] = 'kernel',
): HuntedMutant {
  const caught = oracle === undefined ? undefined : { seed: 100 + seeds, seeds, oracle, what: 'it was wrong' };
  return { name, bug: `bug of ${name}`, file: 'core/kernel/kernel.ts', search: 'a', replace: 'b', swarm, caught };
}

const caught = [hunted('one', 'leases', 2), hunted('two', 'leases', 7), hunted('three', 'snapshots', 40)];

describe('the page of planted bugs', () => {
  it('counts how soon bugs are caught, and by whom', () => {
    const page = mutantsMarkdown(caught, plan);
    expect(page).toContain(
      '**3 of 3 bugs are caught within 200 cases**, half of them by the 7th case, the last by the 40th.',
    );
    expect(page).toContain('None of these survives.');
    expect(page).not.toContain('Not hunted yet');
    expect(mutantsMarkdown(caught, { ...plan, open: ['six', 'seven'] })).toContain(
      '**Not hunted yet, 2:** six, seven.',
    );
    expect(page).toContain('| bugs caught | 0 | 1 | 1 | 2 | 2 | 3 | 3 | 3 |');
    expect(page).toContain(`| leases | ${oraclePromises.leases} | 2 |`);
    expect(page).toContain('| two | bug of two | kernel/kernel.ts | leases | 7 |');
  });

  it('names survivors', () => {
    const page = mutantsMarkdown([...caught, hunted('four', undefined)], plan);
    expect(page).toContain('**3 of 4 bugs are caught');
    expect(page).toContain('Survivors: `four` (bug of four).');
    expect(page).toContain('| four | bug of four | kernel/kernel.ts | **survives** | 200 |');
    expect(mutantsDocument([hunted('four', undefined)], plan)).toMatchObject({ planted: 1, caught: 0 });
  });

  it('names oracles that were never the first, those of topics only where topics were hunted', () => {
    const idle = (list: readonly HuntedMutant[]): readonly string[] => mutantsDocument(list, plan).neverFirst;
    expect(idle(caught)).toEqual(Object.keys(oraclePromises).filter((name) => name !== 'leases'));
    const topics = idle([...caught, hunted('five', 'topic once', 1, 'topics')]);
    expect(topics).toHaveLength(Object.keys({ ...oraclePromises, ...topicOraclePromises }).length - 2);
    expect(topics).not.toContain('topic once');
    const all = Object.keys(oraclePromises).map((name) => hunted(name, name));
    expect(mutantsMarkdown(all, plan)).toContain('Every oracle is the first to catch some bug.');
  });

  it('says what other seeds found, misses and false alarms included', () => {
    const rows = [{ name: 'one', caught: null }];
    const unsound = [{ swarm: 'topics', seed: 970, what: 'it was wrong' }] as const;
    const page = mutantsMarkdown(caught, plan, {
      from: 901,
      seedsMax: 200,
      planted: 3,
      caught: 2,
      unsound,
      remark: 'It is mended.',
      mutants: rows,
    });
    expect(page).toContain('**2 of 3 bugs are caught**');
    expect(page).toContain('Missed: one.');
    expect(page).toContain('without any bug planted, at seed 970 (it was wrong).\nIt is mended.');
    expect(mutantsMarkdown(caught, plan)).not.toContain('nobody had looked at\n');
  });
});
