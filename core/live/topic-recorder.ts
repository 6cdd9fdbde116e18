// Keeps what reaches the durable topics, with marks of what they said, so that `sira replay --broker` can prove that they do the same
// again. One file for each life of the broker; the last few stay. Recording waits for nobody: the tail of a process that is killed may
// be missing, and when the file is full, or the disk too slow, it ends with a word in the log.

import { createWriteStream, mkdirSync, readdirSync, rmSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { RecordedCall, RecordingHead } from '../bus/topics/recorded-call.ts';
import type { Logger } from './logger.ts';

const recordingsKept = 4;
const bytesMax = 1024 ** 3;
const waitingBytesMax = 64 * 1024 ** 2;

export class TopicRecorder {
  private readonly stream: WriteStream;
  private readonly logger: Logger;
  private bytes = 0;
  private isOver = false;

  /** `name`: rises from one life to the next. */
  constructor(folder: string, name: number, head: Omit<RecordingHead, 'format'>, logger: Logger) {
    this.logger = logger;
    mkdirSync(folder, { recursive: true });
    const files = readdirSync(folder).filter((file) => /^\d+\.calls$/.test(file));
    files.sort((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10));
    for (const old of files.slice(0, Math.max(0, files.length + 1 - recordingsKept))) rmSync(join(folder, old));
    this.stream = createWriteStream(join(folder, `${name}.calls`));
    this.stream.on('error', (error) => this.end(error.message));
    this.write({ format: 1, ...head } satisfies RecordingHead);
  }

  /** A call has been made; `digest`: over all that was said, after it. */
  note(call: RecordedCall, digest: string): void {
    if (!this.isOver) this.write({ call, digest });
  }

  async close(): Promise<void> {
    this.isOver = true;
    if (this.stream.destroyed) return;
    await new Promise<void>((resolve) => {
      this.stream.once('close', resolve);
      this.stream.end();
    });
  }

  private write(frame: object): void {
    const body = serialize(frame);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    this.bytes += 4 + body.length;
    this.stream.write(length);
    this.stream.write(body);
    if (this.bytes > bytesMax) this.end(`${this.bytes} bytes are recorded`);
    else if (this.stream.writableLength > waitingBytesMax) this.end('the disk is too slow');
  }

  private end(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stream.end();
    this.logger.warn({ reason }, 'the recording of the durable topics has ended');
  }
}
