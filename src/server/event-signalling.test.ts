import { request as httpRequest } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveTestSite } from './testing/site.ts';

interface Device {
  post(message: object | string): Promise<number>;
  next(): Promise<unknown>;
  ended(): Promise<void>;
}

interface StreamOptions {
  token?: string;
  headers?: Record<string, string>;
}

function pathOf(id: string, token = `token of ${id}`): string {
  return `/peerjs/events?${new URLSearchParams({ key: 'peerjs', id, token }).toString()}`;
}

/** Opens a device's stream; rejects with the status if it is refused. */
function open(
  origin: string,
  id: string,
  { token, headers = {} }: StreamOptions = {},
): Promise<Device> {
  const path = pathOf(id, token);
  const arrived: unknown[] = [];
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${origin}${path}`, { headers, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`status ${response.statusCode ?? 0}`));
        return;
      }
      let text = '';
      let over = false;
      response.setEncoding('utf8');
      response.on('error', () => undefined);
      response.on('close', () => (over = true));
      response.on('data', (part: string) => {
        text += part;
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events)
          if (event.startsWith('data: ')) arrived.push(JSON.parse(event.slice(6)));
      });
      resolve({
        post: (message) => post(origin, path, message),
        next: async () => {
          await expect.poll(() => arrived.length, { timeout: 5000 }).toBeGreaterThan(0);
          return arrived.shift();
        },
        ended: () => expect.poll(() => over, { timeout: 5000 }).toBe(true),
      });
    });
    request.end();
    onTestFinished(() => void request.destroy());
  });
}

async function post(origin: string, path: string, message: object | string): Promise<number> {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  const { status } = await fetch(`${origin}${path}`, { method: 'POST', body });
  return status;
}

async function enter(origin: string, id: string): Promise<Device> {
  const device = await open(origin, id);
  expect(await device.next()).toEqual({ type: 'OPEN' });
  return device;
}

describe('two devices without sockets', () => {
  test('meet', async () => {
    const { server } = await serveTestSite();
    const [laptop, phone] = [
      await enter(server.httpOrigin, 'laptop'),
      await enter(server.httpOrigin, 'phone'),
    ];
    expect(await phone.post({ type: 'OFFER', dst: 'laptop', payload: 'an offer' })).toBe(204);
    expect(await laptop.next()).toEqual({
      type: 'OFFER',
      src: 'phone',
      dst: 'laptop',
      payload: 'an offer',
    });
  });

  test('cannot take the same name, nor speak in the name of another', async () => {
    const { server } = await serveTestSite();
    const laptop = await enter(server.httpOrigin, 'laptop');
    const second = await open(server.httpOrigin, 'laptop', { token: 'another' });
    expect(await second.next()).toMatchObject({ type: 'ID-TAKEN' });
    await second.ended();
    const forged = { type: 'OFFER', dst: 'laptop', payload: '' };
    expect(await post(server.httpOrigin, pathOf('laptop', 'another'), forged)).toBe(404);
    const phone = await enter(server.httpOrigin, 'phone');
    await phone.post({ ...forged, src: 'somebody else' });
    expect(await laptop.next()).toMatchObject({ src: 'phone' });
  });

  test('come back to a stream that broke, under their own name', async () => {
    const { server } = await serveTestSite();
    const first = await enter(server.httpOrigin, 'laptop');
    const again = await enter(server.httpOrigin, 'laptop');
    await first.ended();
    const phone = await enter(server.httpOrigin, 'phone');
    await phone.post({ type: 'OFFER', dst: 'laptop', payload: 'still there?' });
    expect(await again.next()).toMatchObject({ src: 'phone' });
  });
});

describe('refused', () => {
  test('a page of another site, whether or not it says so itself', async () => {
    const { server } = await serveTestSite();
    for (const headers of [
      { Origin: 'https://elsewhere.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ])
      await expect(open(server.httpOrigin, 'device', { headers })).rejects.toThrow('status 403');
  });

  test('whoever names no id or token, and one device opening streams without end', async () => {
    const { server } = await serveTestSite();
    await expect(open(server.httpOrigin, '')).rejects.toThrow('status 400');
    await Promise.all(
      Array.from({ length: 128 }, (_, index) => enter(server.httpOrigin, `device-${index}`)),
    );
    await expect(open(server.httpOrigin, 'one more')).rejects.toThrow('status 429');
  });

  test('a message larger than any offer, and more messages than any room needs', async () => {
    const { server } = await serveTestSite();
    const large = await enter(server.httpOrigin, 'large');
    expect(await large.post('x'.repeat(70_000))).toBe(413);
    await large.ended();
    const many = await enter(server.httpOrigin, 'many');
    for (let sent = 0; sent < 40; sent++) await many.post('x'.repeat(60_000)).catch(() => 0);
    await many.ended();
    expect(await many.post({ type: 'HEARTBEAT' })).toBe(404);
  });

  test('what is no message at all does no harm', async () => {
    const { server } = await serveTestSite();
    const [laptop, phone] = [
      await enter(server.httpOrigin, 'laptop'),
      await enter(server.httpOrigin, 'phone'),
    ];
    for (const text of ['', '{', 'null', '[]', '7', '{"type":{}}']) await phone.post(text);
    await phone.post({ type: 'OFFER', dst: 'laptop', payload: 'still here' });
    expect(await laptop.next()).toMatchObject({ payload: 'still here' });
  });
});
