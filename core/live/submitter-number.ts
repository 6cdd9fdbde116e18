// The kernel knows submitters by number, people by name. The number is made from the name, so that no table of names needs
// keeping and a name has the same number on every machine and after every restart.

import { createHash } from 'node:crypto';

/** A whole number below 2⁵²: two of a million names share one with a chance of 10⁻⁴. Who would share is refused. */
export function submitterNumber(name: string): number {
  const digest = createHash('sha256').update(name, 'utf8').digest();
  return digest.readUIntBE(0, 6) * 16 + (digest.readUInt8(6) >>> 4);
}
