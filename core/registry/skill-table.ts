// How fast, how surely and at what cost in energy each agent serves each class of task: learned from outcomes, and shrunk
// towards what agents declare and what their like have shown, as far as few samples say little. The logarithm of seconds a unit
// of work is taken as
//   declared + group at class + agent + agent at class + noise,
// an additive completion of the table agents × classes (of rank one in the times themselves) in which every part counts by the
// precision that it has (empirical Bayes: Efron & Morris, JASA 70, 1975; Gelman & Hill 2007, chapter 12), and the variances
// come from the surprise of new outcomes. Old outcomes fade. One outcome costs a pass over the agent's classes, in a fixed
// order. The table decides nothing and reads no clock.

import { assert } from '../base/assert.ts';
import { fixedLog } from '../base/fixed-math.ts';
import { ForwardDecay } from './forward-decay.ts';
import { MeasuredVariance } from './measured-variance.ts';
import { SkillColumn } from './skill-column.ts';
import { hopedRate, type SkillEstimate } from './skill-estimate.ts';
import { groupMean, groupNumber, groupVariance, successWeight } from './skill-groups.ts';
import type { DeclaredRates, SkillOutcome } from './skill-outcome.ts';
import { SkillScan } from './skill-scan.ts';
import { agentPrior, groupModelMax, noisePrior, pairPrior, type SkillSettings } from './skill-settings.ts';
import type { SkillTableState } from './skill-table-state.ts';

export type { SkillTableState };

const groupCount = 2 * groupModelMax;
const microsPerSecond = 1_000_000;

export class SkillTable {
  private settings: SkillSettings;
  /** Class 0 is none. */
  private readonly columns: SkillColumn[] = [new SkillColumn('', groupCount)];
  private readonly classOfName = new Map<string, number>();
  /** Accelerator models, and the model of each agent. */
  private readonly models: string[] = [];
  private modelOf = new Int32Array(0);
  /** How much slower the agent is than its declaration and its like over all classes: logarithm, and the variance of that
   *  estimate, 0 before the first outcome. */
  private offset = new Float64Array(0);
  private offsetVariance = new Float64Array(0);
  private rows = 0;
  private readonly declared: DeclaredRates;
  private readonly decay: ForwardDecay;
  private readonly noise = new MeasuredVariance(noisePrior);
  private readonly agent = new MeasuredVariance(agentPrior);
  private readonly pair = new MeasuredVariance(pairPrior);
  /** The row whose offers were written last in turn. */
  private refreshed = -1;
  private keepsOffers = false;
  /** Logarithms of seconds a unit as declared, by dimension: computed when they are asked for, and no part of the state. */
  private readonly declaredColumns = new Map<number, Float64Array>();
  private readonly single = new SkillScan(1, groupCount);
  private readonly noReasons = new Uint16Array(1);

  constructor(settings: SkillSettings, declared: DeclaredRates) {
    this.settings = settings;
    this.declared = declared;
    this.decay = new ForwardDecay(settings.halfLifeMicros);
  }

  /** Names of the classes known so far, in order of first sight. */
  get classNames(): readonly string[] {
    return [...this.classOfName.keys()];
  }
  /** Classes known so far, the none left out. */
  get classCount(): number {
    return this.columns.length - 1;
  }

  className(taskClass: number): string {
    return (this.columns[taskClass] as SkillColumn).taskClass;
  }

  /** The number of a class, 0 for none and for those that no task ever named. */
  classOf(name: string): number {
    return this.classOfName.get(name) ?? 0;
  }

  /** The number of a class that a task names, given out at first sight; 0 if there are too many. */
  internClass(name: string): number {
    const known = this.classOf(name);
    if (known !== 0 || name === '' || this.classCount >= this.settings.classCountMax) return known;
    const taskClass = this.addColumn(new SkillColumn(name, groupCount));
    if (this.keepsOffers) for (let row = 0; row < this.rows; row++) this.writeOffer(row, taskClass);
    return taskClass;
  }

  /** Other settings from now on. Classes beyond a smaller bound stay. All offers may change. */
  configure(settings: SkillSettings, nowMicros: number): void {
    this.moveTo(nowMicros);
    this.decay.setHalfLife(settings.halfLifeMicros);
    this.settings = settings;
    for (let row = 0; row < this.rows; row++) this.writeOffers(row);
  }

