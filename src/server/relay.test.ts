/** The relay as a client of its own library meets it, and as one that says what no client should. */
import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { connect, wire, type Socket } from 'turn-server';
import type { IceServer } from '../model/server-info.ts';
import { lanAddresses } from './lan-addresses.ts';
import { startRelay, type Relay } from './relay.ts';
import {
  afterAnswers,
  attribute,
  credentialsOf,
  errorCodeOf,
  messageClass,
  method,
  openTurnClient,
  plainRelay,
  relayOf,
  type TurnClient,
} from './testing/turn-client.ts';

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

/** The address at which other devices reach this machine, so that the relay takes its clients for another device. */
const otherHost = lanAddresses().find((address) => isIPv4(address)) ?? '127.0.0.2';

async function openClient(relay: Relay, host = '127.0.0.1'): Promise<TurnClient> {
  const client = await openTurnClient(host, relay.port);
  onTestFinished(() => client.close());
  return client;
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

function openPorts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
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
  // What an object of JavaScript has by itself is nobody's password.
  for (const name of ['constructor', 'toString', '__proto__']) {
    const password = String(({} as Record<string, unknown>)[name]);
    expect((await allocate({ ...server, username: name, credential: password })).relayed).toBe(401);
  }
});

test('asks for credentials whatever a message calls itself', async () => {
  const relay = await openRelay();
  const client = await openClient(relay);
  const fence = await openClient(relay);
  for (const name of ['INDICATION', 'SUCCESS', 'ERROR'])
    client.say(
      client.encode({
        method: method['ALLOCATE'],
        class: messageClass[name],
        attributes: plainRelay,
      }),
    );
  await afterAnswers(fence);
  expect(client.takeHeard()).toEqual([]);
});

test('takes no proof of a byte, which would soon be guessed', async () => {
  const relay = await openRelay();
  const client = await openClient(relay);
  const fence = await openClient(relay);
  const as = credentialsOf(relay.iceServers('127.0.0.1')[0]);
  // For the nonce.
  await client.ask({ method: method['REFRESH'], as });
  client.takeHeard();
  for (let byte = 0; byte < 256; byte++)
    client.say(
      client.encode({
        method: method['ALLOCATE'],
        attributes: plainRelay,
        as,
        proof: Uint8Array.of(byte),
      }),
    );
  await afterAnswers(fence);
  expect(client.takeHeard()).toEqual([]);
});

test('gives a device no more ports than it asked for, and none that it cannot use', async () => {
  const relay = await openRelay();
  const client = await openClient(relay);
  const as = credentialsOf(relay.iceServers('127.0.0.1')[0]);
  const ask = (...more: typeof plainRelay): Promise<number | null> =>
    client
      .ask({ method: method['ALLOCATE'], attributes: [...plainRelay, ...more], as })
      .then(errorCodeOf);
  const before = openPorts();
  for (let time = 0; time < 20; time++) {
    expect(await ask({ type: attribute['EVEN_PORT'], value: { reserve: true } })).toBe(403);
    expect(await ask({ type: attribute['RESERVATION_TOKEN'], value: new Uint8Array(8) })).toBe(403);
    expect(await ask({ type: attribute['REQUESTED_ADDRESS_FAMILY'], value: 2 })).toBe(403);
    expect(await ask()).toBe(null);
    const none = { type: attribute['LIFETIME'], value: 0 };
    await client.ask({ method: method['REFRESH'], attributes: [none], as });
  }
  expect(openPorts()).toBeLessThanOrEqual(before);
});

test('a device that takes all that it may gets no more by asking wrongly, and leaves another its share', async () => {
  const relay = await openRelay();
  const as = credentialsOf(relay.iceServers('127.0.0.1')[0]);
  const request = { method: method['ALLOCATE'], attributes: plainRelay, as };
  const token = { type: attribute['RESERVATION_TOKEN'], value: new Uint8Array(8) };
  let relays = 0;
  for (let time = 0; time < 150; time++) {
    const greedy = await openClient(relay);
    await greedy.ask({ ...request, attributes: [...plainRelay, token] });
    if (relayOf(await greedy.ask(request))) relays++;
  }
  expect(relays).toBe(128);
  const other = await openClient(relay, otherHost);
  expect(relayOf(await other.ask(request))).not.toBe(null);
});

test('a device that comes from any number of ports leaves room for another', async () => {
  const relay = await openRelay();
  const fence = await openClient(relay);
  for (let round = 0; round < 25; round++) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => openClient(relay)));
    for (const client of clients) client.say(client.encode({ method: method['BINDING'] }));
    await afterAnswers(fence);
    for (const client of clients) client.close();
  }
  const other = await openClient(relay, otherHost);
  const as = credentialsOf(relay.iceServers('127.0.0.1')[0]);
  const request = { method: method['ALLOCATE'], attributes: plainRelay, as };
  expect(relayOf(await other.ask(request))).not.toBe(null);
});

test('forgets a device’s port once its relay is given up', async () => {
  const relay = await openRelay();
  const as = credentialsOf(relay.iceServers('127.0.0.1')[0]);
  // More than it remembers of one device, one after the other.
  for (let time = 0; time < 600; time++) {
    const client = await openClient(relay);
    const request = { method: method['ALLOCATE'], attributes: plainRelay, as };
    expect(relayOf(await client.ask(request))).not.toBe(null);
    const none = { type: attribute['LIFETIME'], value: 0 };
    await client.ask({ method: method['REFRESH'], attributes: [none], as });
    client.close();
  }
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
