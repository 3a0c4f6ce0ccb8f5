import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import {
  come,
  comeAndFallSilent,
  type SignalledDevice,
  type Way,
} from '../testing/signalled-device.ts';
import { serveTestSite } from '../testing/site.ts';

const open = { type: 'OPEN' };
const ways: Way[] = ['socket', 'stream'];
const pairsOfWays = ways.flatMap((before) => ways.map((after) => [before, after] as const));
const host = { id: 'room', token: 'of the host' };
const other = { id: 'room', token: 'of somebody else' };

async function greet(device: SignalledDevice): Promise<SignalledDevice> {
  expect(await device.next()).toEqual(open);
  return device;
}

/** Whether a message to the name reaches this device. */
async function hears(origin: string, device: SignalledDevice, payload: string): Promise<void> {
  const phone = await greet(await come('socket', origin, { id: `phone ${payload}` }));
  await phone.send({ type: 'OFFER', dst: host.id, payload });
  expect(await device.next()).toMatchObject({ type: 'OFFER', payload });
  phone.leave();
}

describe('a device that comes back with its own token', () => {
  test.each(pairsOfWays)('from %s by %s takes the place of its old self', async (before, after) => {
    const { server } = await serveTestSite();
    const old = await greet(await come(before, server.httpOrigin, host));
    const back = await greet(await come(after, server.httpsOrigin, host));
    await old.closed();
    await hears(server.httpOrigin, back, 'still there?');
    const again = await greet(await come(before, server.httpOrigin, host));
    await back.closed();
    await hears(server.httpOrigin, again, 'and now?');
  });

  test.each(pairsOfWays)(
    'waits for nothing where its %s fell silent (by %s)',
    async (before, after) => {
      const { server } = await serveTestSite();
      await comeAndFallSilent(before, server.httpOrigin, host);
      const startedAtMs = performance.now();
      await greet(await come(after, server.httpOrigin, host));
      expect(performance.now() - startedAtMs).toBeLessThan(1500);
    },
  );

  test('is given what was said to it while it was away', async () => {
    const { server } = await serveTestSite();
    const old = await greet(await come('socket', server.httpOrigin, host));
    const phone = await greet(await come('socket', server.httpOrigin, { id: 'phone' }));
    old.leave();
    // Until the server has noticed, what is said goes to the old connection.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await phone.send({ type: 'OFFER', dst: host.id, payload: 'hello' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const back = await greet(await come('stream', server.httpOrigin, host));
    expect(await back.next()).toMatchObject({ type: 'OFFER', payload: 'hello' });
  });

  test('comes before others that wait for its name', async () => {
    const { server } = await serveTestSite();
    const silent = await comeAndFallSilent('socket', server.httpOrigin, host);
    const waiting = await Promise.all(
      Array.from({ length: 20 }, () => come('socket', server.httpOrigin, other)),
    );
    const back = await greet(await come('socket', server.httpOrigin, host));
    for (const one of waiting) expect(await one.next()).toMatchObject({ type: 'ID-TAKEN' });
    await hears(server.httpOrigin, back, 'mine?');
    silent.destroy();
  });

  test('and again and again at once ends as one', async () => {
    const { server } = await serveTestSite();
    await greet(await come('socket', server.httpOrigin, host));
    const many = await Promise.all(
      Array.from({ length: 10 }, (_, i) => come(ways[i % 2], server.httpOrigin, host)),
    );
    const rest = await greet(await come('socket', server.httpOrigin, host));
    for (const one of many) await one.closed();
    await hears(server.httpOrigin, rest, 'which?');
  });

  test('does not end its old self by a request that PeerServer refuses', async () => {
    const { server } = await serveTestSite();
    const old = await greet(await come('socket', server.httpOrigin, host));
    const wrong = await come('socket', server.httpOrigin, { ...host, key: 'another' });
    expect(await wrong.next()).toMatchObject({ type: 'ERROR' });
    await hears(server.httpOrigin, old, 'undisturbed');
  });
});

