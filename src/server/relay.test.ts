/** The relay as a client of its own library meets it. */
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { connect, wire, type Socket } from 'turn-server';
import type { IceServer } from '../model/server-info.ts';
import { startRelay, type Relay } from './relay.ts';

interface Address {
  ip: string;
  port: number;
}

interface Message {
  getAttribute(type: number | undefined): Address;
}

async function openRelay(): Promise<Relay> {
  const relay = await startRelay(0);
  if (!relay) throw new Error('this machine opens no UDP port');
  onTestFinished(() => relay.close());
  return relay;
}

/** A client that has asked for a relay; its answer is an address or the error's code. */
async function allocate({ urls, username, credential }: IceServer): Promise<{
  client: Socket;
  relayed: Address | number;
}> {
  const client = connect(urls, { username, password: credential });
  onTestFinished(() => client.close());
  const relayed = await new Promise<Address | number>((resolve) => {
    client.on('allocate:success', (answer: Message) =>
      resolve(answer.getAttribute(wire.ATTR['XOR_RELAYED_ADDRESS'])),
    );
    client.on('allocate:error', (_message, error: { code: number }) => resolve(error.code));
    client.on('error', () => undefined);
    client.connect(() => client.allocate());
  });
  return { client, relayed };
}

/** Whether the client may send to that address. */
function permitted(client: Socket, peer: Address): Promise<boolean> {
  return new Promise((resolve) => {
    client.on('create_permission:success', () => resolve(true));
    client.on('create_permission:error', () => resolve(false));
    client.createPermission(peer);
  });
}

function addressOf(relayed: Address | number): Address {
  if (typeof relayed === 'number') throw new Error(`the relay answered ${relayed}`);
  return relayed;
}

test('passes packets between two devices that asked it', async () => {
  const relay = await openRelay();
  const [server] = relay.iceServers('127.0.0.1');
  const one = await allocate(server);
  const other = await allocate(server);
  const [from, to] = [addressOf(one.relayed), addressOf(other.relayed)];
  expect(await permitted(one.client, to)).toBe(true);
  expect(await permitted(other.client, from)).toBe(true);
  const heard = new Promise<string>((resolve) => {
    other.client.on('data', (_peer: Address, data: Uint8Array) =>
      resolve(Buffer.from(data).toString()),
    );
  });
  one.client.send(to, Buffer.from('hidden state'));
  expect(await heard).toBe('hidden state');
});

test('sends to nobody who did not ask: no other machine, and no other port of this one', async () => {
  const relay = await openRelay();
  const { client, relayed } = await allocate(relay.iceServers('127.0.0.1')[0]);
  for (const ip of ['8.8.8.8', '192.168.77.1'])
    expect(await permitted(client, { ip, port: 53 })).toBe(false);

  const { ip } = addressOf(relayed);
  const bystander = createSocket('udp4');
  onTestFinished(() => void bystander.close());
  let heard = 0;
  bystander.on('message', () => heard++);
  await new Promise<void>((resolve) => bystander.bind(0, ip, resolve));
  const other = await allocate(relay.iceServers('127.0.0.1')[0]);
  const friend = addressOf(other.relayed);
  expect(await permitted(client, friend)).toBe(true);
  expect(await permitted(other.client, addressOf(relayed))).toBe(true);
  client.send({ ip, port: bystander.address().port }, Buffer.from('to a local service'));
  // Packets of one sender keep their order here: when the second is there, the first was dropped.
  const arrived = new Promise((resolve) => other.client.on('data', resolve));
  client.send(friend, Buffer.from('to a friend'));
  await arrived;
  expect(heard).toBe(0);
});

test('answers only to credentials that it gave', async () => {
  const relay = await openRelay();
  const [server] = relay.iceServers('127.0.0.1');
  expect((await allocate({ ...server, credential: 'guessed' })).relayed).toBe(401);
  const expired = { ...server, username: '1700000000:room' };
  expect((await allocate(expired)).relayed).toBe(401);
});

test('names itself by the address that the page came to', async () => {
  const relay = await openRelay();
  const urlFor = (address: string | undefined) => relay.iceServers(address)[0].urls;
  expect(urlFor('::ffff:192.168.1.20')).toBe(`turn:192.168.1.20:${relay.port}?transport=udp`);
  expect(urlFor('::1')).toBe(`turn:127.0.0.1:${relay.port}?transport=udp`);
  const own = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
  const host = /^turn:([0-9.]+):/.exec(urlFor('fd00::7'))?.[1];
  expect([...own.map(({ address }) => address), '127.0.0.1']).toContain(host);
});
