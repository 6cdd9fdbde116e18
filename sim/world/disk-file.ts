// One file of the simulated disk, twice: as its readers see it (the page cache) and as it lies on the device. The two are made
// equal by a sync; a crash keeps what lies on the device and, of the rest, whatever the stream of the disk draws: nothing,
// everything, a prefix, or any of its sectors in any order. Names, delays and capacity are the disk's.

import { assert } from '../../core/base/assert.ts';
import type { RandomStream } from '../../core/base/random.ts';

/** What a device writes as a whole. */
export const sectorBytes = 512;

export class DiskFile {
  /** What readers see, and what is on the device; beyond their sizes the arrays hold zeros or old bytes. */
  private cache: Uint8Array = new Uint8Array(sectorBytes);
  private device: Uint8Array = new Uint8Array(sectorBytes);
  private cacheSize = 0;
  private deviceSize = 0;
  /** Sectors written since the last sync, by number. */
  private dirty = new Set<number>();
  /** Sizes that the file had since the last sync, oldest first. */
  private sizes: number[] = [];

  get sizeBytes(): number {
    return this.cacheSize;
  }

  get isSynced(): boolean {
    return this.dirty.size === 0 && this.sizes.length === 0;
  }

  append(bytes: Uint8Array): void {
    const end = this.cacheSize + bytes.length;
    this.cache = grown(this.cache, end);
    this.cache.set(bytes, this.cacheSize);
    this.touch(this.cacheSize, end);
    this.setSize(end);
  }

  read(position: number, length: number): Uint8Array {
    return this.cache.slice(position, Math.max(position, Math.min(this.cacheSize, position + length)));
  }

  truncate(size: number): void {
    assert(size <= this.cacheSize, 'a file is cut to a size that it has');
    this.cache.fill(0, size, this.cacheSize);
    this.setSize(size);
  }

  sync(): void {
    for (const sector of this.dirty) this.write(sector);
    this.resizeDevice(this.cacheSize);
    this.dirty.clear();
    this.sizes.length = 0;
  }

  /** A failed sync: some sectors reach the device, and the others are taken for written all the same. */
  failSync(random: RandomStream): void {
    const share = random.nextFloat();
    for (const sector of this.dirty) if (random.nextFloat() < share) this.write(sector);
    this.resizeDevice(this.cacheSize);
    this.dirty.clear();
    this.sizes.length = 0;
  }

  /** Power is gone: what readers see from now on is what the device holds. */
  crash(random: RandomStream): void {
    if (!this.isSynced) this.keepSome(random);
    this.cache = this.device.slice();
    this.cacheSize = this.deviceSize;
    this.cache.fill(0, this.cacheSize);
    this.dirty.clear();
    this.sizes.length = 0;
  }

  /** Flips one bit on the device; readers see it unless they see something not yet synced there. */
  flipBit(random: RandomStream): boolean {
    if (this.deviceSize === 0) return false;
    const position = random.nextBelow(this.deviceSize);
    const mask = 1 << random.nextBelow(8);
    this.device[position] = this.device[position]! ^ mask;
    if (position < this.cacheSize && !this.dirty.has(Math.floor(position / sectorBytes)))
      this.cache[position] = this.cache[position]! ^ mask;
    return true;
  }

  private keepSome(random: RandomStream): void {
    switch (random.nextBelow(4)) {
      case 0:
        return;
      case 1:
        this.sync();
        return;
      case 2: {
        // In order, up to some byte.
        const end = this.deviceSize + random.nextBelow(Math.max(0, this.cacheSize - this.deviceSize) + 1);
        for (const sector of this.dirty) if (sector * sectorBytes < end) this.write(sector);
        this.resizeDevice(end);
        return;
      }
      default: {
        // The size of some moment, and any of the sectors; those that did not make it read as what was there before.
        const size = this.sizes.length === 0 ? this.deviceSize : this.sizes[random.nextBelow(this.sizes.length)]!;
        this.resizeDevice(size);
        const share = random.nextFloat();
        for (const sector of this.dirty) if (random.nextFloat() < share) this.write(sector);
        this.device.fill(0, size);
      }
    }
  }

  private write(sector: number): void {
    const start = sector * sectorBytes;
    this.device = grown(this.device, start + sectorBytes);
    this.device.set(this.cache.subarray(start, start + sectorBytes), start);
  }

  private resizeDevice(size: number): void {
    this.device = grown(this.device, size);
    if (size < this.deviceSize) this.device.fill(0, size, this.deviceSize);
    this.deviceSize = size;
  }

  private setSize(size: number): void {
    this.cacheSize = size;
    this.sizes.push(size);
  }

  private touch(start: number, end: number): void {
    for (let sector = Math.floor(start / sectorBytes); sector * sectorBytes < end; sector++) this.dirty.add(sector);
  }
}

function grown(bytes: Uint8Array, size: number): Uint8Array {
  if (size <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.max(Math.ceil(size / sectorBytes) * sectorBytes, bytes.length * 2));
  larger.set(bytes);
  return larger;
}