  /** A placement asks for offers: they are kept from now on. */
  wantOffers(): void {
    this.keepsOffers = true;
  }

  /** Units a second that a placement may hope for from `row`, as last written; 0 without a class. It changes for the rows that
   *  {@link record} and {@link addRow} are called for or return, and with a class's first task, and never otherwise. */
  offer(taskClass: number, row: number): number {
    return (this.columns[taskClass] as SkillColumn).offers[row] as number;
  }

  grow(rows: number): void {
    const models = new Int32Array(rows);
    models.set(this.modelOf);
    this.modelOf = models;
    const offset = new Float64Array(rows);
    offset.set(this.offset);
    this.offset = offset;
    const offsetVariance = new Float64Array(rows);
    offsetVariance.set(this.offsetVariance);
    this.offsetVariance = offsetVariance;
    for (const column of this.columns) column.grow(rows);
    this.declaredColumns.clear();
  }

  /** An agent registers, for the first time or again, and declares what `declare` stores. What it has shown stays, unless it has
   *  other hardware. */
  register(row: number, model: string, declare: () => void): void {
    const isKnown = row < this.rows;
    if (isKnown) for (const column of this.columns) column.leave(row, this.groupOf(row, column));
    declare();
    for (const column of this.columns) this.notePrior(row, column);
    for (const [dimension, column] of this.declaredColumns) column[row] = this.declaredLogarithm(row, dimension);
    const number = this.internModel(model);
    if (!isKnown) this.rows = row + 1;
    else if (this.modelOf[row] !== number) {
      for (const column of this.columns) column.forget(row);
      this.offset[row] = 0;
      this.offsetVariance[row] = 0;
    }
    this.modelOf[row] = number;
    if (isKnown) {
      for (const column of this.columns) column.enter(row, this.groupOf(row, column));
      this.refit(row);
    }
    this.writeOffers(row);
  }

  /** An outcome of `row` at a class. Returns another row whose offers were written in its turn, −1 if there is none. */
  record(row: number, taskClass: number, outcome: SkillOutcome, nowMicros: number): number {
    assert(
      taskClass > 0 && taskClass <= this.classCount && row < this.rows,
      'outcomes are of known classes and agents',
    );
    const column = this.columns[taskClass] as SkillColumn;
    this.moveTo(nowMicros);
    column.noteOutcome(row, this.groupOf(row, column), this.decay.scale, outcome.completed, nowMicros);
    if (outcome.completed) this.noteCompleted(row, column, outcome);
    if (!this.keepsOffers) return -1;
    this.writeOffers(row);
    this.refreshed = (this.refreshed + 1) % this.rows;
    if (this.refreshed === row) return -1;
    this.writeOffers(this.refreshed);
    return this.refreshed;
  }

  /** What is believed of `row` at a class as of the latest outcome; undefined if nothing is known. Class and dimension as for
   *  {@link scan}. */
  estimate(row: number, taskClass: number, dimension = this.dimensionOf(taskClass)): SkillEstimate | undefined {
    const { single } = this;
    this.beginScan(single, taskClass, dimension);
    single.read(row, 1, this.noReasons);
    const mean = single.mean[0] as number;
    if (Number.isNaN(mean)) return undefined;
    const success = single.success[0] as number;
    const attempts = ((this.columns[taskClass] as SkillColumn).attempts[row] as number) / this.decay.scale;
    const successVariance = (success * (1 - success)) / (attempts + successWeight + 1);
    return { mean, variance: single.variance[0] as number, success, successVariance, tried: attempts > 0 };
  }

  /** The same of many rows, until the table changes. `taskClass` is 0 for a class that only declarations name; `dimension` is
   *  that of the skill of its name. */
  scan(taskClass: number, dimension: number, rowsMax: number): SkillScan {
    return this.beginScan(new SkillScan(rowsMax, groupCount), taskClass, dimension);
  }

  /** What was measured of `row` at a class alone; undefined without an outcome. */
  measured(row: number, taskClass: number) {
    const column = this.columns[taskClass] as SkillColumn;
    const count = column.count[row] as number;
    if (count === 0) return undefined;
    const weight = column.samples[row] as number;
    const joules = column.joules[row] as number;
    return {
      /** Mean logarithm of seconds a unit, undefined if none completed. */
      mean: weight === 0 ? undefined : (column.sum[row] as number) / weight,
      /** Weight of completed tasks, in tasks of now. */
      samples: weight / this.decay.scale,
      count,
      lastMicros: column.lastMicros[row] as number,
      joulesPerUnit: joules > 0 ? joules / weight : undefined,
    };
  }

