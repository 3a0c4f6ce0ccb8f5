/**
 * Introductions by PeerJS and a PeerServer of our own. PeerJS makes the offer and carries the answer; from then
 * on the connection is ours: what PeerJS or its server later thinks of it does not touch it.
 */
import { Peer, type DataConnection } from 'peerjs';
import { channelsOf } from './channels.ts';
import { createPostbox, rememberIntroduction } from './introduction.ts';
import { LinkError } from './link-error.ts';
import { register } from './peerjs-registration.ts';
import { connectionConfiguration, makePeerId } from './signalling.ts';
import type { Identity, Signalling } from './types.ts';

export interface PeerJsSignallingOptions {
  identity: Identity;
  /** This device's id; a fresh one unless told. A host that comes back uses its own again. */
  id?: string;
  /** Of the PeerServer, e.g. `https://192.168.1.20:8443/peerjs`; `/peerjs` of the page's own server unless told. */
  url?: string;
  iceServers?: RTCIceServer[];
  /** For reaching the server, and for each dialled device's answer; 15,000 ms unless told. */
  deadlineMs?: number;
  /** How long to keep trying after the server was lost; 10 minutes unless told. */
  giveUpAfterMs?: number;
}

type PeerServerAddress = Pick<
  NonNullable<ConstructorParameters<typeof Peer>[1]>,
  'host' | 'port' | 'path' | 'secure' | 'config'
>;

/** Dials beyond this are refused: whoever knows the room's name may dial, key or not. */
const maxConnections = 64;

/** Registers at the PeerServer. Rejects with a `LinkError` (`signalling-failed`) that says what to look at. */
export async function createPeerJsSignalling(
  options: PeerJsSignallingOptions,
): Promise<Signalling> {
  const { identity, iceServers, id = makePeerId(), deadlineMs = 15_000 } = options;
  const configuration = connectionConfiguration(identity.certificate, iceServers);
  const url = new URL(options.url ?? '/peerjs', globalThis.location.href);
  const server: PeerServerAddress = {
    host: url.hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    path: url.pathname,
    secure: url.protocol === 'https:',
    config: configuration,
  };
  const peer = new Peer(id, server);
  const postbox = createPostbox((peerId, payload) => {
    // The kind of message that the server passes on and PeerJS, finding no connection named, lets fall.
    peer.socket.send({ type: 'CANDIDATE', dst: peerId, payload });
  });
  peer.socket.on('message', ({ src, payload }: { src?: unknown; payload?: unknown }) => {
    if (typeof src === 'string') postbox.receive(src, payload);
  });
  /** What PeerJS keeps of each connection, with the function that makes it forget. */
  const introductions = new Map<RTCPeerConnection, () => void>();
  const early: [connection: RTCPeerConnection, fromId: string][] = [];
  let onDial = (...dialled: (typeof early)[number]): void => void early.push(dialled);

  peer.on('connection', (introduction) => {
    const connection = takeOver(introduction);
    if (introductions.size > maxConnections) connection.close();
    else onDial(connection, introduction.peer);
  });
  const giveUpAfterMs = options.giveUpAfterMs ?? 600_000;
  const registration = await register(peer, url, { deadlineMs, giveUpAfterMs });

  /** Makes a connection ours: PeerJS still passes network candidates on, and does nothing else with it. */
  function takeOver(introduction: DataConnection): RTCPeerConnection {
    for (const [connection, forget] of introductions)
      if (connection.connectionState === 'closed') {
        introductions.delete(connection);
        forget();
      }
    const connection = introduction.peerConnection;
    introductions.set(connection, introduction.close.bind(introduction));
    introduction.close = () => undefined;
    connection.oniceconnectionstatechange = null;
    connection.ondatachannel = null;
    channelsOf(connection);
    rememberIntroduction(connection, postbox.introductionTo(introduction.peer, configuration));
    return connection;
  }

  async function dial(peerId: string): Promise<RTCPeerConnection> {
    await registration.ready(deadlineMs);
    const connection = takeOver(peer.connect(peerId, { serialization: 'raw', reliable: true }));
    try {
      await answerOf(peer, peerId, connection, deadlineMs);
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  return {
    id,
    dial,
    onDial(callback) {
      onDial = callback;
      for (const [connection, fromId] of early.splice(0)) callback(connection, fromId);
    },
    onLost: (callback) => void registration.lost.then(callback),
    close() {
      registration.stop();
      peer.destroy();
    },
  };
}

/** Resolves when the dialled device has answered; rejects when the server does not know it, or nobody answers. */
function answerOf(
  peer: Peer,
  peerId: string,
  connection: RTCPeerConnection,
  deadlineMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: LinkError | null): void => {
      clearTimeout(timer);
      peer.off('error', onError);
      connection.removeEventListener('signalingstatechange', onState);
      if (error) reject(error);
      else resolve();
    };
    const onState = (): void => {
      if (connection.signalingState === 'stable' && connection.remoteDescription) settle(null);
    };
    // PeerJS names the device in the message alone.
    const onError = (error: { type: string; message: string }): void => {
      if (error.type === 'peer-unavailable' && error.message.endsWith(` ${peerId}`))
        settle(nobodyThere());
    };
    const timer = setTimeout(() => settle(nobodyThere()), deadlineMs);
    peer.on('error', onError);
    connection.addEventListener('signalingstatechange', onState);
  });
}

function nobodyThere(): LinkError {
  return new LinkError(
    'peer-unavailable',
    'That device does not answer: it may have left, or be asleep; check that its page is open and try again.',
  );
}
