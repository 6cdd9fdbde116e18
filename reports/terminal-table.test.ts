import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sampleDocument } from './report/sample-document.ts';
import { formatResults } from './terminal-table.ts';

describe('formatResults', () => {
  const document = sampleDocument();
  const text = formatResults(document, { color: false, width: 110 });

  it('ranks by the objective, marks the winner, the broken guards and the growing queues', () => {
    const rows = text.split('\n').filter((line) => /^\s?\d=?\s+\w/.test(line));
    expect(rows).toHaveLength(document.policies.length);
    expect(rows[0]).toMatch(/^ 1 {2}best-fit ★ +\d\d\.\d\d ± \d/);
    expect(rows[6]).toMatch(/^(?: 7|6=) {2}random ! † .*baseline/);
    expect(text).toContain('best-fit wins: GPU utilization');
    expect(text).toMatch(/! Guard broken: starved tasks at most 40 tasks: random \(\d+\.\d+ tasks\) and spread/);
    expect(text).toContain('† The queue of spread and random still grew');
    for (const note of document.notes) expect(text).toContain(note);
  });

  it('keeps to the width, colours or not, and names what it left out', () => {
    for (const width of [60, 80, 100, 120, 200]) {
      for (const color of [false, true]) {
        const plain = stripVTControlCharacters(formatResults(document, { color, width }));
        for (const line of plain.split('\n')) expect(line.length, line).toBeLessThanOrEqual(width);
        expect(plain.includes('In the report and in --json')).toBe(width < 200);
      }
    }
  });

  it('writes escape codes only when asked, and the same text under them', () => {
    const colored = formatResults(document, { color: true, width: 110 });
    expect(colored).not.toBe(text);
    expect(stripVTControlCharacters(colored)).toBe(text);
    expect(stripVTControlCharacters(text)).toBe(text);
  });

  it('has no winner where the seeds show none', () => {
    const alike = formatResults(sampleDocument({ separation: 0 }), { color: false, width: 110 });
    expect(alike).not.toContain('★');
    expect(alike).toContain('Cannot tell');
  });

  it('lets no control character of a name through', () => {
    const hostile = formatResults(sampleDocument({ name: 'a\u001b[31mb\u001b[0m\u0007c\nd' }), {
      color: false,
      width: 80,
    });
    expect(hostile.split('\n')[1]).toBe('abc d');
  });

  it('works for one seed and one policy', () => {
    const one = formatResults(sampleDocument({ seeds: [7], policies: 1 }), { color: false, width: 80 });
    expect(one).toContain('seed 7');
    expect(one).not.toMatch(/NaN|undefined|Infinity/);
  });
});
