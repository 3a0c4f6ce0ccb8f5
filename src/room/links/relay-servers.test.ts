import { expect, it } from 'vitest';
import { relayServers } from './relay-servers.ts';

const server = {
  urls: 'turn:192.168.1.20:8443?transport=udp',
  username: '1900000000:room',
  credential: 'c2VjcmV0',
};

const answering = (body: string, status = 200) =>
  relayServers(() => Promise.resolve(new Response(body, { status })));

it('takes what the server gives', async () => {
  expect(await answering(JSON.stringify({ iceServers: [server] }))).toEqual([server]);
});

it.each([
  ['a static host, which knows no such file', 'Not found', 404],
  ['a static host that answers everything with a page', '<!doctype html>', 200],
  ['something else than a relay', '{"iceServers":[{"urls":"http://evil.example/"}]}', 200],
  ['more than a server gives', JSON.stringify({ iceServers: Array(9).fill(server) }), 200],
])('does without one from %s', async (_, body, status) => {
  expect(await answering(body, status)).toEqual([]);
});

it('does without one where nothing answers', async () => {
  expect(await relayServers(() => Promise.reject(new TypeError('no network')))).toEqual([]);
});
