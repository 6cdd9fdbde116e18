// Time from demand, by the roofline model (Williams, Waterman and Patterson, "Roofline: an insightful visual performance
// model for multicore architectures", CACM 52(4), 2009): arithmetic and memory overlap, so that an operator takes the longer
// of the two; its traffic between devices follows. A device or type without published figures is an answer, not a guess.

import { acceptedWith, type Refused, type Result, refused } from '../base/status.ts';
import { microsPerSecond } from '../base/time.ts';
import type { Device } from './device.ts';
import { arithmeticIntensity, type OperatorLoad } from './operator-load.ts';

export interface RooflineOptions {
  /** Share of the peak arithmetic that kernels reach, in (0, 1]; 1 when not given, which gives a lower bound on time. */
  readonly computeEfficiency?: number;
  /** Share of the memory and link bandwidth that they reach, in (0, 1]; 1 when not given. */
  readonly memoryEfficiency?: number;
  /** Fixed cost of starting an operator, ≥ 0; 0 when not given. */
  readonly launchMicros?: number;
  /** Time that each message over a link takes besides its bytes, ≥ 0; 0 when not given. */
  readonly messageMicros?: number;
}

export interface RooflineTime {
  readonly micros: number;
  /** What took most of it. */
  readonly bound: 'compute' | 'memory' | 'link' | 'launch';
  readonly computeMicros: number;
  readonly memoryMicros: number;
  readonly linkMicros: number;
  readonly launchMicros: number;
}

/**
 * Time of operators that run one after the other. Refused with SIRA_TENSOR_INVALID when the device has no published figure
 * for something that they need.
 */
export function rooflineTime(
  operators: readonly OperatorLoad[],
  device: Device,
  options: RooflineOptions = {},
): Result<RooflineTime> {
  const { computeEfficiency = 1, memoryEfficiency = 1, launchMicros = 0, messageMicros = 0 } = options;
  const isSound = isShare(computeEfficiency) && isShare(memoryEfficiency) && launchMicros >= 0 && messageMicros >= 0;
  if (!isSound) return refused('SIRA_TENSOR_INVALID', 'efficiencies lie in (0, 1] and fixed costs are not negative');
  let total = 0;
  const spent = { compute: 0, memory: 0, link: 0, launch: 0 };
  const sums = { compute: 0, memory: 0, link: 0, launch: 0 };
  for (const operator of operators) {
    const moved = operator.bytesRead + operator.bytesWritten;
    const peak = device.peakFlops[operator.dataType];
    if (operator.flops > 0 && peak === undefined)
      return unpublished(device, `${operator.dataType} arithmetic, which ${operator.name} needs`);
    if (moved > 0 && device.memoryBytesPerSecond === undefined) return unpublished(device, 'memory bandwidth');
    if (operator.linkBytes > 0 && device.linkBytesPerSecond === undefined) return unpublished(device, 'link bandwidth');
    const compute = quotient(operator.flops, (peak ?? 1) * computeEfficiency) * operator.repeats;
    const memory = quotient(moved, (device.memoryBytesPerSecond ?? 1) * memoryEfficiency) * operator.repeats;
    const messages = operator.linkMessages * messageMicros;
    const link =
      (quotient(operator.linkBytes, (device.linkBytesPerSecond ?? 1) * memoryEfficiency) + messages) * operator.repeats;
    const launch = launchMicros * operator.repeats;
    total += Math.max(compute, memory) + link + launch;
    sums.compute += compute;
    sums.memory += memory;
    sums.link += link;
    sums.launch += launch;
    spent[compute >= memory ? 'compute' : 'memory'] += Math.max(compute, memory);
    spent.link += link;
    spent.launch += launch;
  }
  let bound: RooflineTime['bound'] = 'compute';
  for (const part of ['memory', 'link', 'launch'] as const) if (spent[part] > spent[bound]) bound = part;
  return acceptedWith({
    micros: total,
    bound,
    computeMicros: sums.compute,
    memoryMicros: sums.memory,
    linkMicros: sums.link,
    launchMicros: sums.launch,
  });
}

/** Operations a second that the roofline allows an operator on a device: min(peak, intensity · bandwidth); `undefined` if unpublished. */
export function attainableFlops(operator: OperatorLoad, device: Device): number | undefined {
  const peak = device.peakFlops[operator.dataType];
  if (peak === undefined || device.memoryBytesPerSecond === undefined) return undefined;
  const intensity = arithmeticIntensity(operator.flops, operator.bytesRead + operator.bytesWritten);
  return Math.min(peak, intensity * device.memoryBytesPerSecond);
}

/** Micros to work off `amount` at `perSecond`. */
function quotient(amount: number, perSecond: number): number {
  return (amount / perSecond) * microsPerSecond;
}

function isShare(value: number): boolean {
  return value > 0 && value <= 1;
}

function unpublished(device: Device, what: string): Refused {
  return refused('SIRA_TENSOR_INVALID', `no peak is published of ${device.name} for ${what} (${device.note})`);
}
