/** A server as a browser has it that refuses every socket to it, as behind a certificate it made itself. */
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SocketlessServer {
  origin: string;
  refusedSockets(): number;
  close(): void;
}

/** @param behind origin of the server that answers everything else */
export async function startSocketlessServer(behind: string): Promise<SocketlessServer> {
  const { hostname: host, port } = new URL(behind);
  let refused = 0;
  const proxy = createServer((request, response) => {
    const { method, headers, url } = request;
    const onward = httpRequest({ host, port, method, headers, path: url }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
      answer.on('close', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  proxy.on('upgrade', (_, socket) => {
    refused++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address() as AddressInfo;
  return {
    origin: `http://localhost:${address.port}`,
    refusedSockets: () => refused,
    close() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
