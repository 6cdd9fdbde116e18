// The two ends of a stream within this process, as a service and its client see them over gRPC: for those who stand inside the
// kernel's process and speak its protocol all the same. Messages are handed over as they are; who reads slowly is waited for.

import { Duplex } from 'node:stream';
import { type ClientDuplexStream, type ServerDuplexStream, status } from '@grpc/grpc-js';

class StreamEnd extends Duplex {
  peer: StreamEnd | undefined;
  private whenRead: (() => void) | undefined;

  constructor() {
    super({ objectMode: true });
  }

  override _write(message: unknown, _encoding: string, done: () => void): void {
    const { peer } = this;
    if (peer === undefined || peer.destroyed || peer.push(message)) done();
    else peer.whenRead = done;
  }

  override _read(): void {
    const done = this.whenRead;
    this.whenRead = undefined;
    done?.();
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Whoever waits for this end to read waits no more.
    this._read();
    const { peer } = this;
    if (peer !== undefined && !peer.destroyed) setImmediate(() => peer.destroy());
    done(error);
  }

  cancel(): void {
    this.peer?.emit('cancelled');
    this.destroy();
  }
}

export interface LocalStreams<Request, Response> {
  readonly client: ClientDuplexStream<Request, Response>;
  readonly server: ServerDuplexStream<Request, Response>;
}

export function localStreams<Request, Response>(): LocalStreams<Request, Response> {
  const client = new StreamEnd();
  const server = new StreamEnd();
  client.peer = server;
  server.peer = client;
  // A service ends a stream with a status by emitting it as an error.
  server.once('error', (error: { readonly code?: number; readonly details?: string }) => {
    const { code = status.UNKNOWN, details = 'the stream failed' } = error;
    if (!client.destroyed) client.destroy(Object.assign(new Error(details), { code, details }));
  });
  return {
    client: client as unknown as ClientDuplexStream<Request, Response>,
    server: server as unknown as ServerDuplexStream<Request, Response>,
  };
}