  save(): SkillTableState {
    return {
      decay: this.decay.save(),
      models: [...this.models],
      modelOf: Array.from(this.modelOf.subarray(0, this.rows)),
      offset: Array.from(this.offset.subarray(0, this.rows)),
      offsetVariance: Array.from(this.offsetVariance.subarray(0, this.rows)),
      variances: this.variances().map((variance) => variance.save()),
      refreshed: this.refreshed,
      columns: this.columns
        .slice(1)
        .map((column) => ({ taskClass: column.taskClass, ...column.save(this.rows, this.keepsOffers) })),
    };
  }

  /** The table must have been grown to the state's rows. */
  restore(state: SkillTableState): void {
    this.declaredColumns.clear();
    this.decay.restore(state.decay);
    this.models.length = 0;
    this.models.push(...state.models);
    this.rows = state.modelOf.length;
    this.modelOf.set(state.modelOf);
    this.offset.set(state.offset);
    this.offsetVariance.set(state.offsetVariance);
    this.variances().forEach((variance, index) => {
      variance.restore(state.variances[index] as readonly number[]);
    });
    this.refreshed = state.refreshed;
    for (const { taskClass, ...saved } of state.columns) {
      const column = new SkillColumn(taskClass, groupCount);
      this.addColumn(column);
      column.restore(saved);
    }
    // The snapshot's kernel had no use for them.
    if (state.columns.some(({ offers }) => offers.length < this.rows))
      for (let row = 0; row < this.rows; row++) this.writeOffers(row);
  }

  private noteCompleted(row: number, column: SkillColumn, outcome: SkillOutcome): void {
    const value = fixedLog(Math.max(1, outcome.serviceMicros) / microsPerSecond / outcome.size);
    column.reference ??= value;
    this.learnVariances(row, column, value);
    const joules = outcome.joules === undefined ? undefined : outcome.joules / outcome.size;
    column.noteCompleted(row, this.decay.scale, value, joules);
    for (const other of this.columns) other.takeOut(row, this.groupOf(row, other));
    this.refit(row);
  }

  /** The agent's offset from what it has shown at each class, then its shares in its groups, which must have been taken out. */
  private refit(row: number): void {
    const { scale } = this.decay;
    const noise = this.noise.value * scale;
    const pair = this.pair.value;
    let precision = 1 / this.agent.value;
    let sum = 0;
    for (const column of this.columns) {
      const weight = column.samples[row] as number;
      if (weight === 0) continue;
      const group = this.groupOf(row, column);
      const certainty = 1 / (pair + noise / weight + this.groupVariance(column, group));
      precision += certainty;
      sum += certainty * (this.residual(row, column) - this.groupMean(column, group));
    }
    if (precision === 1 / this.agent.value) return;
    const offset = sum / precision;
    this.offset[row] = offset;
    this.offsetVariance[row] = 1 / precision;
    const among = this.agent.value + pair;
    for (const column of this.columns) {
      const weight = column.samples[row] as number;
      if (weight === 0) continue;
      // An agent counts once however many its outcomes are, and less the longer it is idle.
      const share = (Math.min(weight, scale) * among) / (among + noise / weight);
      column.putIn(row, this.groupOf(row, column), share, share * (this.residual(row, column) - offset));
    }
  }

  /** Every new outcome tells how far off the belief was: by its distance from the agent's own mean the noise, by that of the
   *  first at a class how much an agent's classes differ, by that of an agent's very first how much agents do. */
  private learnVariances(row: number, column: SkillColumn, value: number): void {
    const { scale } = this.decay;
    const weight = column.samples[row] as number;
    if (weight > 0) {
      const distance = value - (column.sum[row] as number) / weight;
      // An outcome of long ago is no mean to measure noise about.
      if (weight >= 0.5 * scale) this.noise.add((distance * distance * weight) / (weight + scale), scale);
      return;
    }
    const group = this.groupOf(row, column);
    if (column.groupShare[group] === 0) return;
    const distance = value - (this.prior(row, column) + this.groupMean(column, group) + (this.offset[row] as number));
    const explained = this.noise.value + this.groupVariance(column, group);
    const square = distance * distance - explained;
    if (this.offsetVariance[row] === 0) this.agent.add(square - this.pair.value, scale);
    else this.pair.add(square - this.offsetVarianceOf(row), scale);
  }

