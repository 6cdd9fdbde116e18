// What each machine will have free over time, by the estimates of what runs and of what is planned: a step function a machine,
// in segments from one change to the next. Where a task fits from when on is found by walking them. It knows no queue and no
// policy.

import { type ClusterState, deviceCountMax } from './cluster-state.ts';
import type { RequestKind } from './request.ts';
import { expectedEnd } from './reservation.ts';
import type { Attempt } from './task.ts';

/** Machines and devices for a while: from `startMicros` until before `endMicros`. */
export interface Window {
  readonly kind: RequestKind;
  readonly machines: readonly number[];
  readonly deviceMasks: readonly number[];
  readonly startMicros: number;
  readonly endMicros: number;
}

/** Free resources from `timeMicros` to the next segment's. */
interface Segment {
  readonly timeMicros: number;
  cpuMilli: number;
  memoryMib: number;
  readonly deviceMilli: Int32Array;
}

export class Availability {
  private readonly cluster: ClusterState;
  private readonly nowMicros: number;
  private readonly machines: (Segment[] | undefined)[] = [];
  private readonly ends = new Map<number, { readonly attempt: Attempt; readonly position: number }[]>();
  /** Free devices of the window last looked at: thousandths that stay free all the while. */
  private readonly lowest = new Int32Array(deviceCountMax);

  /** `running`: what holds resources now. What should have ended already is expected to end at once, but not now. */
  constructor(cluster: ClusterState, running: Iterable<Attempt>, nowMicros: number) {
    this.cluster = cluster;
    this.nowMicros = nowMicros;
    for (const attempt of running) {
      attempt.machines.forEach((machine, position) => {
        const there = this.ends.get(machine);
        if (there === undefined) this.ends.set(machine, [{ attempt, position }]);
        else there.push({ attempt, position });
      });
    }
  }

  /** The earliest time from `fromMicros` on at which `machine` can hold `kind` for `durationMicros`, on the same devices all the
   *  while; `Infinity` if never. Machines that take no new tasks now never do. O(segments), twice that at worst for devices. */
  earliest(kind: RequestKind, machine: number, fromMicros: number, durationMicros: number): number {
    if (this.excludes(kind, machine)) return Number.POSITIVE_INFINITY;
    const segments = this.segmentsOf(machine);
    let first = segmentAt(segments, fromMicros);
    let startMicros = Math.max(fromMicros, (segments[first] as Segment).timeMicros);
    for (;;) {
      const failed = this.firstFailure(segments, first, startMicros + durationMicros, kind);
      if (failed < 0) return startMicros;
      // Where the segment itself has room, its devices only were others than those before.
      first = this.holds(segments[failed] as Segment, kind) ? first + 1 : failed + 1;
      if (first >= segments.length) return Number.POSITIVE_INFINITY;
      startMicros = (segments[first] as Segment).timeMicros;
    }
  }

  /** The earliest time from `fromMicros` on at which enough machines at once can hold `kind`; leaves the first of them, in machine
   *  order, in `out`. `Infinity`, and nothing in `out`, if that never is. */
  earliestTogether(kind: RequestKind, fromMicros: number, durationMicros: number, out: number[]): number {
    const times = new Float64Array(this.cluster.machineCount).fill(Number.NEGATIVE_INFINITY);
    let timeMicros = fromMicros;
    for (;;) {
      out.length = 0;
      for (let machine = 0; machine < times.length; machine++) {
        if ((times[machine] as number) < timeMicros)
          times[machine] = this.earliest(kind, machine, timeMicros, durationMicros);
        if (times[machine] === timeMicros && out.length < kind.machineCount) out.push(machine);
        if (out.length === kind.machineCount) return timeMicros;
      }
      // No sooner than the machine that makes the number full can hold it.
      const next = times.slice().sort((left, right) => left - right)[kind.machineCount - 1] ?? Number.POSITIVE_INFINITY;
      if (next === Number.POSITIVE_INFINITY) {
        out.length = 0;
        return next;
      }
      timeMicros = next;
    }
  }

