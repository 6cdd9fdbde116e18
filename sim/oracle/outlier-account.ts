// Who is slower than the others, counted a second time: run time over estimate of each agent's last results and of what runs too
// long already, and how often each was ejected and forgiven. Where what the kernel knew at its check cannot be told from outside, a
// range is kept.

import type { SettingsModel } from './settings-model.ts';

interface Ejections {
  least: number;
  most: number;
}

/** Run time over estimate, of a task of a class. */
export interface OutlierSample {
  readonly taskClass: string;
  readonly ratio: number;
}

export class OutlierAccount {
  private readonly settings: SettingsModel;
  private readonly samples = new Map<number, OutlierSample[]>();
  private readonly ejections = new Map<number, Ejections>();
  /** When results are looked at next. */
  checkMicros = Number.POSITIVE_INFINITY;

  constructor(settings: SettingsModel) {
    this.settings = settings;
  }

  completed(agent: number, sample: OutlierSample, nowMicros: number): void {
    const slowFactor = this.settings.get('health.slowFactor');
    if (slowFactor === 0 && this.settings.get('health.failuresMax') === 0) return;
    this.samples.set(agent, [...(this.samples.get(agent) ?? []), sample]);
    if (this.checkMicros === Number.POSITIVE_INFINITY) this.checkAfter(nowMicros);
  }

  /** The check has come. Those that are too slow, the slowest first; undefined if that is not `certain`. `running`: what an agent
   *  has begun and not ended. */
  check(
    nowMicros: number,
    isJudged: (agent: number) => boolean,
    running: (agent: number) => readonly OutlierSample[],
    certain: boolean,
  ): readonly number[] | undefined {
    this.checkAfter(nowMicros);
    const slow = this.slow(isJudged, running);
    for (const [agent, ejections] of this.ejections) {
      // Who has done nothing since it was ejected has proven nothing.
      const hasResults = (this.samples.get(agent) ?? []).length > 0;
      const isForgiven = hasResults && isJudged(agent) && !slow.includes(agent);
      if (isForgiven || (hasResults && !certain)) ejections.least = Math.max(0, ejections.least - 1);
      if (isForgiven && certain) ejections.most = Math.max(0, ejections.most - 1);
    }
    return certain ? slow : undefined;
  }

  /** The agent is ejected, and starts from nothing when it is back: for how long it may be, at least and at most. */
  eject(agent: number): { readonly leastMicros: number; readonly mostMicros: number } {
    this.samples.set(agent, []);
    const ejections = this.ejections.get(agent) ?? { least: 0, most: 0 };
    ejections.least++;
    ejections.most++;
    this.ejections.set(agent, ejections);
    const lengthMicros = (times: number): number =>
      Math.min(this.settings.get('health.ejectionFirstMicros') * times, this.settings.get('health.ejectionMaxMicros'));
    return { leastMicros: lengthMicros(ejections.least), mostMicros: lengthMicros(ejections.most) };
  }

  private checkAfter(nowMicros: number): void {
    const isLookedAt = this.settings.get('health.slowFactor') > 0;
    this.checkMicros = isLookedAt
      ? nowMicros + this.settings.get('health.checkIntervalMicros')
      : Number.POSITIVE_INFINITY;
  }

  private slow(isJudged: (agent: number) => boolean, running: (agent: number) => readonly OutlierSample[]): number[] {
    const slowFactor = this.settings.get('health.slowFactor');
    const samplesMin = this.settings.get('health.samplesMin');
    const judged = [...this.samples]
      .filter(([agent]) => isJudged(agent))
      .map(([agent, samples]) => ({ agent, samples: samples.slice(-samplesMin) }));
    const usual = (taskClass: string): number => {
      const medians = judged
        .map(({ samples }) => samples.filter((sample) => sample.taskClass === taskClass))
        .filter((samples) => samples.length > 0)
        .map((samples) => lowerMedian(samples.map(({ ratio }) => ratio)));
      return medians.length === 0 ? Number.POSITIVE_INFINITY : Math.max(Number.MIN_VALUE, lowerMedian(medians));
    };
    const relative = ({ taskClass, ratio }: OutlierSample): number => ratio / usual(taskClass);
    const medians = judged
      .filter(({ samples }) => samples.length >= samplesMin)
      .map(({ samples }) => lowerMedian(samples.map(relative)));
    if (slowFactor === 0 || medians.length < this.settings.get('health.agentsMin')) return [];
    const bound = slowFactor * lowerMedian(medians);
    return judged
      .map(({ agent, samples }) => {
        const overdue = running(agent).filter((sample) => relative(sample) > bound);
        return { agent, latest: [...samples, ...overdue].slice(-samplesMin) };
      })
      .filter(({ latest }) => latest.length >= samplesMin)
      .map(({ agent, latest }) => ({ agent, median: lowerMedian(latest.map(relative)) }))
      .filter(({ median }) => median > bound)
      .sort((left, right) => right.median - left.median || left.agent - right.agent)
      .map(({ agent }) => agent);
  }
}

function lowerMedian(values: readonly number[]): number {
  const rising = [...values].sort((left, right) => left - right);
  return rising[Math.ceil(rising.length / 2) - 1] as number;
}
