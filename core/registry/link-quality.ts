// How good the link to each agent is, from the echoes of small messages that its gateway sends anyway: round trip, jitter, loss
// and throughput, and which links are unlike the others or unlike themselves. It reads no clock, keeps a fixed amount a link and
// decides nothing: a shell feeds it, people and alarms read it.

import { assert } from '../base/assert.ts';

/** Round trips that a link's own usual is taken from. */
const usualSamples = 64;
/** An echo says something of a link when so many came before it. */
const samplesMin = 8;
/** Exponential weights: RFC 6298 for the round trip, RFC 3550 (6.4.1) for jitter. */
const roundTripGain = 1 / 8;
const jitterGain = 1 / 16;
const lossGain = 1 / 32;
const throughputGain = 1 / 4;
/** A median absolute deviation of a normal distribution times this is its standard deviation. */
const madFactor = 1.4826;

export interface LinkRules {
  /** Robust standard deviations from the median that are no chance (Iglewicz & Hoaglin 1993 take 3.5 for single values). */
  readonly deviations: number;
  /** And this many times the median at least, so that a quiet fleet does not cry over microseconds. */
  readonly factor: number;
  /** Share of lost messages that is bad in any case. */
  readonly lossMax: number;
  /** Echoes in a row that must agree before a link is flagged, and before it is cleared. */
  readonly patience: number;
}

export const defaultLinkRules: LinkRules = { deviations: 6, factor: 1.5, lossMax: 0.05, patience: 5 };

/** What is wrong with a link. `slow`: its round trip is unlike its peers'. `slower`: unlike its own usual. */
export type LinkAnomaly = 'lossy' | 'slow' | 'slower';

export interface LinkReport {
  readonly link: number;
  /** Smoothed round trip, and the least ever, microseconds. */
  readonly roundTripMicros: number;
  readonly roundTripMicrosMin: number;
  /** Smoothed difference of successive round trips, microseconds. */
  readonly jitterMicros: number;
  /** Share of messages without an echo, the latest counting most; 0…1. */
  readonly loss: number;
  /** Undefined before a message of some size was echoed. */
  readonly bytesPerSecond: number | undefined;
  readonly echoCount: number;
  readonly lostCount: number;
  readonly anomalies: readonly LinkAnomaly[];
}

export class LinkQuality {
  private readonly rules: LinkRules;
  private readonly links: (Link | undefined)[] = [];
  private readonly free: number[] = [];

  /** Links are numbered from 0 to `count` − 1; further ones can be added. */
  constructor(count: number, rules: LinkRules = defaultLinkRules) {
    this.rules = rules;
    for (let link = 0; link < count; link++) this.links.push(new Link());
  }

  /** Links up to `count` − 1 are known from now on; those that were stay as they are. */
  grow(count: number): void {
    while (this.links.length < count) this.links.push(new Link());
  }

  /** One link more; returns its number. */
  add(): number {
    const link = this.free.pop() ?? this.links.length;
    this.links[link] = new Link();
    return link;
  }

  /** The link is no more; its number may be given out again. */
  remove(link: number): void {
    this.linkAt(link);
    this.links[link] = undefined;
    this.free.push(link);
  }

  /** A message of `bytes` came back after this long. Bytes tell throughput where they take longer than the bare round trip. */
  echoed(link: number, roundTripMicros: number, bytes = 0): void {
    assert(roundTripMicros >= 0 && bytes >= 0, 'an echo takes time, and has bytes');
    this.linkAt(link).echoed(roundTripMicros, bytes);
  }

  /** A message was given up. */
  lost(link: number): void {
    this.linkAt(link).lost();
  }

  /** Compares links with their peers and with themselves; call it once a round of messages. `which`: all if left out. One pass and
   *  one sort. */
  judge(which: readonly number[] = [...this.links.keys()]): void {
    const links = which.flatMap((link) => this.links[link] ?? []);
    const known = links.filter(({ echoCount }) => echoCount >= samplesMin);
    const { middle, deviation } = medianOf(known.map(({ roundTripMicros }) => roundTripMicros));
    const bound = this.boundOf(middle, deviation);
    for (const link of links) {
      const usual = medianOf(link.usual);
      const tells = link.echoCount >= samplesMin;
      link.note('lossy', link.echoCount + link.lostCount >= samplesMin && link.loss > this.rules.lossMax, this.rules);
      link.note('slow', tells && known.length >= 5 && link.roundTripMicros > bound, this.rules);
      // Half of the usual ones must be from before: a link that is slow for long is slow, not slower.
      const isFull = link.usual.length === usualSamples;
      link.note('slower', isFull && link.roundTripMicros > this.boundOf(usual.middle, usual.deviation), this.rules);
    }
  }