  /** Whether `machine` can hold `kind` all through the window. */
  fits(kind: RequestKind, machine: number, startMicros: number, durationMicros: number): boolean {
    return this.earliest(kind, machine, startMicros, durationMicros) === startMicros;
  }

  /** Devices of `machine` that are free all through a window in which it fits: those with the least left, then the first. */
  chooseDevices(kind: RequestKind, machine: number, startMicros: number, durationMicros: number): number {
    if (kind.gpuCount === 0) return 0;
    const segments = this.segmentsOf(machine);
    const first = segmentAt(segments, startMicros);
    this.firstFailure(segments, first, startMicros + durationMicros, kind);
    let mask = 0;
    for (let count = 0; count < kind.gpuCount; count++) {
      let best = -1;
      for (let device = 0; device < (this.cluster.gpuCount[machine] as number); device++) {
        const free = this.lowest[device] as number;
        if ((mask & (1 << device)) !== 0 || free < kind.gpuMilli) continue;
        if (best < 0 || free < (this.lowest[best] as number)) best = device;
      }
      mask |= 1 << best;
    }
    return mask;
  }

  /** Whether exactly these machines and devices are free all through the window. */
  holdsWindow({ kind, machines, deviceMasks, startMicros, endMicros }: Window): boolean {
    return machines.every((machine, position) => {
      if (this.excludes(kind, machine)) return false;
      const mask = deviceMasks[position] as number;
      return this.segmentsOf(machine).every((segment, index, segments) => {
        const untilMicros = segments[index + 1]?.timeMicros ?? Number.POSITIVE_INFINITY;
        if (untilMicros <= startMicros || segment.timeMicros >= endMicros) return true;
        if (segment.cpuMilli < kind.cpuMilli || segment.memoryMib < kind.memoryMib) return false;
        return segment.deviceMilli.every((free, device) => (mask & (1 << device)) === 0 || free >= kind.gpuMilli);
      });
    });
  }

  /** Sets the window aside. */
  take(window: Window): void {
    this.apply(window, -1);
  }

  /** Gives back what {@link take} set aside. */
  giveBack(window: Window): void {
    this.apply(window, 1);
  }

  /** All times from now on at which something changes, rising. */
  changeTimes(): number[] {
    const times = new Set<number>();
    for (let machine = 0; machine < this.cluster.machineCount; machine++)
      for (const { timeMicros } of this.segmentsOf(machine)) times.add(timeMicros);
    return [...times].sort((left, right) => left - right);
  }

  private apply({ kind, machines, deviceMasks, startMicros, endMicros }: Window, sign: 1 | -1): void {
    machines.forEach((machine, position) => {
      const segments = this.segmentsOf(machine);
      const from = splitAt(segments, startMicros);
      const to = endMicros === Number.POSITIVE_INFINITY ? segments.length : splitAt(segments, endMicros);
      for (let index = from; index < to; index++)
        change(segments[index] as Segment, kind, deviceMasks[position] as number, sign);
      if (sign < 0) return;
      joinAt(segments, to);
      joinAt(segments, from);
    });
  }

  /** A machine's segments, made at first need. */
  private segmentsOf(machine: number): Segment[] {
    const known = this.machines[machine];
    if (known !== undefined) return known;
    const { cluster, nowMicros } = this;
    const first = machine * deviceCountMax;
    const segments: Segment[] = [
      {
        timeMicros: nowMicros,
        cpuMilli: cluster.cpuFreeMilli[machine] as number,
        memoryMib: cluster.memoryFreeMib[machine] as number,
        deviceMilli: cluster.deviceFreeMilli.slice(first, first + (cluster.gpuCount[machine] as number)),
      },
    ];
    this.machines[machine] = segments;
    for (const { attempt, position } of this.ends.get(machine) ?? []) {
      const from = splitAt(segments, Math.max(expectedEnd(attempt), nowMicros + 1));
      for (let index = from; index < segments.length; index++)
        change(segments[index] as Segment, attempt.kind, attempt.deviceMasks[position] as number, 1);
    }
    return segments;
  }

