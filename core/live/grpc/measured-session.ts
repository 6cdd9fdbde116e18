// A stream whose link is measured: it can send a ping, and say how far behind its reader is.

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { LinkPing } from '../../proto/generated/sira/v1/link.ts';
import { GatewaySession } from './gateway-session.ts';
import type { LinkDesk, MeasuredStream } from './link-desk.ts';

interface Envelope<Message> {
  message?: Message | undefined;
}

type Ping = { readonly $case: 'ping'; readonly value: LinkPing };

export class MeasuredSession<Request, Response>
  extends GatewaySession<Request, Response | Ping>
  implements MeasuredStream
{
  private readonly desk: LinkDesk;

  constructor(stream: ServerDuplexStream<Envelope<Request>, Envelope<Response>>, outgoingMax: number, desk: LinkDesk) {
    super(stream as ServerDuplexStream<Envelope<Request>, Envelope<Response | Ping>>, outgoingMax);
    this.desk = desk;
  }

  get waiting(): number {
    return this.outgoing.length;
  }

  get address(): string {
    return this.stream.getPeer();
  }

  ping(id: number, padding: Uint8Array): void {
    this.outgoing.send(async () => {
      this.desk.sent(id);
      return { message: { $case: 'ping', value: { id, padding } } };
    });
  }
}
