// What every adapter of the file port does, the simulated one and the real one. Durability across a power failure can be
// tested in the simulator only (disk.test.ts); everything else is here.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileCompletion, FileDone, FilePort, FileRequest } from './file-port.ts';

/** One empty folder under test. */
export interface FilePortSubject {
  open(complete: (completion: FileCompletion) => void): FilePort;
  /** Lets time pass until `isDone` holds. */
  runUntil(isDone: () => boolean): Promise<void>;
  /** Ends the use of a port that `open` gave, so that another can take over. */
  close(port: FilePort): Promise<void>;
  dispose(): Promise<void>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function describeFilePort(name: string, create: () => Promise<FilePortSubject>): void {
  describe(`file port: ${name}`, () => {
    let subject: FilePortSubject;
    let port: FilePort;
    let completions: FileCompletion[];
    let nextId = 0;

    const open = (): void => {
      completions = [];
      port = subject.open((completion) => completions.push(completion));
    };
    beforeEach(async () => {
      subject = await create();
      open();
    });
    afterEach(async () => {
      await subject.close(port);
      await subject.dispose();
    });

    /** Submits all at once; the completions in order of submission. */
    const perform = async (...requests: FileRequest[]): Promise<FileCompletion[]> => {
      completions.length = 0;
      const ids = requests.map((request) => {
        nextId += 7;
        port.submit({ id: nextId, request });
        return nextId;
      });
      expect(completions, 'no completion during submit').toEqual([]);
      await subject.runUntil(() => completions.length === requests.length);
      return ids.map((id) => completions.find((completion) => completion.id === id)!);
    };
    const done = async (...requests: FileRequest[]): Promise<FileDone[]> => {
      const results = await perform(...requests);
      for (const result of results) expect(result).toMatchObject({ ok: true });
      return results as FileDone[];
    };
    const fails = async (request: FileRequest, failure: string): Promise<void> => {
      const [result] = await perform(request);
      expect(result).toMatchObject({ ok: false, failure });
      expect((result as { reason: string }).reason).not.toBe('');
    };
    const contentOf = async (file: string): Promise<string> => {
      const [result] = await done({ kind: 'readAt', file, position: 0, length: 1_000_000 });
      return textOf(result!.bytes);
    };
    const entries = async (): Promise<string[]> => {
      const [result] = await done({ kind: 'list' });
      return result!.entries.map((entry) => `${entry.name} ${entry.sizeBytes}`);
    };

    test('a new folder is empty; files are listed by name with their sizes', async () => {
      expect(await entries()).toEqual([]);
      await done(
        { kind: 'create', file: 'b' },
        { kind: 'create', file: 'a-1.log' },
        { kind: 'create', file: 'a.log' },
        { kind: 'append', file: 'b', bytes: bytesOf('12345') },
      );
      expect(await entries()).toEqual(['a-1.log 0', 'a.log 0', 'b 5']);
    });

    test('appends add at the end, in order of submission, and complete in it', async () => {
      await done({ kind: 'create', file: 'f' });
      const results = await done(
        ...Array.from(
          { length: 50 },
          (_, index): FileRequest => ({
            kind: 'append',
            file: 'f',
            bytes: bytesOf(`${index},`.repeat(1 + (index % 5) * 100)),
          }),
        ),
      );
      expect(completions.map((completion) => completion.id)).toEqual(results.map((result) => result.id));
      const expected = Array.from({ length: 50 }, (_, index) => `${index},`.repeat(1 + (index % 5) * 100)).join('');
      expect(await contentOf('f')).toBe(expected);
    });

    test('operations on one file keep their order whatever their kinds', async () => {
      await done(
        { kind: 'create', file: 'f' },
        { kind: 'append', file: 'f', bytes: bytesOf('abcdef') },
        { kind: 'sync', file: 'f' },
        { kind: 'truncate', file: 'f', size: 2 },
        { kind: 'append', file: 'f', bytes: bytesOf('XY') },
        { kind: 'rename', file: 'f', to: 'g' },
        { kind: 'append', file: 'g', bytes: bytesOf('!') },
        { kind: 'sync', file: 'g' },
      );
      expect(completions.map((completion) => completion.id)).toEqual(
        completions.map((completion) => completion.id).toSorted((left, right) => left - right),
      );
      expect(await contentOf('g')).toBe('abXY!');
      expect(await entries()).toEqual(['g 5']);
    });

    test('reads give what is there, and less at the end', async () => {
      await done({ kind: 'create', file: 'f' }, { kind: 'append', file: 'f', bytes: bytesOf('0123456789') });
      const results = await done(
        { kind: 'readAt', file: 'f', position: 3, length: 4 },
        { kind: 'readAt', file: 'f', position: 8, length: 100 },
        { kind: 'readAt', file: 'f', position: 10, length: 1 },
        { kind: 'readAt', file: 'f', position: 500, length: 1 },
        { kind: 'readAt', file: 'f', position: 0, length: 0 },
      );
      expect(results.map((result) => textOf(result.bytes))).toEqual(['3456', '89', '', '', '']);
    });

    test('bytes read belong to the reader', async () => {
      await done({ kind: 'create', file: 'f' }, { kind: 'append', file: 'f', bytes: bytesOf('abc') });
      const [result] = await done({ kind: 'readAt', file: 'f', position: 0, length: 3 });
      result!.bytes.fill(0);
      expect(await contentOf('f')).toBe('abc');
    });

    test('large appends arrive whole', async () => {
      const bytes = Uint8Array.from({ length: 3_000_001 }, (_, index) => (index * 31) % 251);
      await done({ kind: 'create', file: 'f' }, { kind: 'append', file: 'f', bytes }, { kind: 'sync', file: 'f' });
      const [result] = await done({ kind: 'readAt', file: 'f', position: 0, length: 4_000_000 });
      expect(Buffer.compare(result!.bytes, bytes)).toBe(0);
    });

    test('a rename takes the place of the file that had the name', async () => {
      await done(
        { kind: 'create', file: 'old' },
        { kind: 'append', file: 'old', bytes: bytesOf('old') },
        { kind: 'create', file: 'new.tmp' },
        { kind: 'append', file: 'new.tmp', bytes: bytesOf('new!') },
        { kind: 'rename', file: 'new.tmp', to: 'old' },
      );
      expect(await entries()).toEqual(['old 4']);
      expect(await contentOf('old')).toBe('new!');
      await done({ kind: 'append', file: 'old', bytes: bytesOf('?') });
      expect(await contentOf('old')).toBe('new!?');
    });

    test('a name can be used again after a removal', async () => {
      await done(
        { kind: 'create', file: 'f' },
        { kind: 'append', file: 'f', bytes: bytesOf('first') },
        { kind: 'remove', file: 'f' },
        { kind: 'create', file: 'f' },
        { kind: 'append', file: 'f', bytes: bytesOf('2') },
      );
      expect(await contentOf('f')).toBe('2');
    });

    test('what cannot be done is answered with the reason', async () => {
      await fails({ kind: 'append', file: 'f', bytes: bytesOf('x') }, 'notFound');
      await fails({ kind: 'readAt', file: 'f', position: 0, length: 1 }, 'notFound');
      await fails({ kind: 'sync', file: 'f' }, 'notFound');
      await fails({ kind: 'truncate', file: 'f', size: 0 }, 'notFound');
      await fails({ kind: 'rename', file: 'f', to: 'g' }, 'notFound');
      await fails({ kind: 'remove', file: 'f' }, 'notFound');
      await done({ kind: 'create', file: 'f' });
      await fails({ kind: 'create', file: 'f' }, 'exists');
      await fails({ kind: 'truncate', file: 'f', size: 1 }, 'ioError');
      expect(await entries()).toEqual(['f 0']);
    });

    test('a failure does not hold up what comes after it', async () => {
      await done({ kind: 'create', file: 'f' });
      const results = await perform(
        { kind: 'append', file: 'f', bytes: bytesOf('a') },
        { kind: 'create', file: 'f' },
        { kind: 'append', file: 'f', bytes: bytesOf('b') },
      );
      expect(results.map((result) => result.ok)).toEqual([true, false, true]);
      expect(await contentOf('f')).toBe('ab');
    });

    test('another port onto the folder finds the files and goes on at their ends', async () => {
      await done(
        { kind: 'create', file: 'f' },
        { kind: 'append', file: 'f', bytes: bytesOf('abc') },
        { kind: 'sync', file: 'f' },
        { kind: 'syncFolder' },
      );
      await subject.close(port);
      open();
      expect(await entries()).toEqual(['f 3']);
      await done({ kind: 'append', file: 'f', bytes: bytesOf('def') });
      expect(await contentOf('f')).toBe('abcdef');
    });

    test('many files at once', async () => {
      const names = Array.from({ length: 200 }, (_, index) => `f-${index}`);
      await done(...names.map((file): FileRequest => ({ kind: 'create', file })));
      await done(...names.map((file): FileRequest => ({ kind: 'append', file, bytes: bytesOf(file) })));
      await done(...names.map((file): FileRequest => ({ kind: 'sync', file })));
      const results = await done(
        ...names.map((file): FileRequest => ({ kind: 'readAt', file, position: 0, length: 100 })),
      );
      expect(results.map((result) => textOf(result.bytes))).toEqual(names);
    });
  });
}