  /** Which machine never can, whatever is free. */
  private excludes(kind: RequestKind, machine: number): boolean {
    if (this.cluster.schedulable[machine] === 0) return true;
    if (kind.skill !== undefined && !this.cluster.hasSkill(kind.skill, machine)) return true;
    if (kind.gpuCount === 0 || kind.gpuModelMask === 0) return false;
    const model = this.cluster.gpuModel[machine] as number;
    return model < 0 || (kind.gpuModelMask & (1 << model)) === 0;
  }

  /** The first segment from `first` on, and before `endMicros`, up to which `kind` does not fit; −1 if it fits throughout. Leaves
   *  `lowest`. */
  private firstFailure(segments: readonly Segment[], first: number, endMicros: number, kind: RequestKind): number {
    const devices = (segments[first] as Segment).deviceMilli.length;
    this.lowest.fill(1000, 0, devices);
    for (let index = first; index < segments.length; index++) {
      const segment = segments[index] as Segment;
      if (index > first && segment.timeMicros >= endMicros) return -1;
      if (segment.cpuMilli < kind.cpuMilli || segment.memoryMib < kind.memoryMib) return index;
      if (kind.gpuCount === 0) continue;
      let fitting = 0;
      for (let device = 0; device < devices; device++) {
        const free = Math.min(this.lowest[device] as number, segment.deviceMilli[device] as number);
        this.lowest[device] = free;
        if (free >= kind.gpuMilli) fitting++;
      }
      if (fitting < kind.gpuCount) return index;
    }
    return -1;
  }

  private holds({ cpuMilli, memoryMib, deviceMilli }: Segment, kind: RequestKind): boolean {
    if (cpuMilli < kind.cpuMilli || memoryMib < kind.memoryMib) return false;
    let fitting = 0;
    for (const free of deviceMilli) if (free >= kind.gpuMilli) fitting++;
    return kind.gpuCount === 0 || fitting >= kind.gpuCount;
  }
}

/** The last segment that begins at `timeMicros` or before; 0 if none does. */
function segmentAt(segments: readonly Segment[], timeMicros: number): number {
  let low = 0;
  let high = segments.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((segments[middle] as Segment).timeMicros <= timeMicros) low = middle;
    else high = middle;
  }
  return low;
}

/** The index of the segment that begins at `timeMicros`, made if there is none; 0 for what lies before the first. */
function splitAt(segments: Segment[], timeMicros: number): number {
  const index = segmentAt(segments, timeMicros);
  const before = segments[index] as Segment;
  if (before.timeMicros >= timeMicros) return index;
  const { cpuMilli, memoryMib, deviceMilli } = before;
  segments.splice(index + 1, 0, { timeMicros, cpuMilli, memoryMib, deviceMilli: deviceMilli.slice() });
  return index + 1;
}

/** Removes the segment if nothing changes where it begins. */
function joinAt(segments: Segment[], index: number): void {
  const before = segments[index - 1];
  const segment = segments[index];
  if (before === undefined || segment === undefined) return;
  if (before.cpuMilli !== segment.cpuMilli || before.memoryMib !== segment.memoryMib) return;
  for (let device = 0; device < segment.deviceMilli.length; device++)
    if (before.deviceMilli[device] !== segment.deviceMilli[device]) return;
  segments.splice(index, 1);
}

function change(segment: Segment, kind: RequestKind, mask: number, sign: 1 | -1): void {
  segment.cpuMilli += sign * kind.cpuMilli;
  segment.memoryMib += sign * kind.memoryMib;
  for (let device = 0; device < segment.deviceMilli.length; device++) {
    if ((mask & (1 << device)) !== 0)
      segment.deviceMilli[device] = (segment.deviceMilli[device] as number) + sign * kind.gpuMilli;
  }
}
