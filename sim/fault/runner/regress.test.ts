// Every case that once broke a promise is replayed, and keeps every promise: oracles, nothing left at the end, and a second run
// with the kernel restored from its snapshots.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkCase, drawCase } from '../check-case.ts';
import { readRegressFile, regressFiles, writeRegressFile } from './regress-file.ts';
import { failureText } from './swarm-report.ts';

const files = regressFiles();

describe('a saved case keeps every promise', () => {
  it('and there are some', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files.map((file) => [basename(file), file] as const))('%s', (_, file) => {
    const { case: saved, restartsMicros, description } = readRegressFile(file);
    // Restarts at the times that failed; a case that failed otherwise is restarted where its seed says.
    const { finding } = checkCase(saved, restartsMicros.length > 0 ? { restartsMicros } : {});
    const told = finding === undefined ? '' : failureText({ seed: saved.seed, ...finding });
    expect(told, `${basename(file)} is back: ${description}`).toBe('');
  });
});

describe('the file of a case', () => {
  const inFolder = (test: (folder: string) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), 'regress-'));
    try {
      test(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('says the whole case: any drawn one comes back equal', () => {
    inFolder((folder) => {
      for (let seed = 1; seed <= 12; seed++) {
        const saved = {
          name: `seed-${seed}`,
          description: 'A case that shows nothing.',
          oracle: 'none',
          restartsMicros: [1, seed],
          case: drawCase(seed),
        };
        const read = readRegressFile(writeRegressFile(saved, folder));
        // A field that is undefined and one that is absent are the same case.
        expect(JSON.stringify({ ...read, name: saved.name })).toBe(JSON.stringify(saved));
      }
      expect(regressFiles(folder)).toHaveLength(12);
    });
  });

  it('is refused with the line and the field if it says what no case can', () => {
    inFolder((folder) => {
      const text = readFileSync(files[0] as string, 'utf8');
      const refused = (from: RegExp, to: string): unknown => {
        const file = join(folder, 'refused.yaml');
        expect(text).toMatch(from);
        writeFileSync(file, text.replace(from, to));
        try {
          readRegressFile(file);
        } catch (error) {
          return error;
        }
        return undefined;
      };
      expect(refused(/intervalMicros/, 'intervalMicro')).toMatchObject({ code: 'SIRA_SCENARIO_INVALID' });
      expect(refused(/queueLengthMax: .*/, 'queueLengthMax: many')).toMatchObject({
        place: { field: 'case.queueLengthMax' },
      });
      expect(refused(/restartsMicros: .*/, 'restartsMicros: [2, 1]')).toMatchObject({ code: 'SIRA_SCENARIO_INVALID' });
      expect(refused(/oracle: .*/, '')).toMatchObject({ code: 'SIRA_SCENARIO_INVALID' });
    });
  });
});
