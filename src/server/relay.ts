/**
 * A relay for devices that their network keeps apart (guest Wi-Fi): STUN and TURN (RFC 8656) over UDP. It passes
 * packets only from one device of the local network to another that asked it for a relay too: to no other
 * address, here or elsewhere, so that it opens no way into this machine or past a firewall.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import type { IceServer } from '../model/server-info.ts';
import { createByteAllowance, type ByteAllowance } from './byte-allowance.ts';
import { lanAddresses } from './lan-addresses.ts';
import { localNetwork } from './local-network.ts';
import { passesGate } from './relay-gate.ts';

export interface Relay {
  /** UDP. */
  readonly port: number;
  /** For a page that reached this server at that address of it. */
  iceServers(serverAddress: string | undefined): IceServer[];
  close(): void;
}

interface Endpoint {
  ip: string;
  port: number;
}

type Answer = (isAllowed: boolean) => void;

/** What a device asked for when it asked for a relay; null where it did not say. */
interface Wish {
  source: Endpoint;
  transport: number;
  requestedFamily: number | null;
  evenPort: unknown;
  reservationToken: unknown;
}

interface Client {
  on(event: 'close', listener: () => void): unknown;
  close(): void;
  getAllocation(): unknown;
  getSession(): { context: Record<string, unknown> };
}

/** A room of sixteen has some thirty connections to each device, and each asks for a relay of its own. */
const mostRelays = 512;
const mostRelaysOfDevice = 128;
/** Ports of devices that the relay talks to, with a relay or without; each is remembered for some minutes. */
const mostClients = 4 * mostRelays;
const mostClientsOfDevice = 4 * mostRelaysOfDevice;
/** Longer than any room's page stays open. */
const credentialSeconds = 24 * 3600;
/**
 * Enough for tokens and for weights on their way; one device must not fill the network of all. What exceeds it is
 * dropped, as a router would, and the sender slows down.
 */
const deviceRate = { burstBytes: 2_000_000, bytesPerSecond: 12_500_000 };
const totalRate = { burstBytes: 8_000_000, bytesPerSecond: 50_000_000 };
const udpProtocol = 17;
const ipv4Family = 1;
const realm = 'edgeshard';

/** Listens on that UDP port, or on any free one. Resolves to null where this machine opens none. */
export async function startRelay(wantedPort: number): Promise<Relay | null> {
  // Loaded here: whoever wants no relay runs none of it.
  const { createServer } = await import('turn-server');
  const socket = (await openSocket(wantedPort)) ?? (await openSocket(0));
  if (!socket) return null;
  const { port } = socket.address();
  const secret = randomBytes(32).toString('base64url');
  const relayIp = lanAddresses().find((address) => isIPv4(address)) ?? '127.0.0.1';
  const isLocal = localNetwork();
  /** Relays that were given out. */
  const granted = new Map<unknown, Endpoint>();
  const relayPorts = new Set<number>();
  const relaysOf = new Map<string, number>();
  const clientsOf = new Map<string, number>();
  const shareOf = new Map<string, ByteAllowance>();
  let isClosed = false;
  const takeOfAll = createByteAllowance(totalRate);

  const turn = createServer({
    socket,
    // With an object's inherited members for users, "constructor" would be one whose password anybody knows.
    auth: { mechanism: 'long-term', realm, secret, credentials: emptyRecord() },
    relay: { ip: relayIp, externalIp: relayIp },
    allowLoopback: true,
    maxConnections: mostClients,
    maxPermissionsPerAllocation: 32,
    maxChannelsPerAllocation: 32,
  });
  // A packet that is none, or a device that went away: the next packet is another matter.
  turn.on('error', () => undefined);

  turn.on('accept', ({ source }: { source: Endpoint }, answer: Answer) =>
    answer(isLocal(source.ip) && (clientsOf.get(source.ip) ?? 0) < mostClientsOfDevice),
  );
  turn.on('connection', (client: Client) => {
    const { ip } = sourceOf(client);
    count(clientsOf, ip, 1);
    client.on('close', () => void count(clientsOf, ip, -1));
  });
  turn.on('beforeAllocate', (wish: Wish, answer: Answer) =>
    answer(
      isPlain(wish) &&
        granted.size < mostRelays &&
        (relaysOf.get(wish.source.ip) ?? 0) < mostRelaysOfDevice,
    ),
  );
  const toRelay = ({ peer }: { peer: Endpoint }, answer: Answer): void =>
    answer(peer.ip === relayIp);
  turn.on('beforePermission', toRelay);
  turn.on('beforeChannelBind', toRelay);
  turn.on('beforeConnect', (_info: unknown, answer: Answer) => answer(false));
  turn.on(
    'beforeRelay',
    ({ source, peer, size }: { source: Endpoint; peer: Endpoint; size: number }, answer: Answer) =>
      answer(
        relayPorts.has(peer.port) && shareOf.get(source.ip)?.(size) === true && takeOfAll(size),
      ),
  );
  turn.on('allocate', (client: Client, allocation) => {
    const { ip } = sourceOf(client);
    const relay = { ip, port: allocation.relayAddress.port };
    granted.set(allocation, relay);
    relayPorts.add(relay.port);
    count(relaysOf, ip, 1);
    if (!shareOf.has(ip)) shareOf.set(ip, createByteAllowance(deviceRate));
  });
  turn.on('allocate:expired', (client: Client, allocation) => {
    const relay = granted.get(allocation);
    // One that failed before it was given out has a port that is not its own.
    if (!relay) return;
    granted.delete(allocation);
    relayPorts.delete(relay.port);
    if (count(relaysOf, relay.ip, -1) === 0) shareOf.delete(relay.ip);
    // Once it was told so, a device that gave its relay up is not waited for.
    setImmediate(() => {
      if (!client.getAllocation()) client.close();
    });
  });
  socket.on('message', (packet, from) => {
    // Nothing can be sent to port 0.
    if (from.port !== 0 && passesGate(packet)) turn.handlePacket(packet, from);
  });

  return {
    port,
    iceServers(serverAddress) {
      const address = (serverAddress ?? '').replace(/^::ffff:/, '').replace(/^::1$/, '127.0.0.1');
      const username = `${Math.floor(Date.now() / 1000) + credentialSeconds}:room`;
      const credential = createHmac('sha1', secret).update(username).digest('base64');
      const host = isIPv4(address) ? address : relayIp;
      return [{ urls: `turn:${host}:${port}?transport=udp`, username, credential }];
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      turn.stop();
      socket.close();
    },
  };
}

function sourceOf(client: Client): Endpoint {
  return client.getSession().context['source'] as Endpoint;
}

/**
 * A relay for UDP over IPv4 on any port, as browsers ask for. A reserved neighbouring port would stay open for half a
 * minute, whatever becomes of its relay, and so any number of them.
 */
function isPlain({ transport, requestedFamily, evenPort, reservationToken }: Wish): boolean {
  return (
    transport === udpProtocol &&
    (requestedFamily === null || requestedFamily === ipv4Family) &&
    evenPort === null &&
    reservationToken === null
  );
}

function emptyRecord(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

/** Adds to a device's count, and drops one of zero. */
function count(counts: Map<string, number>, ip: string, change: 1 | -1): number {
  const total = (counts.get(ip) ?? 0) + change;
  if (total > 0) counts.set(ip, total);
  else counts.delete(ip);
  return total;
}

function openSocket(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const fail = (): void => {
      socket.close();
      resolve(null);
    };
    socket.once('error', fail);
    socket.bind({ port, exclusive: true }, () => {
      socket.off('error', fail);
      // Sending to a device that is gone; nothing follows from it.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
