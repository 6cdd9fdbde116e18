// What the journal's disk has made durable, found out from the outside: from the bytes that were appended and the syncs that
// completed, not from what the log says of itself.

import { getUint64, isMessage, lengthAt, recordHeaderBytes } from '../../core/log/record.ts';
import { segmentHeaderBytes } from '../../core/log/segment.ts';
import type { FileCompletion, FileOperation, FileRequest } from '../../core/ports/file-port.ts';

interface WatchedFile {
  /** Bytes of the header that are still to come. */
  headerLeft: number;
  /** A record's beginning, whose end has not come yet. */
  rest: Uint8Array;
  /** Behind the last record that was appended as a whole; −1 if there is none. */
  endOffset: number;
}

export class DurableInputs {
  /** Every input below this offset has been synced. */
  endOffset = 0;
  private readonly asked = new Map<number, FileRequest>();
  private readonly files = new Map<string, WatchedFile>();

  ask({ id, request }: FileOperation): void {
    this.asked.set(id, request);
  }

  done({ id, ok }: FileCompletion): void {
    const request = this.asked.get(id);
    this.asked.delete(id);
    if (request === undefined || !ok) return;
    switch (request.kind) {
      case 'create':
        this.files.set(request.file, { headerLeft: segmentHeaderBytes, rest: new Uint8Array(0), endOffset: -1 });
        return;
      case 'append':
        this.append(request.file, request.bytes);
        return;
      case 'rename': {
        const file = this.files.get(request.file);
        if (file !== undefined) this.files.set(request.to, file);
        this.files.delete(request.file);
        return;
      }
      case 'remove':
        this.files.delete(request.file);
        return;
      case 'sync':
        // On one file operations complete in order: what has completed by now is covered.
        this.endOffset = Math.max(this.endOffset, this.files.get(request.file)?.endOffset ?? 0);
        return;
      default:
        // What is cut away is what a failed append left, which never counted.
        return;
    }
  }

  /** Power failed: the next process begins by copying the segment that it goes on with. */
  powerFailed(): void {
    this.asked.clear();
    this.files.clear();
  }

  private append(name: string, appended: Uint8Array): void {
    const file = this.files.get(name);
    if (file === undefined) return;
    const header = Math.min(file.headerLeft, appended.length);
    file.headerLeft -= header;
    const bytes = new Uint8Array(file.rest.length + appended.length - header);
    bytes.set(file.rest);
    bytes.set(appended.subarray(header), file.rest.length);
    let at = 0;
    while (at + recordHeaderBytes <= bytes.length && at + lengthAt(bytes, at) <= bytes.length) {
      if (isMessage(bytes[at + 30] as number)) file.endOffset = getUint64(bytes, at + 8) + 1;
      at += lengthAt(bytes, at);
    }
    file.rest = bytes.slice(at);
  }
}
