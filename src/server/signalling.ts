/**
 * PeerJS signalling for the whole LAN: one PeerServer, whichever listener a device came through, so that a
 * host on `http://localhost` and phones on `https://…` meet in the same room.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer, type RawData } from 'ws';
import { createByteAllowance } from './byte-allowance.ts';
import { createEventSignalling } from './event-signalling.ts';
import { createNameEntry } from './names/name-entry.ts';
import { serverKey } from './names/name-claim.ts';
import { isMisdirected } from './own-host.ts';

/** The path that a PeerJS client is given; its socket is `/peerjs/peerjs`. */
export const signallingPath = '/peerjs';
/** For devices that open no socket. */
const eventsPath = `${signallingPath}/events`;

export interface SignallingOptions {
  /** Origins besides the server's own whose pages may use this server, e.g. an app on a static host. */
  allowedOrigins: readonly string[];
}

export interface Signalling {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

const maxPeers = 512;
const maxSocketsPerAddress = 128;
/** An offer with all its candidates takes under 10 KB. */
const maxMessageBytes = 64 * 1024;
const maxUrlLength = 512;
/** A host greets a class: thirty offers with candidates at once, then a trickle. */
const allowance = { burstBytes: 1024 * 1024, bytesPerSecond: 64 * 1024 };
/** What even an empty message costs. */
const leastBytes = 512;

export function createSignalling({ allowedOrigins }: SignallingOptions): Signalling {
  const sockets = new WebSocketServer({
    noServer: true,
    path: `${signallingPath}/peerjs`,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  });
  /** What PeerServer listens to: sockets reach it when their name is settled. */
  const admitted = new WebSocketServer({ noServer: true });
  const names = createNameEntry((socket, request) => admitted.emit('connection', socket, request));
  const socketsOf = new Map<string, number>();

  sockets.on('connection', (socket, request: IncomingMessage) => {
    // A socket that breaks ends by itself; it must not end the server.
    socket.on('error', () => undefined);
    const address = request.socket.remoteAddress ?? '';
    socketsOf.set(address, (socketsOf.get(address) ?? 0) + 1);
    socket.on('close', () => {
      const left = (socketsOf.get(address) ?? 1) - 1;
      if (left > 0) socketsOf.set(address, left);
      else socketsOf.delete(address);
    });
    const takes = createByteAllowance(allowance);
    socket.on('message', (data) => {
      // A close handshake would go on listening to whoever floods.
      if (!takes(Math.max(leastBytes, byteLength(data)))) socket.terminate();
    });
    names.enter(socket, request);
  });

  // PeerServer asks for the server to attach to; sockets are handed to it from both listeners instead.
  const peerServer = ExpressPeerServer(createServer(), {
    path: signallingPath,
    key: serverKey,
    allow_discovery: false,
    concurrent_limit: maxPeers,
    corsOptions: { origin: [...allowedOrigins] },
    createWebSocketServer: () => admitted,
  });
  // What is no JSON is passed by; it must not end the server.
  peerServer.on('error', () => undefined);
  peerServer.on('connection', (client) => names.entered(client));
  peerServer.on('disconnect', (client) => names.left(client));
  const events = createEventSignalling({
    connect: (socket, request) => sockets.emit('connection', socket, request),
    refuse,
    allowedOrigins,
    maxMessageBytes,
  });
  // A PeerServer starts when an application takes it in. Another that nobody takes in is no more than such an
  // application, and needs no Express of our own.
  const http = ExpressPeerServer(createServer()).use(peerServer);
  for (const application of [http, peerServer]) application.disable('x-powered-by');

  return {
    handleRequest: (request, response) => {
      if (pathOf(request) === eventsPath) events.handleRequest(request, response);
      else http(request, response);
    },
    handleUpgrade: (request, socket, head) => {
      const refusal = sockets.shouldHandle(request) ? refuse(request) : '404 Not Found';
      if (refusal) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (opened) =>
        sockets.emit('connection', opened, request),
      );
    },
    close: () => {
      events.close();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };

  function refuse(request: IncomingMessage): string | null {
    if ((request.url ?? '').length > maxUrlLength) return '414 URI Too Long';
    if (isMisdirected(request, allowedOrigins)) return '421 Misdirected Request';
    if (!isAllowedOrigin(request, allowedOrigins)) return '403 Forbidden';
    const open = socketsOf.get(request.socket.remoteAddress ?? '') ?? 0;
    // A message for a stream that is open opens nothing.
    return request.method !== 'POST' && open >= maxSocketsPerAddress
      ? '429 Too Many Requests'
      : null;
  }
}

/** A page of another site must not reach into the LAN through a visitor's browser. */
function isAllowedOrigin(request: IncomingMessage, allowedOrigins: readonly string[]): boolean {
  const { origin, host } = request.headers;
  // No browser leaves the header out; other programs are not bound by it anyway.
  if (origin === undefined) return true;
  return allowedOrigins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/[?#].*$/s, '');
}

function byteLength(data: RawData): number {
  return Array.isArray(data)
    ? data.reduce((bytes, part) => bytes + part.byteLength, 0)
    : data.byteLength;
}