  report(link: number): LinkReport {
    return this.linkAt(link).report(link);
  }

  /** Links with an anomaly, by number. */
  flagged(): LinkReport[] {
    return this.links.flatMap((link, number) =>
      link !== undefined && link.anomalies.size > 0 ? [link.report(number)] : [],
    );
  }

  private boundOf(middle: number, deviation: number): number {
    return Math.max(middle * this.rules.factor, middle + this.rules.deviations * madFactor * deviation);
  }

  private linkAt(link: number): Link {
    const found = this.links[link];
    assert(found !== undefined, 'links are numbered when the table is made');
    return found;
  }
}

class Link {
  roundTripMicros = 0;
  loss = 0;
  echoCount = 0;
  lostCount = 0;
  /** Its latest round trips. */
  readonly usual: number[] = [];
  readonly anomalies = new Set<LinkAnomaly>();
  private least = Number.POSITIVE_INFINITY;
  private last = 0;
  private jitterMicros = 0;
  private bytesPerSecond = 0;
  /** Judgements in a row that differ from what is flagged, by anomaly. */
  private readonly doubts = new Map<LinkAnomaly, number>();

  echoed(roundTripMicros: number, bytes: number): void {
    const isFirst = this.echoCount === 0;
    this.echoCount++;
    this.loss -= lossGain * this.loss;
    this.roundTripMicros += (isFirst ? 1 : roundTripGain) * (roundTripMicros - this.roundTripMicros);
    if (!isFirst) this.jitterMicros += jitterGain * (Math.abs(roundTripMicros - this.last) - this.jitterMicros);
    this.last = roundTripMicros;
    const transferMicros = roundTripMicros - this.least;
    if (bytes > 0 && transferMicros > 0 && transferMicros < Number.POSITIVE_INFINITY) {
      const rate = (bytes * 1_000_000) / transferMicros;
      this.bytesPerSecond += (this.bytesPerSecond === 0 ? 1 : throughputGain) * (rate - this.bytesPerSecond);
    }
    if (bytes > 0) return;
    this.least = Math.min(this.least, roundTripMicros);
    this.usual.push(roundTripMicros);
    if (this.usual.length > usualSamples) this.usual.shift();
  }

  lost(): void {
    this.lostCount++;
    this.loss += lossGain * (1 - this.loss);
  }

  note(anomaly: LinkAnomaly, isSeen: boolean, { patience }: LinkRules): void {
    if (isSeen === this.anomalies.has(anomaly)) {
      this.doubts.delete(anomaly);
      return;
    }
    const doubts = (this.doubts.get(anomaly) ?? 0) + 1;
    this.doubts.set(anomaly, doubts);
    if (doubts < patience) return;
    this.doubts.delete(anomaly);
    if (isSeen) this.anomalies.add(anomaly);
    else this.anomalies.delete(anomaly);
  }

  report(link: number): LinkReport {
    return {
      link,
      roundTripMicros: this.roundTripMicros,
      roundTripMicrosMin: this.echoCount === 0 ? 0 : this.least,
      jitterMicros: this.jitterMicros,
      loss: this.loss,
      bytesPerSecond: this.bytesPerSecond === 0 ? undefined : this.bytesPerSecond,
      echoCount: this.echoCount,
      lostCount: this.lostCount,
      anomalies: (['lossy', 'slow', 'slower'] as const).filter((anomaly) => this.anomalies.has(anomaly)),
    };
  }
}

/** The lower median, and the median of the distances from it; zeros for none. */
function medianOf(values: readonly number[]): { readonly middle: number; readonly deviation: number } {
  const middle = lowerMedian(values);
  return { middle, deviation: lowerMedian(values.map((value) => Math.abs(value - middle))) };
}

function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted.length === 0 ? 0 : (sorted[(sorted.length - 1) >> 1] as number);
}
