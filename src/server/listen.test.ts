import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from './listen.ts';

test('a taken port is passed over where only a first choice was named', async () => {
  const taken = await listen(newServer(), 'any', ['127.0.0.1']);
  const port = await listen(newServer(), { from: taken }, ['127.0.0.1']);
  expect(port).toBeGreaterThan(taken);
});

test('a port asked for by number is that one or an error', async () => {
  const taken = await listen(newServer(), 'any', ['127.0.0.1']);
  await expect(listen(newServer(), { exactly: taken }, ['127.0.0.1'])).rejects.toThrow(
    `Port ${taken} is in use by another program; choose another one.`,
  );
});

test('without the first address family it takes the second', async () => {
  // A documentation address, which no machine has: as IPv6 where that is switched off.
  const port = await listen(newServer(), 'any', ['2001:db8::1', '127.0.0.1']);
  expect(port).toBeGreaterThan(0);
  await expect(listen(newServer(), 'any', ['2001:db8::1'])).rejects.toThrow(
    'None of 2001:db8::1 is an address of this machine.',
  );
});

function newServer(): Server {
  const server = createServer();
  onTestFinished(async () => {
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  });
  return server;
}
