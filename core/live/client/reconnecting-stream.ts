// A stream that comes back: opened, and opened again with growing, jittered waits whenever it breaks, for as long as it is
// wanted. What is sent while there is none is dropped: the protocol machines above repeat what matters. It knows nothing of
// what is said.

import { randomInt } from 'node:crypto';
import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';

export interface StreamEvents<Response> {
  /** A new stream, on which nothing has been said yet. */
  opened(): void;
  received(message: Response): void;
  /** The stream is gone; another is tried after `retryMillis`. */
  closed(reason: string, retryMillis: number): void;
  /** It makes no sense to try again. */
  rejected(code: status, reason: string): void;
}

/** Answers that another try will not change. */
const final: readonly status[] = [
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.ALREADY_EXISTS,
  status.UNIMPLEMENTED,
  status.ABORTED,
];

const firstWaitMillis = 50;
/** Less than a lease: an agent should be back before it is missed. */
const longestWaitMillis = 1000;

export class ReconnectingStream<Request, Response> {
  private readonly open: () => ClientDuplexStream<Request, Response>;
  private readonly events: StreamEvents<Response>;
  private stream: ClientDuplexStream<Request, Response> | undefined;
  private waitMillis = firstWaitMillis;
  private timer: NodeJS.Timeout | undefined;
  private isWanted = true;
  private whenDrained: (() => void)[] = [];

  constructor(open: () => ClientDuplexStream<Request, Response>, events: StreamEvents<Response>) {
    this.open = open;
    this.events = events;
  }

  start(): void {
    const stream = this.open();
    this.stream = stream;
    let isOver = false;
    const over = (code: status, reason: string): void => {
      if (isOver) return;
      isOver = true;
      if (this.stream === stream) this.stream = undefined;
      for (const resolve of this.whenDrained.splice(0)) resolve();
      if (!this.isWanted) return;
      if (final.includes(code)) {
        this.isWanted = false;
        this.events.rejected(code, reason);
        return;
      }
      // Half of the wait is drawn, so that those who lost one kernel do not all come back at once.
      const half = Math.ceil(this.waitMillis / 2);
      const retryMillis = half + randomInt(0, half + 1);
      this.waitMillis = Math.min(2 * this.waitMillis, longestWaitMillis);
      this.timer = setTimeout(() => this.start(), retryMillis);
      this.events.closed(reason, retryMillis);
    };
    stream.on('data', (message: Response) => {
      this.waitMillis = firstWaitMillis;
      this.events.received(message);
    });
    stream.on('error', (error: ServiceError) => over(error.code ?? status.UNKNOWN, error.details ?? error.message));
    stream.on('end', () => over(status.OK, 'the other side has ended the stream'));
    stream.on('close', () => over(status.UNKNOWN, 'the stream is closed'));
    stream.on('drain', () => {
      for (const resolve of this.whenDrained.splice(0)) resolve();
    });
    this.events.opened();
  }

  /** False if there is no stream: the message is dropped. */
  send(message: Request): boolean {
    const { stream } = this;
    if (stream === undefined || stream.destroyed || stream.writableEnded) return false;
    stream.write(message);
    return true;
  }

  /** Resolves when the other side takes more, or the stream is gone. */
  async drained(): Promise<void> {
    if (this.stream?.writableNeedDrain !== true) return;
    await new Promise<void>((resolve) => this.whenDrained.push(resolve));
  }

  /** Ends it for good; what was sent before still goes out. */
  close(): void {
    this.isWanted = false;
    clearTimeout(this.timer);
    this.stream?.end();
  }

  /** Breaks the stream as a lost network would; it comes back. */
  break(): void {
    this.stream?.cancel();
  }
}
