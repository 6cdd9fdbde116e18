// The naive members, running: the last season again and again, or with a period of one the last value.

import type { SeasonModel } from './forecaster-model.ts';
import type { RunningMember } from './running-member.ts';

export class SeasonRunner implements RunningMember {
  readonly historyMin: number;
  private readonly season: Float64Array;
  private next = 0;

  constructor({ season }: SeasonModel) {
    this.season = season.slice();
    this.historyMin = season.length;
  }

  forecast(horizon: number): Float64Array {
    const { season, next } = this;
    const result = new Float64Array(horizon);
    for (let step = 0; step < horizon; step++) result[step] = season[(next + step) % season.length]!;
    return result;
  }

  append(value: number): void {
    this.season[this.next] = value;
    this.next = (this.next + 1) % this.season.length;
  }

  model(weight = 1): SeasonModel {
    const { season, next } = this;
    return { kind: 'season', weight, season: season.map((_, at) => season[(next + at) % season.length]!) };
  }

  save(): readonly number[] {
    return Array.from(this.model().season);
  }

  restore(season: readonly number[]): void {
    this.season.set(season);
    this.next = 0;
  }
}
