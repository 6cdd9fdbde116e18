// Files that are nowhere but in memory, and durable at once: the journal without a disk, so that its own price is seen.

import type { FileCompletion, FileOperation, FilePort, FileRequest } from '../../../core/ports/file-port.ts';

export class MemoryFiles implements FilePort {
  private readonly files = new Map<string, Buffer[]>();
  private readonly complete: (completion: FileCompletion) => void;

  constructor(complete: (completion: FileCompletion) => void) {
    this.complete = complete;
  }

  submit({ id, request }: FileOperation): void {
    const [bytes, entries] = this.carryOut(request);
    queueMicrotask(() => this.complete({ id, ok: true, bytes, entries }));
  }

  private carryOut(request: FileRequest): [Uint8Array, { name: string; sizeBytes: number }[]] {
    const { files } = this;
    const contents = (name: string): Buffer => Buffer.concat(files.get(name) ?? []);
    switch (request.kind) {
      case 'list':
        return [
          new Uint8Array(0),
          [...files.keys()].sort().map((name) => ({ name, sizeBytes: contents(name).length })),
        ];
      case 'create':
        files.set(request.file, []);
        break;
      case 'append':
        files.get(request.file)?.push(Buffer.from(request.bytes));
        break;
      case 'readAt':
        return [contents(request.file).subarray(request.position, request.position + request.length), []];
      case 'truncate':
        files.set(request.file, [contents(request.file).subarray(0, request.size)]);
        break;
      case 'rename':
        files.set(request.to, files.get(request.file) ?? []);
        files.delete(request.file);
        break;
      case 'remove':
        files.delete(request.file);
        break;
    }
    return [new Uint8Array(0), []];
  }
}
