import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocket, { type RawData } from 'ws';
import { ask } from './testing/request.ts';
import { serveTestSite, type TestSite } from './testing/site.ts';

describe('two devices', () => {
  test('meet, one having come over http and one over HTTPS', async () => {
    const { server } = await serveTestSite();
    const laptop = await enter(server.httpOrigin, 'laptop');
    const phone = await enter(server.httpsOrigin, 'phone');
    phone.send({ type: 'OFFER', dst: 'laptop', payload: 'an offer' });
    expect(await laptop.next()).toEqual({
      type: 'OFFER',
      src: 'phone',
      dst: 'laptop',
      payload: 'an offer',
    });
    laptop.send({ type: 'ANSWER', dst: 'phone', payload: 'an answer' });
    expect(await phone.next()).toMatchObject({ type: 'ANSWER', src: 'laptop' });
  });

  test('cannot take the same name, nor speak in the name of another', async () => {
    const { server } = await serveTestSite();
    const laptop = await enter(server.httpOrigin, 'laptop');
    const second = open(server.httpOrigin, 'laptop', 'another token');
    expect(await second.next()).toMatchObject({ type: 'ID-TAKEN' });
    const phone = await enter(server.httpsOrigin, 'phone');
    phone.send({ type: 'OFFER', src: 'somebody else', dst: 'laptop', payload: '' });
    expect(await laptop.next()).toMatchObject({ src: 'phone' });
  });
});

test('nobody is listed', async () => {
  const { server } = await serveTestSite();
  await enter(server.httpOrigin, 'laptop');
  const { status, headers, body } = await ask(server.httpOrigin, '/peerjs/peerjs/peers');
  expect(status).toBe(401);
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(body.toString()).not.toContain('laptop');
});

describe('refused', () => {
  test('a page of another site', async () => {
    const { server } = await serveTestSite();
    expect(await refusal(server.httpOrigin, { origin: 'https://elsewhere.example' })).toBe(403);
    expect(await refusal(server.httpOrigin, { origin: 'null' })).toBe(403);
  });

  test('unless its app was allowed by name', async () => {
    const { server } = await serveTestSite({ allowedOrigins: ['https://app.example'] });
    const socket = open(server.httpOrigin, 'device', 'token', { origin: 'https://app.example' });
    expect(await socket.next()).toEqual({ type: 'OPEN' });
    const headers = { Origin: 'https://app.example' };
    const id = await ask(server.httpOrigin, '/peerjs/peerjs/id', { headers });
    expect(id.headers['access-control-allow-origin']).toBe('https://app.example');
  });

  test('a foreign name pointed at this machine', async () => {
    const { server } = await serveTestSite();
    const host = `elsewhere.example:${new URL(server.httpOrigin).port}`;
    expect(await refusal(server.httpOrigin, { origin: `http://${host}`, host })).toBe(421);
  });

  test('a socket to any other path, and an endless address', async () => {
    const { server } = await serveTestSite();
    expect(await refusal(server.httpOrigin, { path: '/' })).toBe(404);
    expect(await refusal(server.httpOrigin, { path: '/peerjs' })).toBe(404);
    const long = `/peerjs/peerjs?key=peerjs&token=t&id=${'x'.repeat(600)}`;
    expect(await refusal(server.httpOrigin, { path: long })).toBe(414);
  });

  test('one device opening sockets without end', async () => {
    const { server } = await serveTestSite();
    const ids = Array.from({ length: 128 }, (_, i) => `device-${i}`);
    await Promise.all(ids.map((id) => enter(server.httpOrigin, id)));
    expect(await refusal(server.httpOrigin, {})).toBe(429);
  });
});

describe('cut off, while the others go on', () => {
  test('a message larger than any offer', async () => {
    const { others, hostile } = await aRoomAndOneMore();
    hostile.send({ type: 'OFFER', dst: 'laptop', payload: 'x'.repeat(70_000) });
    expect(await hostile.closed()).toBe(1009);
    await others.stillTalk();
  });

  test('more messages than any room needs', async () => {
    const { others, hostile } = await aRoomAndOneMore();
    for (let sent = 0; sent < 4000; sent++) hostile.send({ type: 'HEARTBEAT' });
    expect(await hostile.closed()).toBe(1006);
    await others.stillTalk();
  });

  test('what is no message at all does no harm', async () => {
    const { others, hostile } = await aRoomAndOneMore();
    for (const text of ['', '{', 'null', '[]', '7', '{"type":{}}', '{"type":"OFFER","dst":{}}'])
      hostile.sendText(text);
    hostile.sendText(Buffer.from([0, 255, 254]));
    await others.stillTalk();
  });
});

interface Socket {
  send(message: Record<string, string>): void;
  sendText(text: string | Buffer): void;
  /** The next message in order of arrival. */
  next(): Promise<unknown>;
  /** The code it was closed with. */
  closed(): Promise<number>;
}

interface OpenOptions {
  origin?: string;
  host?: string;
  path?: string;
}

async function enter(origin: string, id: string): Promise<Socket> {
  const socket = open(origin, id, `token of ${id}`);
  expect(await socket.next()).toEqual({ type: 'OPEN' });
  return socket;
}

function open(origin: string, id: string, token: string, options: OpenOptions = {}): Socket {
  const socket = dial(origin, id, token, options);
  const arrived: unknown[] = [];
  const close = once(socket, 'close');
  socket.on('message', (data: RawData) => arrived.push(JSON.parse(text(data))));
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    next: async () => {
      await expect.poll(() => arrived.length, { timeout: 5000 }).toBeGreaterThan(0);
      return arrived.shift();
    },
    closed: async () => Number((await close)[0]),
  };
}

/** The status with which the server refuses to open a socket. */
async function refusal(origin: string, options: OpenOptions): Promise<number> {
  const socket = dial(origin, 'device', 'token', options);
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('open', () => reject(new Error('the server took it')));
  });
}

function dial(origin: string, id: string, token: string, options: OpenOptions): WebSocket {
  const query = new URLSearchParams({ key: 'peerjs', id, token });
  const url = new URL(origin);
  const path = options.path ?? `/peerjs/peerjs?${query.toString()}`;
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, {
    origin: options.origin ?? url.origin,
    ...(options.host !== undefined && { headers: { Host: options.host } }),
    rejectUnauthorized: false,
  });
  // The server refuses some of these and cuts others off while they write; their closing tells.
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  return socket;
}

async function aRoomAndOneMore(): Promise<{
  others: { stillTalk(): Promise<void> };
  hostile: Socket;
}> {
  const { server }: TestSite = await serveTestSite();
  const laptop = await enter(server.httpOrigin, 'laptop');
  const phone = await enter(server.httpsOrigin, 'phone');
  const hostile = await enter(server.httpsOrigin, 'hostile');
  const stillTalk = async (): Promise<void> => {
    phone.send({ type: 'OFFER', dst: 'laptop', payload: 'still here' });
    expect(await laptop.next()).toMatchObject({ src: 'phone', payload: 'still here' });
  };
  return { others: { stillTalk }, hostile };
}

function text(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : '';
}
