import { describe, expect, it } from 'vitest';
import type { ResultDocument } from '../../sim/experiment/results.ts';
import { buildReport } from './build-report.ts';
import { clientScript } from './client.ts';
import { shareAtOrBelow } from './distribution-figures.ts';
import { sampleDocument } from './sample-document.ts';
import { policyLooks } from './theme.ts';
import { percentAxis, tickSeconds } from './time-figures.ts';

/** The page without the chart library, whose source would match anything. */
function page(document: ResultDocument): string {
  return buildReport(document).replace(/<script>\n?\/\*[\s\S]*?<\/script>/, '');
}

function figuresOf(text: string): { id: string; options: unknown[] }[] {
  return JSON.parse(/<script type="application\/json" id="figures">([\s\S]*?)<\/script>/.exec(text)![1]);
}

describe('buildReport', () => {
  const sample = sampleDocument();
  const text = page(sample);

  it('has every part', () => {
    expect(figuresOf(text).map(({ id }) => id)).toEqual([
      'differences',
      'packing',
      'utilization',
      'queue',
      'fragmentation',
      'distribution-wait',
      'distribution-slowdown',
      'distribution-completion',
      'schedule',
    ]);
    for (const id of [
      'answer',
      'results',
      'time',
      'distributions',
      'schedule',
      'slowest',
      'metrics',
      'guards',
      'experiment',
      'method',
      'digests',
      'scenario',
    ]) {
      expect(text, id).toContain(`id="${id}"`);
    }
    for (const link of text.matchAll(/href="#([a-z-]+)"/g)) expect(text).toContain(`id="${link[1]}"`);
    for (const note of sample.notes) expect(text).toContain(note);
    for (const { digest } of sample.policies[0].runs) expect(text).toContain(digest);
    expect(text).toContain(sample.command);
    expect(text).toContain('&lt;b&gt;not markup&lt;/b&gt; &amp; kept as it is');
  });

  it('fetches nothing', () => {
    expect(text.includes('default-src &#39;none&#39;')).toBe(true);
    expect([...text.matchAll(/\b(?:src|href)\s*=\s*"(?!#|data:)[^"]*/g)].map(([match]) => match)).toEqual([]);
    expect([...text.matchAll(/@import|url\(/g)].map(([match]) => match)).toEqual([]);
  });

  it('is the same text for the same document', () => {
    expect(buildReport(sample)).toBe(buildReport(sampleDocument()));
  });

  it('escapes whatever a scenario is called', () => {
    const hostile = '</script></title><script>alert(1)</script><img src=x onerror=alert(1)>';
    const document = sampleDocument({ name: hostile });
    const named: ResultDocument = {
      ...document,
      notes: [hostile],
      command: hostile,
      scenario: { ...document.scenario, source: hostile, description: hostile, file: hostile },
      policies: document.policies.map((policy) => ({
        ...policy,
        description: hostile,
        slowest: policy.slowest.map((task) => ({ ...task, task: hostile, reason: hostile })),
      })),
    };
    const built = page(named);
    expect(built).not.toContain('<script>alert');
    expect(built).not.toContain('<img');
    expect(built.match(/<\/script>/g)).toHaveLength(2);
    expect(built.match(/&lt;\/script&gt;/g)!.length).toBeGreaterThan(5);
  });

  it('stands one seed, one policy, no GPUs, nothing finished', () => {
    const bare = sampleDocument({ seeds: [3], policies: 1 });
    const empty = { probability: [], value: [] };
    const poor: ResultDocument = {
      ...bare,
      cluster: { machines: 4, gpus: 0, cpuCores: 16, models: {} },
      guards: [],
      notes: [],
      warmUpSeconds: 0,
      policies: bare.policies.map((policy) => ({
        ...policy,
        metrics: Object.fromEntries(
          Object.keys(policy.metrics).map((name) => [name, { mean: null, low: null, high: null, perSeed: [null] }]),
        ),
        wait: empty,
        slowdown: empty,
        completion: empty,
        gantt: [],
        slowest: [],
        series: { ...policy.series, fragmentationPercent: [] },
      })),
    };
    const built = page(poor);
    expect(figuresOf(built).map(({ id }) => id)).toEqual(['utilization', 'queue']);
    expect(built).toContain('nothing to rank');
    for (const result of [built, page(sampleDocument({ policies: 1 })), page(sampleDocument({ seeds: [9] }))]) {
      expect(result.replace(clientScript, '')).not.toMatch(/NaN|undefined|Infinity|\[object/);
    }
  });
});

it('gives each policy one look: the baseline neutral, the others distinct', () => {
  const looks = policyLooks(sampleDocument());
  expect(looks.get('random')!.color).toBe('var(--policy-baseline)');
  expect(new Set([...looks.values()].map(({ color, dash }) => `${color} ${dash}`)).size).toBe(looks.size);
  const many = {
    ...sampleDocument(),
    policies: Array.from({ length: 20 }, (_, index) => ({
      ...sampleDocument({ policies: 1 }).policies[0],
      name: `p${index}`,
    })),
    baseline: 'p0',
  };
  expect(new Set([...policyLooks(many).values()].map(({ color, dash }) => `${color} ${dash}`)).size).toBe(20);
});

it('ticks at round times', () => {
  expect([8, 60, 3600, 86_400, 7 * 86_400].map(tickSeconds)).toEqual([1, 10, 600, 10_800, 86_400]);
});

it('reads a share off a distribution', () => {
  const whole = { probability: [0.25, 0.75, 1], value: [0, 2, 5] };
  expect([-1, 0, 1, 2, 4.9, 5, 9].map((value) => shareAtOrBelow(whole, value))).toEqual([
    0, 0.25, 0.25, 0.75, 0.75, 1, 1,
  ]);
  // Thinned: 1 to 200 by 1, probability v/400 up to 0.5; half way between 10 and 11 by the logarithm.
  const value = Array.from({ length: 200 }, (_, index) => index + 1);
  const thinned = { probability: value.map((v) => v / 200), value };
  expect(shareAtOrBelow(thinned, Math.sqrt(110))).toBeCloseTo(10.5 / 200, 12);
});

it('ends a percent axis at its ticks and never beyond 100%', () => {
  expect(percentAxis([84.6, 93.2], true)).toMatchObject({ min: 84, max: 94, interval: 2 });
  expect(percentAxis([88, 99.4], true)).toMatchObject({ min: 85, max: 100, interval: 5 });
  expect(percentAxis([0, 13.1], false)).toMatchObject({ min: 0, max: 15, interval: 5 });
  expect(percentAxis([100, 100], true)).toMatchObject({ min: 99.9, max: 100 });
  expect(percentAxis([0, 0], true)).toMatchObject({ min: 0, max: 0.1 });
  expect(percentAxis([], true)).toMatchObject({ max: 100 });
});
