// Processes that get a share of one processor and no more, as containers with a limit do: control groups of Linux, of either version.
// What they compute takes as long on a busy machine as on one at rest, as long as the shares fit on it.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';

/** Short, so that the share holds within one piece of work as well. */
const periodMicros = 10_000;
const root = '/sys/fs/cgroup';

export class ProcessorShare {
  private readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `share`: of one processor, above 0, at most 1; `undefined`: no limit, only the weight. Throws SIRA_USAGE where this user makes no control groups. */
  static make(name: string, share: number | undefined): ProcessorShare {
    const quotaMicros = share === undefined ? undefined : Math.round(share * periodMicros);
    const isSecond = existsSync(join(root, 'cgroup.controllers'));
    const folder = join(root, isSecond ? '' : 'cpu', name);
    try {
      if (isSecond && !readFileSync(join(root, 'cgroup.subtree_control'), 'utf8').includes('cpu '))
        writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
      mkdirSync(folder);
      const set = (file: string, value: string): void => writeFileSync(join(folder, file), value);
      // The weight is the largest there is: it has its share even where others want more than there is.
      if (isSecond) {
        set('cpu.max', `${quotaMicros ?? 'max'} ${periodMicros}`);
        set('cpu.weight', '10000');
      } else {
        set('cpu.cfs_period_us', String(periodMicros));
        set('cpu.cfs_quota_us', String(quotaMicros ?? -1));
        set('cpu.shares', '65536');
      }
    } catch (error) {
      throw new SiraError(
        'SIRA_USAGE',
        `no control group could be made: ${(error as Error).message}`,
        { file: folder },
        'A share takes Linux and root; without one, let nothing else run on the machine.',
      );
    }
    return new ProcessorShare(folder);
  }

  /** Holds a process, and what it starts from now on, to the share. */
  hold(pid: number): void {
    writeFileSync(join(this.folder, 'cgroup.procs'), String(pid));
  }

  /** Once its processes have ended. */
  remove(): void {
    for (let attempt = 0; attempt < 50; attempt++)
      try {
        rmdirSync(this.folder);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return;
        // Processes that have ended are gone from it a moment later.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
  }
}
