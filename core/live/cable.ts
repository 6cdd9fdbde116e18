// A cable between an agent and the kernel, that can be cut: then nothing goes through, and neither end is told. For demonstrations and
// tests; nothing of the kernel needs it.

import { connect, createServer, type Server, type Socket } from 'node:net';

export class Cable {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(server: Server) {
    this.server = server;
  }

  /** Leads to `port` on this machine. */
  static async lay(port: number): Promise<Cable> {
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        cable.sockets.add(from);
        from.on('data', (bytes) => {
          if (!cable.isCut && !into.write(bytes)) from.pause();
        });
        into.on('drain', () => from.resume());
        from.on('error', () => into.destroy());
        from.on('close', () => {
          cable.sockets.delete(from);
          into.destroy();
        });
      }
    });
    const cable = new Cable(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return cable;
  }

  /** `host:port` of its near end. */
  get address(): string {
    const address = this.server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  cut(): void {
    this.isCut = true;
  }

  /** What was under way when it was cut is lost, and so are the connections. */
  mend(): void {
    if (!this.isCut) return;
    this.isCut = false;
    for (const socket of [...this.sockets]) socket.destroy();
  }

  remove(): void {
    for (const socket of [...this.sockets]) socket.destroy();
    this.server.close();
  }
}
