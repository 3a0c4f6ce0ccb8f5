/**
 * A relay for devices that their network keeps apart (guest Wi-Fi): STUN and TURN (RFC 8656) over UDP. It passes
 * packets only from one device of the local network to another that asked it for a relay too: to no other
 * address, here or elsewhere, so that it opens no way into this machine or past a firewall.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { createServer } from 'turn-server';
import type { IceServer } from '../model/server-info.ts';
import { createByteAllowance, type ByteAllowance } from './byte-allowance.ts';
import { lanAddresses } from './lan-addresses.ts';
import { localNetwork } from './local-network.ts';

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

/** A room of sixteen has some thirty connections to each device, and each asks for a relay of its own. */
const mostRelays = 512;
const mostRelaysOfDevice = 128;
/** Longer than any room's page stays open. */
const credentialSeconds = 24 * 3600;
/**
 * Enough for tokens and for weights on their way; one device must not fill the network of all. What exceeds it is
 * dropped, as a router would, and the sender slows down.
 */
const deviceRate = { burstBytes: 2_000_000, bytesPerSecond: 12_500_000 };
const totalRate = { burstBytes: 8_000_000, bytesPerSecond: 50_000_000 };
const udpProtocol = 17;
const realm = 'edgeshard';

/** Listens on that UDP port, or on any free one. Resolves to null where this machine opens none. */
export async function startRelay(wantedPort: number): Promise<Relay | null> {
  const socket = (await openSocket(wantedPort)) ?? (await openSocket(0));
  if (!socket) return null;
  const { port } = socket.address();
  const secret = randomBytes(32).toString('base64url');
  const relayIp = lanAddresses().find((address) => isIPv4(address)) ?? '127.0.0.1';
  const isLocal = localNetwork();
  /** Ports that were given out, and how many to each device. */
  const relayPorts = new Set<number>();
  const relaysOf = new Map<string, number>();
  const shareOf = new Map<string, ByteAllowance>();
  let isClosed = false;
  const takeOfAll = createByteAllowance(totalRate);

  const turn = createServer({
    socket,
    auth: { mechanism: 'long-term', realm, secret },
    relay: { ip: relayIp, externalIp: relayIp },
    allowLoopback: true,
    maxConnections: 2 * mostRelays,
    totalQuota: mostRelays,
    maxPermissionsPerAllocation: 32,
    maxChannelsPerAllocation: 32,
  });
  // A packet that is none, or a device that went away: the next packet is another matter.
  turn.on('error', () => undefined);

  turn.on('accept', ({ source }: { source: Endpoint }, answer: Answer) =>
    answer(isLocal(source.ip)),
  );
  turn.on(
    'beforeAllocate',
    ({ source, transport }: { source: Endpoint; transport: number }, answer: Answer) =>
      answer(transport === udpProtocol && (relaysOf.get(source.ip) ?? 0) < mostRelaysOfDevice),
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
  turn.on('allocate', (client, { relayAddress }) => {
    const { ip } = sourceOf(client);
    relayPorts.add(relayAddress.port);
    relaysOf.set(ip, (relaysOf.get(ip) ?? 0) + 1);
    if (!shareOf.has(ip)) shareOf.set(ip, createByteAllowance(deviceRate));
  });
  turn.on('allocate:expired', (client, { relayAddress }) => {
    const { ip } = sourceOf(client);
    relayPorts.delete(relayAddress.port);
    const left = (relaysOf.get(ip) ?? 1) - 1;
    if (left > 0) relaysOf.set(ip, left);
    else {
      relaysOf.delete(ip);
      shareOf.delete(ip);
    }
  });
  socket.on('message', (packet, from) => turn.handlePacket(packet, from));

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

function sourceOf(client: { getSession(): { context: Record<string, unknown> } }): Endpoint {
  return client.getSession().context['source'] as Endpoint;
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
