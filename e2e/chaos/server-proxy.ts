/** One machine's way to the server: everything goes through here, and can be shut. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface ServerProxy {
  readonly port: number;
  /** Ends what is under way and refuses what comes; false lets everything through again. */
  shut(isShut: boolean): void;
  close(): void;
}

export async function openServerProxy(serverPort: number): Promise<ServerProxy> {
  const sockets = new Set<Socket>();
  let isShut = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (isShut) {
      near.destroy();
      return;
    }
    const far = connect(serverPort, '127.0.0.1');
    keep(far);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut(value) {
      isShut = value;
      if (isShut) endAll();
    },
    close() {
      server.close();
      endAll();
    },
  };
}
