// The names of one folder of the simulated disk, twice: as seen, and as they outlive a crash. Changes of names reach the
// device with a sync of the folder; a crash before it keeps the first few of them, or any of them. A rename is kept whole or
// not at all. What the files hold is their own business.

import type { RandomStream } from '../../core/base/random.ts';
import { DiskFile } from './disk-file.ts';

type NameChange =
  | { readonly kind: 'add'; readonly name: string; readonly file: DiskFile }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string; readonly file: DiskFile }
  | { readonly kind: 'remove'; readonly name: string; readonly file: DiskFile };

export class DiskFolder {
  private seen = new Map<string, DiskFile>();
  private kept = new Map<string, DiskFile>();
  private changes: NameChange[] = [];

  get(name: string): DiskFile | undefined {
    return this.seen.get(name);
  }

  /** Names as seen, in order. */
  names(): string[] {
    return [...this.seen.keys()].sort((left, right) => (left < right ? -1 : 1));
  }

  /** Files that take room: those seen and those that a crash could bring back. */
  files(): Set<DiskFile> {
    return new Set([...this.seen.values(), ...this.kept.values()]);
  }

  add(name: string): void {
    const file = new DiskFile();
    this.seen.set(name, file);
    this.changes.push({ kind: 'add', name, file });
  }

  rename(name: string, to: string): void {
    const file = this.seen.get(name)!;
    this.changes.push({ kind: 'rename', name, to, file });
    this.seen.delete(name);
    this.seen.set(to, file);
  }

  remove(name: string): void {
    this.changes.push({ kind: 'remove', name, file: this.seen.get(name)! });
    this.seen.delete(name);
  }

  sync(): void {
    // Change by change, not as a copy: of many files few change between two syncs. The order is the same.
    for (const change of this.changes) this.keep(change);
    this.changes.length = 0;
  }

  crash(random: RandomStream): void {
    const inOrder = random.nextBelow(2) === 0;
    const first = random.nextBelow(this.changes.length + 1);
    this.changes.forEach((change, index) => {
      if (inOrder ? index < first : random.nextBelow(2) === 0) this.keep(change);
    });
    for (const file of this.files()) file.crash(random);
    this.seen = new Map(this.kept);
    this.changes.length = 0;
  }

  private keep(change: NameChange): void {
    const { kept } = this;
    if (change.kind === 'add') kept.set(change.name, change.file);
    else {
      if (kept.get(change.name) === change.file) kept.delete(change.name);
      if (change.kind === 'rename') kept.set(change.to, change.file);
    }
  }
}
