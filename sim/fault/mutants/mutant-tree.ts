// A copy of the sources in a folder of its own, in which one bug at a time is planted and taken out again. The checkout is read
// and never written.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../experiment/project-root.ts';
import { type Mutant, plant } from './mutant.ts';

export class MutantTree {
  readonly folder: string;
  private planted: { readonly file: string; readonly text: string } | undefined;

  constructor() {
    const root = projectRoot();
    this.folder = mkdtempSync(join(tmpdir(), 'sira-mutants-'));
    for (const part of ['core', 'sim']) {
      cpSync(join(root, part), join(this.folder, part), {
        recursive: true,
        filter: (path) => !/\.(test|contract|bench)\.ts$/.test(path),
      });
    }
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(this.folder, file));
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /** Takes out the former bug and plants this one; `undefined` plants none. Throws if the mutant does not fit its file. */
  plant(mutant: Mutant | undefined): void {
    if (this.planted !== undefined) writeFileSync(join(this.folder, this.planted.file), this.planted.text);
    this.planted = undefined;
    if (mutant === undefined) return;
    const path = join(this.folder, mutant.file);
    const text = readFileSync(path, 'utf8');
    const changed = plant(mutant, text);
    if ('problem' in changed) throw new TypeError(`mutant ${mutant.name} does not fit: ${changed.problem}`);
    writeFileSync(path, changed.text);
    this.planted = { file: mutant.file, text };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
