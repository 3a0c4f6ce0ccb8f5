/**
 * A real network path between two browsers of this machine that a test can make worse: UDP packets go through here,
 * and are delayed, lost, or cut off, as a network would, below everything that a browser does about it.
 */
import { createSocket, type Socket } from 'node:dgram';

export interface NetworkPath {
  /** Where to send, to reach that address by this path. */
  through(address: string, port: number): Promise<{ address: string; port: number }>;
  /** One way, and which share of packets gets lost. */
  quality: { delayMs: number; lossRate: number };
  /** Every route that there is now goes silent for good, as when a device leaves a Wi-Fi; new ones work. */
  cut(): void;
  close(): void;
}

interface Route {
  sockets: Set<Socket>;
  isCut: boolean;
}

export function createNetworkPath(): NetworkPath {
  const routes: Route[] = [];
  const path: NetworkPath = {
    quality: { delayMs: 0, lossRate: 0 },
    async through(address, port) {
      const route: Route = { sockets: new Set(), isCut: false };
      routes.push(route);
      /** By who sends: the socket by which the other end answers that sender. */
      const backs = new Map<string, Promise<Socket>>();
      const front = await open(route, address);
      front.on('message', (packet, from) => {
        const name = `${from.address} ${from.port}`;
        const back = backs.get(name) ?? open(route, address);
        if (!backs.has(name)) {
          backs.set(name, back);
          void back.then((socket) =>
            socket.on('message', (answer) => pass(route, front, answer, from)),
          );
        }
        void back.then((socket) => pass(route, socket, packet, { address, port }));
      });
      return { address, port: front.address().port };
    },
    cut() {
      for (const route of routes) route.isCut = true;
    },
    close() {
      path.cut();
      for (const route of routes) for (const socket of route.sockets) socket.close();
    },
  };

  function pass(
    route: Route,
    socket: Socket,
    packet: Buffer,
    to: { address: string; port: number },
  ) {
    const { delayMs, lossRate } = path.quality;
    if (Math.random() < lossRate) return;
    const send = (): void => {
      if (!route.isCut) socket.send(packet, to.port, to.address, () => undefined);
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs);
  }

  return path;
}

function open(route: Route, address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  route.sockets.add(socket);
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.bind(0, address, () => resolve(socket)));
}
