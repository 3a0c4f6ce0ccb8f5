/**
 * The relay's UDP port: noise, requests of strangers and of devices with credentials, spoilt and replayed ones, while
 * two honest devices exchange packets by way of it and newcomers ask it for relays.
 */
import { wire, type AttributeInput } from 'turn-server';
import { lanAddresses } from '../../src/server/lan-addresses.ts';
import { readTurnMessage } from '../../src/server/relay-gate.ts';
import { startRelay } from '../../src/server/relay.ts';
import {
  afterAnswers,
  attribute,
  credentialsOf,
  errorCodeOf,
  messageClass,
  method,
  openTurnClient,
  peer,
  plainRelay,
  relayOf,
  valueOf,
  type Credentials,
  type TurnClient,
  type TurnEndpoint,
  type TurnRequest,
} from '../../src/server/testing/turn-client.ts';
import { below, oneOf, randomBytes, spoiltBytes } from './mutate.ts';
import { crash, type Target, type TargetOptions } from './target.ts';

interface HonestDevice {
  client: TurnClient;
  relay: TurnEndpoint;
}

const name = 'relay';
/** As they are said between two honest checks; a socket's buffer holds many more. */
const batchSize = 25;
const hostileClients = 12;
/** Relays of the hostile device and all sockets of this target, with some to spare. */
const mostOpenPorts = 200;
const mostOverheard = 60;
const mostRepeats = 20;
/** Method by the bits of a type that are not its class. */
const typeNames = new Map([
  [0x0001, 'binding'],
  [0x0003, 'allocate'],
  [0x0004, 'refresh'],
  [0x0008, 'permission'],
  [0x0009, 'channel'],
]);
const typeMask = 0x3eef;

