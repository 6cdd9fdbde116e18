// Work offered by the clock alone: each call has its time, whether those before it have been answered or not, so that a server which
// stands still is blamed for all who would have come meanwhile. A call counts from when it goes out; how late that was, timers being
// as coarse as a millisecond, is told beside it. Nothing spins here: who does is the first that a busy machine puts aside.

export interface Latencies {
  readonly count: number;
  readonly p50Millis: number;
  readonly p95Millis: number;
  readonly p99Millis: number;
  readonly maxMillis: number;
  /** Of this process itself: how late calls went out. */
  readonly late99Millis: number;
}

/** What each call took, milliseconds, in their order, and how late it went out. */
export interface Offered {
  readonly millis: readonly number[];
  readonly late: readonly number[];
}

/** `perSecond` calls for so long; one that fails fails it all. */
export async function offer(
  perSecond: number,
  seconds: number,
  call: (index: number) => Promise<unknown>,
): Promise<Offered> {
  const count = Math.max(1, Math.round(perSecond * seconds));
  const times: Promise<number>[] = [];
  const late: number[] = [];
  const begin = performance.now() + 5;
  for (let index = 0; index < count; index++) {
    const due = begin + (index * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const out = performance.now();
    late.push(Math.max(0, out - due));
    times.push(call(index).then(() => performance.now() - out));
  }
  return { millis: await Promise.all(times), late };
}

export function latenciesOf({ millis, late }: Offered): Latencies {
  const ordered = Float64Array.from(millis).sort();
  return {
    count: ordered.length,
    p50Millis: at(ordered, 0.5),
    p95Millis: at(ordered, 0.95),
    p99Millis: at(ordered, 0.99),
    maxMillis: at(ordered, 1),
    late99Millis: at(Float64Array.from(late).sort(), 0.99),
  };
}

/** A measurement and its floor, call by call in the same moments: of all moments, and of those slices in which the floor stayed
 *  under `floorMaxMillis`, so that what others do on the machine is not taken for the server's doing. */
export interface PairedLatencies {
  readonly measured: Latencies;
  readonly floor: Latencies;
  readonly slices: number;
  readonly undisturbedSlices: number;
  /** `undefined` if there was no such slice. */
  readonly undisturbed: Latencies | undefined;
  readonly undisturbedFloor: Latencies | undefined;
  readonly floorMaxMillis: number;
}

/** Slices of `perSlice` calls each. */
export function pair(measured: Offered, floor: Offered, perSlice: number, floorMaxMillis: number): PairedLatencies {
  const slices = Math.floor(measured.millis.length / perSlice);
  const part = ({ millis, late }: Offered, slice: number): Offered => ({
    millis: millis.slice(slice * perSlice, (slice + 1) * perSlice),
    late: late.slice(slice * perSlice, (slice + 1) * perSlice),
  });
  const quiet = Array.from({ length: slices }, (_, slice) => slice).filter(
    (slice) => latenciesOf(part(floor, slice)).p99Millis <= floorMaxMillis,
  );
  const gathered = (offered: Offered): Latencies | undefined => {
    if (quiet.length === 0) return undefined;
    const parts = quiet.map((slice) => part(offered, slice));
    return latenciesOf({ millis: parts.flatMap(({ millis }) => millis), late: parts.flatMap(({ late }) => late) });
  };
  return {
    measured: latenciesOf(measured),
    floor: latenciesOf(floor),
    slices,
    undisturbedSlices: quiet.length,
    undisturbed: gathered(measured),
    undisturbedFloor: gathered(floor),
    floorMaxMillis,
  };
}

function at(ascending: Float64Array, share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? 0;
}
