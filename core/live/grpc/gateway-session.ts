// One stream of a gateway, whoever speaks on it: messages go out in order and no faster than they are read, and it ends with a status
// that says why. What is said on it is the gateway's own.

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { OutgoingMessages } from './outgoing.ts';

interface Envelope<Message> {
  message?: Message | undefined;
}

export class GatewaySession<Request, Response> {
  readonly outgoing: OutgoingMessages<Envelope<Response>>;
  readonly stream: ServerDuplexStream<Envelope<Request>, Envelope<Response>>;
  /** This side has ended it. */
  hasFailed = false;

  /** `outgoingMax`: messages that wait to be read. */
  constructor(stream: ServerDuplexStream<Envelope<Request>, Envelope<Response>>, outgoingMax: number) {
    this.stream = stream;
    this.outgoing = new OutgoingMessages<Envelope<Response>>(stream, outgoingMax, () =>
      this.fail(status.RESOURCE_EXHAUSTED, `${outgoingMax} messages wait to be read; connect again`),
    );
  }

  /** Tells what is said on the stream, and, perhaps more than once, that it is over. */
  listen(received: (message: Request) => void, over: () => void): void {
    this.stream.on('data', ({ message }: Envelope<Request>) => {
      if (message !== undefined) received(message);
    });
    this.stream.on('end', () => this.stream.end());
    for (const event of ['error', 'cancelled', 'close']) this.stream.on(event, over);
  }

  send(message: Response): void {
    this.outgoing.send({ message });
  }

  fail(code: number, details: string): void {
    this.hasFailed = true;
    this.outgoing.end();
    this.stream.emit('error', { code, details });
  }
}