export async function relayTarget({ random, tally }: TargetOptions): Promise<Target> {
  tally.expect(name, typeNames.values());
  const relay = (await startRelay(0)) ?? cannotStart();
  const [server] = relay.iceServers('127.0.0.1');
  const insider = credentialsOf(server);
  /** Another address of this machine, so that it counts as another device. */
  const honestHost = lanAddresses().find((address) => !address.includes(':')) ?? '127.0.0.2';
  const overheard: Uint8Array[] = [];
  const openHonest = (): Promise<TurnClient> =>
    openTurnClient(honestHost, relay.port, (packet) => {
      overheard.push(packet);
      if (overheard.length > mostOverheard) overheard.shift();
    });
  const portsBefore = openPorts();

  const one = await openDevice();
  const other = await openDevice();
  await permit(one, other);
  await permit(other, one);
  const peers = [one.relay, other.relay, { ip: '8.8.8.8', port: 53 }, { ip: '::1', port: 1 }];
  const strangers: TurnClient[] = [];
  const insiders: TurnClient[] = [];
  let passed = 0;

  async function openDevice(): Promise<HonestDevice> {
    const client = await openHonest();
    const answer = await client.ask({
      method: method['ALLOCATE'],
      attributes: plainRelay,
      as: insider,
    });
    const address = relayOf(answer);
    if (address) return { client, relay: address };
    throw new Error(`an honest device gets no relay: ${errorCodeOf(answer) ?? 'no reason'}`);
  }

  async function permit(device: HonestDevice, to: HonestDevice): Promise<void> {
    const attributes = [peer(to.relay)];
    const answer = await device.client.ask({
      method: method['CREATE_PERMISSION'],
      attributes,
      as: insider,
    });
    if (errorCodeOf(answer) !== null) throw new Error('an honest device may send to nobody');
  }

  async function expectHonestExchange(): Promise<void> {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ]) {
      // A permission lasts for five minutes.
      await permit(from, to);
      const text = `packet ${++passed}`;
      const data = { type: attribute['DATA'], value: Buffer.from(text) };
      const packet = from.client.encode({
        method: method['SEND'],
        class: messageClass['INDICATION'],
        attributes: [peer(to.relay), data],
      });
      await repeat(`an honest device was disturbed: its ${text} did not come`, async () => {
        from.client.say(packet);
        await afterAnswers(to.client);
        return to.client.takeHeard().some((heard) => {
          const message = readTurnMessage(heard);
          return message && valueOf(message, attribute['DATA'])?.toString() === text;
        });
      });
    }
    const newcomer = await openDevice();
    await newcomer.client.ask({
      method: method['REFRESH'],
      attributes: [{ type: attribute['LIFETIME'], value: 0 }],
      as: insider,
    });
    newcomer.client.close();
  }

  async function renewOne(clients: TurnClient[]): Promise<void> {
    if (clients.length >= hostileClients)
      for (const client of clients.splice(below(random, clients.length), 1)) client.close();
    const client = await openTurnClient('127.0.0.1', relay.port);
    // Told the nonce.
    client.say(client.encode({ method: method['ALLOCATE'], attributes: plainRelay }));
    clients.push(client);
  }

  /** What could be an attribute of a request: as it should be, as it should not, or nothing known. */
  function someAttribute(): AttributeInput {
    const number = oneOf(random, [0, 1, 17, 600, 0xffffffff]);
    switch (below(random, 9)) {
      case 0:
        return { type: attribute['LIFETIME'], value: number };
      case 1:
        return peer(oneOf(random, peers));
      case 2:
        return { type: attribute['CHANNEL_NUMBER'], value: 0x4000 + below(random, 80) };
      case 3:
        return { type: attribute['DATA'], value: randomBytes(random, below(random, 300)) };
      case 4:
        return { type: attribute['EVEN_PORT'], value: { reserve: random() < 0.7 } };
      case 5:
        return { type: attribute['RESERVATION_TOKEN'], raw: randomBytes(random, 8) };
      case 6:
        return { type: attribute['REQUESTED_ADDRESS_FAMILY'], value: below(random, 4) };
      case 7:
        return { type: attribute['REQUESTED_TRANSPORT'], value: number };
      default:
        return {
          type: random() < 0.8 ? oneOf(random, Object.values(attribute)) : below(random, 0x10000),
          raw: randomBytes(random, below(random, 60)),
        };
    }
  }

  function someRequest(): TurnRequest {
    const asked = oneOf(random, [
      { method: method['ALLOCATE'], attributes: plainRelay },
      { method: method['REFRESH'], attributes: [{ type: attribute['LIFETIME'], value: 0 }] },
      { method: method['CREATE_PERMISSION'], attributes: [peer(oneOf(random, peers))] },
      {
        method: method['CHANNEL_BIND'],
        attributes: [
          { type: attribute['CHANNEL_NUMBER'], value: 0x4000 + below(random, 80) },
          peer(oneOf(random, peers)),
        ],
      },
      { method: method['BINDING'], attributes: [] },
      { method: oneOf(random, Object.values(method)), attributes: [] },
    ]);
    const more = Array.from({ length: random() < 0.5 ? 0 : 1 + below(random, 4) }, someAttribute);
    return {
      method: asked.method,
      attributes: random() < 0.9 ? [...asked.attributes, ...more] : more,
      class: random() < 0.8 ? messageClass['REQUEST'] : oneOf(random, Object.values(messageClass)),
      integrity: oneOf(random, ['sha1', 'sha256'] as const),
    };
  }

  /** Names and passwords that nobody was given. */
  function guessed(): Credentials {
    const username = oneOf(random, ['', 'x', '9999999999:room', 'constructor', '__proto__']);
    // What an object of JavaScript has under such a name.
    const inherited = String(({} as Record<string, unknown>)[username]);
    return { username, password: random() < 0.5 ? inherited : '' };
  }

  function sayAsStranger(client: TurnClient): void {
    switch (below(random, 6)) {
      case 0:
        client.say(randomBytes(random, below(random, 600)));
        return;
      case 1:
        client.say(wire.encode_channel_data(below(random, 0x10000), randomBytes(random, 40)));
        return;
      case 2:
        // Another device's own, from a port that is not its own.
        client.say(oneOf(random, overheard));
        return;
      case 3:
        client.say(spoiltBytes(oneOf(random, overheard), random));
        return;
      case 4:
        client.say(client.encode(someRequest()));
        return;
      default: {
        const proof = random() < 0.5 ? { proof: randomBytes(random, below(random, 4)) } : {};
        client.say(client.encode({ ...someRequest(), as: guessed(), ...proof }));
      }
    }
  }

  function sayAsInsider(client: TurnClient): void {
    const packet = client.encode({ ...someRequest(), as: insider });
    client.say(random() < 0.85 ? packet : spoiltBytes(packet, random));
  }

  function noteAnswers(): void {
    for (const [clients, mayHaveRelay] of [
      [strangers, false],
      [insiders, true],
    ] as const)
      for (const client of clients)
        for (const heard of client.takeHeard()) {
          const answer = readTurnMessage(heard);
          if (!answer) continue;
          if (!mayHaveRelay && relayOf(answer))
            throw crash(name, 'allocate', 'a stranger got a relay without credentials');
          const type = typeNames.get(answer.type & typeMask);
          const refused = errorCodeOf(answer) !== null;
          if (type !== undefined) tally.note(name, type, { valid: !refused, refused });
        }
  }

  return {
    name,
    async feed(count) {
      let fed = 0;
      while (fed < count) {
        await renewOne(strangers);
        await renewOne(insiders);
        await afterAnswers(one.client);
        noteAnswers();
        for (let said = 0; said < batchSize; said++, fed++)
          if (random() < 0.5) sayAsStranger(oneOf(random, strangers));
          else sayAsInsider(oneOf(random, insiders));
        await expectHonestExchange();
        noteAnswers();
        const open = openPorts() - portsBefore;
        if (open > mostOpenPorts) throw crash(name, 'allocate', `${open} UDP ports are open`);
      }
      return fed;
    },
    close() {
      for (const client of [...strangers, ...insiders, one.client, other.client]) client.close();
      relay.close();
      return Promise.resolve();
    },
  };
}

function cannotStart(): never {
  throw new Error('this machine opens no UDP port');
}

/** Sockets of this process, of whatever use. */
function openPorts(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'UDPWrap').length;
}

/** UDP may lose a packet; none is lost so many times. */
async function repeat(complaint: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let time = 0; time < mostRepeats; time++) if (await attempt()) return;
  throw new Error(complaint);
}