describe('another device that asks for a taken name', () => {
  test.each(pairsOfWays)(
    '(%s, then %s) is refused while the holder answers',
    async (before, after) => {
      const { server } = await serveTestSite();
      const holder = await greet(await come(before, server.httpOrigin, host));
      const second = await come(after, server.httpsOrigin, other);
      expect(await second.next()).toMatchObject({ type: 'ID-TAKEN' });
      await second.closed();
      await hears(server.httpOrigin, holder, 'still me');
    },
  );

  test.each(ways)(
    'by %s is let in within seconds where the holder’s socket is half open',
    async (after) => {
      const { server } = await serveTestSite();
      await comeAndFallSilent('socket', server.httpOrigin, host);
      const startedAtMs = performance.now();
      const second = await greet(await come(after, server.httpOrigin, other));
      const waitedMs = performance.now() - startedAtMs;
      expect(waitedMs).toBeGreaterThan(2000);
      expect(waitedMs).toBeLessThan(4000);
      await hears(server.httpOrigin, second, 'mine now');
    },
  );

  test.each(ways)(
    'by %s is let in where the holder’s page does not answer by its stream',
    async (after) => {
      const { server } = await serveTestSite();
      await comeAndFallSilent('stream', server.httpOrigin, host, '&answers=yes');
      await greet(await come(after, server.httpOrigin, other));
    },
  );

  test.each(pairsOfWays)(
    '(%s, then %s) is let in at once where the holder left',
    async (before, after) => {
      const { server } = await serveTestSite();
      const holder = await greet(await come(before, server.httpOrigin, host));
      const startedAtMs = performance.now();
      holder.leave();
      await greet(await come(after, server.httpOrigin, other));
      expect(performance.now() - startedAtMs).toBeLessThan(1500);
    },
  );

  test.each(ways)('(holder by %s) is let in where a write to the holder fails', async (before) => {
    const { server } = await serveTestSite();
    const silent = await comeAndFallSilent(before, server.httpOrigin, host);
    const second = come('socket', server.httpOrigin, other);
    silent.resetAndDestroy();
    await greet(await second);
  });

  test('is let in when it asks again after 5 s', { timeout: 20_000 }, async () => {
    const { server } = await serveTestSite();
    await comeAndFallSilent('socket', server.httpOrigin, host);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await greet(await come('socket', server.httpOrigin, other));
  });

  test('is one of many, and only one gets the name of a holder that is gone', async () => {
    const { server } = await serveTestSite();
    await comeAndFallSilent('socket', server.httpOrigin, host);
    const many = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        come(ways[i % 2], server.httpOrigin, { id: host.id, token: `token ${i}` }),
      ),
    );
    const answers = await Promise.all(many.map((one) => one.next()));
    expect(answers.filter((answer) => (answer as { type: string }).type === 'OPEN')).toHaveLength(
      1,
    );
    expect(
      answers.filter((answer) => (answer as { type: string }).type === 'ID-TAKEN'),
    ).toHaveLength(11);
  });

  test('leaves before the answer, and leaves no dead holder behind', async () => {
    const { server } = await serveTestSite();
    await comeAndFallSilent('socket', server.httpOrigin, host);
    const hasty = await come('socket', server.httpOrigin, { ...other, token: 'hasty' });
    hasty.leave();
    await greet(await come('socket', server.httpOrigin, other));
  });

  test('asks without end, and the holder is asked once a second', { timeout: 20_000 }, async () => {
    const { server } = await serveTestSite();
    const holder = new WebSocket(
      `${server.httpOrigin.replace('http', 'ws')}/peerjs/peerjs?key=peerjs&id=room&token=t`,
      { origin: server.httpOrigin },
    );
    let pings = 0;
    holder.on('ping', () => pings++);
    await new Promise((resolve) => holder.once('message', resolve));
    const startedAtMs = performance.now();
    const asking = Array.from({ length: 8 }, async () => {
      while (performance.now() - startedAtMs < 2500) {
        const one = await come('socket', server.httpOrigin, other);
        expect(await one.next()).toMatchObject({ type: 'ID-TAKEN' });
      }
    });
    await Promise.all(asking);
    expect(pings).toBeGreaterThan(1);
    expect(pings).toBeLessThanOrEqual(5);
    expect(holder.readyState).toBe(WebSocket.OPEN);
    holder.terminate();
  });

  test(
    'cannot make a slow holder look dead by what it sends there',
    { timeout: 30_000 },
    async () => {
      const { server } = await serveTestSite();
      const { socket: holder, isClosed } = await slowHolder(server.httpOrigin);
      const flood = await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          come('socket', server.httpOrigin, { id: `flood ${i}` }).then(greet),
        ),
      );
      for (const one of flood)
        for (let sent = 0; sent < 15; sent++)
          await one.send({ type: 'OFFER', dst: host.id, payload: 'x'.repeat(60_000) });
      const second = await come('socket', server.httpOrigin, other);
      expect(await second.next()).toMatchObject({ type: 'ID-TAKEN' });
      expect(isClosed()).toBe(false);
      holder.terminate();
    },
  );
});

/** A device that reads a little now and then. */
async function slowHolder(origin: string): Promise<{ socket: WebSocket; isClosed: () => boolean }> {
  const query = new URLSearchParams({ key: 'peerjs', ...host });
  const socket = new WebSocket(
    `${origin.replace('http', 'ws')}/peerjs/peerjs?${query.toString()}`,
    { origin },
  );
  await new Promise((resolve) => socket.once('message', resolve));
  let isClosed = false;
  socket.on('close', () => (isClosed = true));
  let read = 0;
  socket.on('message', () => {
    if (++read % 20 !== 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), 100);
  });
  return { socket, isClosed: () => isClosed };
}
