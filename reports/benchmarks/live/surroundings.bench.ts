// What else the machine did while something was measured: latencies are worth nothing without it.

import { cpus, loadavg } from 'node:os';

export interface Surroundings {
  /** Runnable processes over the last minute, at the end. */
  readonly loadAverage: number;
  /** Of all processors together while it was measured, 0 to 1. */
  readonly busyShare: number;
}

export const machineName = (): string => `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`;

/** Call it before, and what it returns after. */
export function watchMachine(): () => Surroundings {
  const before = totals();
  return () => {
    const after = totals();
    const whole = after.whole - before.whole;
    return {
      loadAverage: loadavg()[0] ?? 0,
      busyShare: whole === 0 ? 0 : (after.busy - before.busy) / whole,
    };
  };
}

function totals(): { readonly busy: number; readonly whole: number } {
  let [busy, whole] = [0, 0];
  for (const { times } of cpus()) {
    const used = times.user + times.nice + times.sys + times.irq;
    busy += used;
    whole += used + times.idle;
  }
  return { busy, whole };
}
