// Quantities as a scenario writes them, in the units of the code. The schema and the checks came before.

import { assert } from '../../core/base/assert.ts';
import { parseDurationMicros } from '../../core/base/time.ts';
import type { LatencySpec } from '../world/latency.ts';
import type { DurationText, LatencyFields } from './scenario-fields.ts';

const bandwidthScale: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Bytes per second; 0 is unlimited. */
export function bandwidth(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMGT]?)(bit|B)\/s$/.exec(text);
  if (match === null) return 0;
  return (Number(match[1]) * bandwidthScale[match[2]!]!) / (match[3] === 'bit' ? 8 : 1);
}

export function micros(text: DurationText): number {
  const value = parseDurationMicros(text);
  assert(value !== undefined, 'durations were checked before a scenario is built');
  return value;
}

/** A duration alone is constant. */
export function buildLatency(latency: LatencyFields): LatencySpec {
  if (typeof latency === 'string') return { distribution: 'constant', meanMicros: micros(latency), sigma: 0 };
  const { distribution, mean, sigma } = latency;
  return { distribution, meanMicros: micros(mean), sigma: distribution === 'lognormal' ? (sigma ?? 0.5) : 0 };
}
