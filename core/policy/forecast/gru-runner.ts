// The recurrent network as a running member: its window moves on with each value.

import { assert } from '../../base/assert.ts';
import { fixedExp, fixedLog } from '../../base/fixed-math.ts';
import type { GruModel } from './forecaster-model.ts';
import { runGru, standardWindow } from './gru-network.ts';
import type { RunningMember } from './running-member.ts';

export class GruRunner implements RunningMember {
  readonly historyMin: number;
  private readonly constants: GruModel;
  private readonly window: Float64Array;

  constructor(model: GruModel) {
    const { period, seasonCount } = model.network;
    this.constants = model;
    this.historyMin = period * seasonCount;
    this.window = new Float64Array(this.historyMin);
    this.window.set(model.window.subarray(Math.max(0, model.window.length - this.historyMin)));
  }

  forecast(horizon: number): Float64Array {
    const { network, logarithm } = this.constants;
    assert(horizon <= network.horizon, 'trained for as many steps');
    const { window } = this;
    const { length } = window;
    const standard = standardWindow(logarithm ? window.map(fixedLog) : window, length, length, network.period);
    const result = runGru(network, standard.values).slice(0, horizon);
    for (let step = 0; step < horizon; step++) {
      const value = standard.level + standard.scale * result[step]!;
      result[step] = logarithm ? fixedExp(value) : value;
    }
    return result;
  }

  /** A value that has no logarithm stands for the least positive one seen. */
  append(value: number): void {
    const { logarithm, least } = this.constants;
    this.window.copyWithin(0, 1);
    this.window[this.window.length - 1] = logarithm ? Math.max(value, least) : value;
  }

  model(weight = 1): GruModel {
    return { ...this.constants, weight, window: this.window.slice() };
  }

  save(): readonly number[] {
    return Array.from(this.window);
  }

  restore(state: readonly number[]): void {
    this.window.set(state);
  }
}
