// An exported forecaster, running: its members' forecasts by their weights, quantiles from how far its errors went, and its state as
// plain data. The same bits as where it was fitted, as long as both take the same values.

import { assert } from '../../base/assert.ts';
import { bounded } from './forecaster.ts';
import type { ForecasterModel, MemberModel } from './forecaster-model.ts';
import { GruRunner } from './gru-runner.ts';
import { LagLinearRunner } from './lag-linear-runner.ts';
import type { RunningMember } from './running-member.ts';
import { SeasonRunner } from './season-runner.ts';
import { HoltWintersRunner } from './smoothing.ts';

export interface RunningForecasterState {
  readonly taken: number;
  readonly members: readonly unknown[];
}

export class RunningForecaster {
  private readonly model: ForecasterModel;
  private readonly members: readonly RunningMember[];
  private taken = 0;

  /** Goes on after the values that the model knows. */
  constructor(model: ForecasterModel) {
    this.model = model;
    this.members = model.members.map(createMember);
  }

  /** True once the values taken here are all that the members look at: what they were fitted to no longer counts. */
  get isSettled(): boolean {
    return this.members.every(({ historyMin }) => this.taken >= historyMin);
  }

  append(value: number): void {
    for (const member of this.members) member.append(value);
    this.taken++;
  }

  /** The next `horizon` values, as many as the manifest says at most. */
  forecast(horizon: number): Float64Array {
    const { manifest, members } = this.model;
    assert(horizon >= 1 && horizon <= manifest.horizon, 'fitted for as many steps');
    const result = new Float64Array(horizon);
    for (const [index, member] of this.members.entries()) {
      const values = bounded(member.forecast(horizon), manifest);
      const { weight } = members[index] as MemberModel;
      for (let step = 0; step < horizon; step++) result[step] = result[step]! + weight * values[step]!;
    }
    return bounded(result, manifest);
  }

  /** What is not exceeded with the probability of the manifest's level number `which`. */
  quantile(which: number, horizon: number): Float64Array {
    const { manifest, offsets } = this.model;
    assert(which >= 0 && which < manifest.levels.length, 'a level that the forecaster has');
    const result = this.forecast(horizon);
    const first = which * manifest.horizon;
    for (let step = 0; step < horizon; step++) result[step] = result[step]! + offsets[first + step]!;
    return bounded(result, manifest);
  }

  save(): RunningForecasterState {
    return { taken: this.taken, members: this.members.map((member) => member.save()) };
  }

  restore({ taken, members }: RunningForecasterState): void {
    this.taken = taken;
    for (const [index, member] of this.members.entries()) member.restore(members[index] as never);
  }
}

function createMember(model: MemberModel): RunningMember {
  switch (model.kind) {
    case 'season':
      return new SeasonRunner(model);
    case 'lag-linear':
      return new LagLinearRunner(model);
    case 'holt-winters':
      return new HoltWintersRunner(model);
    case 'gru':
      return new GruRunner(model);
  }
}
