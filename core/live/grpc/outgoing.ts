// What goes out on one stream, in order, and never more at once than the other side takes: a message may be made only when its
// turn has come, so that a slow reader costs a line of small promises and not its tensors. Whoever lets the line grow beyond
// its bound is cut off; what it missed it gets when it comes again.

import type { ServerDuplexStream } from '@grpc/grpc-js';

/** A message, or how to make it once it can be sent; `undefined` if it is not wanted any more. */
export type Outgoing<Message> = Message | (() => Promise<Message | undefined>);

export class OutgoingMessages<Message extends object> {
  private readonly stream: ServerDuplexStream<unknown, Message>;
  private readonly lengthMax: number;
  private readonly overflowed: () => void;
  private queue: Outgoing<Message>[] = [];
  private isSending = false;
  private isEnded = false;

  constructor(stream: ServerDuplexStream<unknown, Message>, lengthMax: number, overflowed: () => void) {
    this.stream = stream;
    this.lengthMax = lengthMax;
    this.overflowed = overflowed;
  }

  get length(): number {
    return this.queue.length;
  }

  send(message: Outgoing<Message>): void {
    if (this.isEnded) return;
    if (this.queue.length >= this.lengthMax) {
      this.end();
      this.overflowed();
      return;
    }
    this.queue.push(message);
    if (!this.isSending) void this.work();
  }

  /** Nothing more is sent. */
  end(): void {
    this.isEnded = true;
    this.queue = [];
  }

  private async work(): Promise<void> {
    this.isSending = true;
    let next = 0;
    while (next < this.queue.length) {
      const outgoing = this.queue[next++] as Outgoing<Message>;
      // A long line is cut down now and then, not at each step.
      if (next > 256) {
        this.queue.splice(0, next);
        next = 0;
      }
      // What cannot be made is not sent: whoever waits for it asks again.
      const message = typeof outgoing === 'function' ? await outgoing().catch(() => undefined) : outgoing;
      if (this.isEnded) break;
      if (message === undefined || this.stream.write(message)) continue;
      await this.drained();
    }
    this.queue.splice(0, next);
    this.isSending = false;
  }

  private drained(): Promise<void> {
    const { stream } = this;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        stream.off('cancelled', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
      stream.on('cancelled', done);
    });
  }
}
