/**
 * Introductions by PeerJS and a PeerServer of our own. PeerJS makes the offer and carries the answer; from then
 * on the connection is ours: what PeerJS or its server later thinks of it does not touch it.
 */
import { Peer, type DataConnection } from 'peerjs';
import { channelsOf } from './channels.ts';
import { createPostbox, rememberIntroduction } from './introduction.ts';
import type { LinkError } from './link-error.ts';
import { register } from './peerjs-registration.ts';
import { nobodyThere } from './signalling-error.ts';
import {
  connectionConfiguration,
  makePeerId,
  maxConnections,
  serverUrlOf,
  type SignallingOptions,
} from './signalling.ts';
import type { Signalling } from './types.ts';

type PeerServerAddress = Pick<
  NonNullable<ConstructorParameters<typeof Peer>[1]>,
  'host' | 'port' | 'path' | 'secure' | 'config'
>;

/** Registers at the PeerServer. Rejects with a `LinkError` (`signalling-failed`) that says what to look at. */
export async function createPeerJsSignalling(
  options: SignallingOptions & {
    /** For opening the socket, where that is another than for a device's answer. */
    openDeadlineMs?: number;
  },
): Promise<Signalling> {
  const { id = makePeerId(), deadlineMs = 15_000 } = options;
  const configuration = connectionConfiguration(options);
  const url = serverUrlOf(options);
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
  const registration = await register(peer, url, {
    deadlineMs: options.openDeadlineMs ?? deadlineMs,
    giveUpAfterMs,
  });

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
