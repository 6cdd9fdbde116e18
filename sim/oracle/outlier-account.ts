// Who is slower than the others, counted a second time: run time over estimate of each agent's last results, and how often each was
// ejected and forgiven. Where what the kernel knew at its check cannot be told from outside, a range is kept.

import type { SettingsModel } from './settings-model.ts';

interface Ejections {
  least: number;
  most: number;
}

/** Results that count for an agent, at most. */
const samplesMax = 32;

export class OutlierAccount {
  private readonly settings: SettingsModel;
  private readonly ratios = new Map<number, number[]>();
  private readonly ejections = new Map<number, Ejections>();
  /** When results are looked at next. */
  checkMicros = Number.POSITIVE_INFINITY;

  constructor(settings: SettingsModel) {
    this.settings = settings;
  }

  completed(agent: number, ratio: number, nowMicros: number): void {
    const slowFactor = this.settings.get('health.slowFactor');
    if (slowFactor === 0 && this.settings.get('health.failuresMax') === 0) return;
    this.ratios.set(agent, [...(this.ratios.get(agent) ?? []), ratio].slice(-samplesMax));
    if (slowFactor > 0 && this.checkMicros === Number.POSITIVE_INFINITY)
      this.checkMicros = nowMicros + this.settings.get('health.checkIntervalMicros');
  }

  /** The check has come. Those that are too slow, the slowest first; undefined if that is not `certain`. */
  check(isJudged: (agent: number) => boolean, certain: boolean): readonly number[] | undefined {
    this.checkMicros = Number.POSITIVE_INFINITY;
    const slow = this.slow(isJudged);
    for (const [agent, ejections] of this.ejections) {
      const isForgiven = isJudged(agent) && !slow.includes(agent);
      if (isForgiven || !certain) ejections.least = Math.max(0, ejections.least - 1);
      if (isForgiven && certain) ejections.most = Math.max(0, ejections.most - 1);
    }
    return certain ? slow : undefined;
  }

  /** The agent is ejected, and starts from nothing when it is back: for how long it may be, at least and at most. */
  eject(agent: number): { readonly leastMicros: number; readonly mostMicros: number } {
    this.ratios.set(agent, []);
    const ejections = this.ejections.get(agent) ?? { least: 0, most: 0 };
    ejections.least++;
    ejections.most++;
    this.ejections.set(agent, ejections);
    const lengthMicros = (times: number): number =>
      Math.min(this.settings.get('health.ejectionFirstMicros') * times, this.settings.get('health.ejectionMaxMicros'));
    return { leastMicros: lengthMicros(ejections.least), mostMicros: lengthMicros(ejections.most) };
  }

  private slow(isJudged: (agent: number) => boolean): number[] {
    const { settings } = this;
    const slowFactor = settings.get('health.slowFactor');
    const medians = [...this.ratios]
      .filter(([agent, ratios]) => ratios.length >= settings.get('health.samplesMin') && isJudged(agent))
      .map(([agent, ratios]) => ({ agent, median: lowerMedian(ratios) }));
    if (slowFactor === 0 || medians.length < settings.get('health.agentsMin')) return [];
    const bound = slowFactor * lowerMedian(medians.map(({ median }) => median));
    return medians
      .filter(({ median }) => median > bound)
      .sort((left, right) => right.median - left.median || left.agent - right.agent)
      .map(({ agent }) => agent);
  }
}

function lowerMedian(values: readonly number[]): number {
  const rising = [...values].sort((left, right) => left - right);
  return rising[Math.ceil(rising.length / 2) - 1] as number;
}
