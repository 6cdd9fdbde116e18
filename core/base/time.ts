// Time is an integer number of microseconds, exact in a double for 285 years. Inside the kernel it is whatever the shell
// stamped on the input; nothing here reads a clock.

export const microsPerMilli = 1_000;
export const microsPerSecond = 1_000_000;
export const microsPerMinute = 60 * microsPerSecond;
export const microsPerHour = 60 * microsPerMinute;
export const microsPerDay = 24 * microsPerHour;

const units: Readonly<Record<string, number>> = {
  us: 1,
  ms: microsPerMilli,
  s: microsPerSecond,
  m: microsPerMinute,
  min: microsPerMinute,
  h: microsPerHour,
  d: microsPerDay,
};

/** Reads a duration such as `250us`, `1.5s`, `10m`, `1d`; the result is whole microseconds, or `undefined` if it is not one. */
export function parseDurationMicros(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(us|ms|s|min|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  const micros = Math.round(Number(match[1]) * (units[match[2] as string] as number));
  return Number.isSafeInteger(micros) ? micros : undefined;
}

/** Writes a duration for people: `850 µs`, `12.5 ms`, `3.2 s`, `4 m 10 s`, `2 h 5 m`, `1 d 3 h`. */
export function formatDuration(micros: number): string {
  if (micros < 0) return `−${formatDuration(-micros)}`;
  if (micros < microsPerMilli) return `${Math.round(micros)} µs`;
  if (micros < microsPerSecond) return `${round3(micros / microsPerMilli)} ms`;
  if (micros < microsPerMinute) return `${round3(micros / microsPerSecond)} s`;
  if (micros < microsPerHour) return pair(micros, microsPerMinute, 'm', microsPerSecond, 's');
  if (micros < microsPerDay) return pair(micros, microsPerHour, 'h', microsPerMinute, 'm');
  return pair(micros, microsPerDay, 'd', microsPerHour, 'h');
}

function round3(value: number): number {
  return Number(value.toPrecision(3));
}

function pair(micros: number, large: number, largeName: string, small: number, smallName: string): string {
  let whole = Math.floor(micros / large);
  let rest = Math.round((micros - whole * large) / small);
  if (rest * small >= large) {
    whole += 1;
    rest = 0;
  }
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}