  /** Mean of what was measured, less what was declared. */
  private residual(row: number, column: SkillColumn): number {
    return (column.sum[row] as number) / (column.samples[row] as number) - this.prior(row, column);
  }

  private prior(row: number, column: SkillColumn): number {
    const declared = column.priors[row] as number;
    return !Number.isNaN(declared) ? declared : (column.reference ?? 0);
  }

  private notePrior(row: number, column: SkillColumn): void {
    if (column.dimension < 0) column.dimension = this.declared.dimensionOf(column.taskClass);
    column.priors[row] = this.declaredLogarithm(row, column.dimension);
  }

  private beginScan(scan: SkillScan, taskClass: number, dimension: number): SkillScan {
    const { modelOf, offset, offsetVariance, agent, pair, noise } = this;
    const variances = { agentVariance: agent.value, pairVariance: pair.value, noiseVariance: noise.value };
    const basis = { modelOf, offset, offsetVariance, ...variances, scale: this.decay.scale };
    const column = this.columns[taskClass] as SkillColumn;
    // A class that no task ever named has no column of its own.
    return scan.begin(basis, column, taskClass === 0 ? this.declaredColumn(dimension) : column.priors);
  }

  /** By row; kept for the dimensions that were asked for. */
  private declaredColumn(dimension: number): Float64Array {
    let column = this.declaredColumns.get(dimension);
    if (column === undefined) {
      column = new Float64Array(this.offset.length);
      for (let row = 0; row < this.rows; row++) column[row] = this.declaredLogarithm(row, dimension);
      this.declaredColumns.set(dimension, column);
    }
    return column;
  }

  private declaredLogarithm(row: number, dimension: number): number {
    const rate = dimension < 0 ? 0 : this.declared.rate(row, dimension);
    return rate > 0 ? -fixedLog(rate) : Number.NaN;
  }

  private dimensionOf(taskClass: number): number {
    return this.declared.dimensionOf(this.className(taskClass));
  }

  private groupOf(row: number, column: SkillColumn): number {
    return groupNumber(this.modelOf[row] as number, !Number.isNaN(column.priors[row] as number));
  }

  private groupMean(column: SkillColumn, group: number): number {
    return groupMean(column, group, this.decay.scale, this.agent.value + this.pair.value);
  }

  private groupVariance(column: SkillColumn, group: number): number {
    return groupVariance(column, group, this.decay.scale, this.agent.value + this.pair.value);
  }

  private offsetVarianceOf(row: number): number {
    const variance = this.offsetVariance[row] as number;
    return variance === 0 ? this.agent.value : variance;
  }

  private writeOffers(row: number): void {
    if (!this.keepsOffers) return;
    for (let taskClass = 1; taskClass < this.columns.length; taskClass++) this.writeOffer(row, taskClass);
  }

  private writeOffer(row: number, taskClass: number): void {
    const estimate = this.estimate(row, taskClass);
    const offer = estimate === undefined ? 1 : hopedRate(estimate, this.settings.optimism);
    (this.columns[taskClass] as SkillColumn).offers[row] = offer;
  }

  private addColumn(column: SkillColumn): number {
    column.grow(this.offset.length);
    const taskClass = this.columns.push(column) - 1;
    this.classOfName.set(column.taskClass, taskClass);
    for (let row = 0; row < this.rows; row++) this.notePrior(row, column);
    return taskClass;
  }

  private internModel(model: string): number {
    const known = this.models.indexOf(model);
    if (known >= 0) return known;
    // The last group is that of all further models.
    return this.models.length < groupModelMax ? this.models.push(model) - 1 : groupModelMax - 1;
  }

  private moveTo(nowMicros: number): void {
    const factor = this.decay.moveTo(nowMicros);
    if (factor !== 1) {
      for (const column of this.columns) column.rescale(factor);
      for (const variance of this.variances()) variance.rescale(factor);
    }
    for (const variance of this.variances()) variance.update(this.decay.scale);
  }

  private variances(): MeasuredVariance[] {
    return [this.noise, this.agent, this.pair];
  }
}
