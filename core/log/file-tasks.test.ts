import { describe, expect, it } from 'vitest';
import type { FileRequest } from '../ports/file-port.ts';
import { ask, type FileEffect, FileTasks } from './file-tasks.ts';

/** How often a request is made whose first `failures` answers are failures of the device, and what comes of it. */
function asked(request: FileRequest, failures: number): { readonly times: number; readonly ok: boolean } {
  const tasks = new FileTasks();
  const effects: FileEffect[] = [];
  let ok: boolean | undefined;
  tasks.start(ask(request), effects, (result) => {
    ok = result.ok;
  });
  for (let times = 0; times < effects.length; times++) {
    const { id } = (effects[times] as FileEffect).operation;
    const completion =
      times < failures
        ? ({ id, ok: false, failure: 'ioError', reason: 'the device failed' } as const)
        : ({ id, ok: true, bytes: new Uint8Array(0), entries: [] } as const);
    tasks.complete(completion, effects);
  }
  return { times: effects.length, ok: ok === true };
}

describe('a request', () => {
  const read: FileRequest = { kind: 'readAt', file: 'a', position: 0, length: 1 };

  it('to read is made again when the device failed, a few times', () => {
    expect(asked(read, 0)).toEqual({ times: 1, ok: true });
    expect(asked(read, 3)).toEqual({ times: 4, ok: true });
    expect(asked(read, 9)).toEqual({ times: 4, ok: false });
    expect(asked({ kind: 'list' }, 1)).toEqual({ times: 2, ok: true });
  });

  it('to change something is never made twice: what the first one left is unknown', () => {
    for (const kind of ['sync', 'remove', 'create'] as const)
      expect(asked({ kind, file: 'a' }, 1)).toEqual({ times: 1, ok: false });
  });
});
