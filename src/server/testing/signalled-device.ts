/** Devices of the signalling server's tests, come by socket or by event stream, and one that has fallen silent. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import WebSocket, { type RawData } from 'ws';

export type Way = 'socket' | 'stream';

export interface SignalledDevice {
  /** The next message in order of arrival. */
  next(): Promise<unknown>;
  send(message: object): Promise<void>;
  /** Resolves when the server ended its connection. */
  closed(): Promise<void>;
  /** Goes without a goodbye that the server would have to answer. */
  leave(): void;
}

interface Claim {
  id: string;
  token?: string;
  /** Left out: PeerServer's own. */
  key?: string;
}

function pathOf(way: Way, { id, token = `token of ${id}`, key = 'peerjs' }: Claim): string {
  const query = new URLSearchParams({ key, id, token });
  return `/peerjs/${way === 'socket' ? 'peerjs' : 'events'}?${query.toString()}`;
}

export async function come(way: Way, origin: string, claim: Claim): Promise<SignalledDevice> {
  return way === 'socket' ? comeBySocket(origin, claim) : comeByStream(origin, claim);
}

async function comeBySocket(origin: string, claim: Claim): Promise<SignalledDevice> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${pathOf('socket', claim)}`, {
    origin,
    rejectUnauthorized: false,
  });
  const inbox = createInbox();
  socket.on('message', (data: RawData) => inbox.take(Buffer.isBuffer(data) ? data.toString() : ''));
  socket.on('error', () => undefined);
  socket.on('close', inbox.end);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return {
    ...inbox,
    send(message) {
      socket.send(JSON.stringify(message));
      return Promise.resolve();
    },
    leave: () => socket.terminate(),
  };
}

async function comeByStream(origin: string, claim: Claim): Promise<SignalledDevice> {
  const address = `${origin}${pathOf('stream', claim)}`;
  const inbox = createInbox();
  const start = origin.startsWith('https') ? httpsRequest : httpRequest;
  const request = start(address, { agent: false, rejectUnauthorized: false });
  request.on('error', inbox.end);
  request.end();
  onTestFinished(() => void request.destroy());
  const response = await new Promise<NodeJS.ReadableStream>((resolve) =>
    request.on('response', resolve),
  );
  let text = '';
  response.on('error', () => undefined);
  response.on('close', inbox.end);
  response.on('data', (part: Buffer) => {
    const events = (text + part.toString()).split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) inbox.take(event.slice(6));
  });
  return {
    ...inbox,
    send: (message) => say(origin, claim, message),
    leave: () => void request.destroy(),
  };
}

async function say(origin: string, claim: Claim, message: object): Promise<void> {
  const start = origin.startsWith('https') ? httpsRequest : httpRequest;
  const request = start(`${origin}${pathOf('stream', claim)}`, {
    method: 'POST',
    agent: false,
    rejectUnauthorized: false,
  });
  request.end(JSON.stringify(message));
  await once(request, 'response');
}

/** A device over plain TCP that was let in, and from then on reads and answers nothing. */
export async function comeAndFallSilent(
  way: Way,
  origin: string,
  claim: Claim,
  extraQuery = '',
): Promise<Socket> {
  const { hostname, port, host } = new URL(origin);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  socket.write(
    `GET ${pathOf(way, claim)}${extraQuery} HTTP/1.1\r\nHost: ${host}\r\n${way === 'socket' ? upgrade : ''}\r\n`,
  );
  let read = '';
  await new Promise<void>((resolve) =>
    socket.on('data', (part: Buffer) => {
      read += part.toString('latin1');
      if (read.includes('"OPEN"')) resolve();
    }),
  );
  socket.pause();
  return socket;
}

interface Inbox {
  take(text: string): void;
  end: () => void;
  next(): Promise<unknown>;
  closed(): Promise<void>;
}

function createInbox(): Inbox {
  const arrived: unknown[] = [];
  let isOver = false;
  const deadline = { timeout: 8000, interval: 20 };
  return {
    take: (text) => void arrived.push(JSON.parse(text)),
    end: () => void (isOver = true),
    async next() {
      await expect.poll(() => arrived.length, deadline).toBeGreaterThan(0);
      return arrived.shift();
    },
    closed: () => expect.poll(() => isOver, deadline).toBe(true),
  };
}
