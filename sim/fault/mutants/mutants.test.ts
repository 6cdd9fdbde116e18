// Planted bugs stay planted: every mutant still fits the source as it is, and says what it breaks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../experiment/project-root.ts';
import { mutants } from './all-mutants.ts';
import { plant } from './mutant.ts';

describe('mutants', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s fits its file', (_, mutant) => {
    const text = readFileSync(join(projectRoot(), mutant.file), 'utf8');
    const changed = plant(mutant, text);
    expect('problem' in changed ? changed.problem : '').toBe('');
    if ('text' in changed) expect(changed.text).not.toBe(text);
  });

  it('have names and bugs of their own, and say each bug in one sentence', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(new Set(mutants.map(({ bug }) => bug)).size).toBe(mutants.length);
    for (const { name, bug, file } of mutants) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(bug).toMatch(/^[^.|]+$/);
      expect(file).toMatch(/^core\//);
    }
  });

  it('are refused where they do not fit', () => {
    const mutant = { name: 'x', bug: 'x', file: 'x.ts', search: 'a', replace: 'b' };
    expect(plant(mutant, 'cac')).toEqual({ text: 'cbc' });
    expect(plant(mutant, 'ccc')).toHaveProperty('problem');
    expect(plant(mutant, 'aca')).toHaveProperty('problem');
    expect(plant({ ...mutant, replace: 'a' }, 'a')).toHaveProperty('problem');
    expect(plant({ ...mutant, replace: '$&$1' }, 'a')).toEqual({ text: '$&$1' });
  });
});
