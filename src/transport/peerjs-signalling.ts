/**
 * Introductions by PeerJS and a PeerServer of our own. PeerJS makes the offer and carries the answer; from then
 * on the connection is ours: what PeerJS or its server later thinks of it does not touch it.
 */
import { Peer, type DataConnection } from 'peerjs';
import { channelsOf } from './channels.ts';
import { createPostbox, rememberIntroduction } from './introduction.ts';
import type { LinkError } from './link-error.ts';
import {
  isAbsence,
  onServerMessage,
  postMessage,
  sendByServer,
  takeOver,
} from './peerjs-internals.ts';
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
  const postbox = createPostbox((peerId, payload) =>
    sendByServer(peer, peerId, postMessage(payload)),
  );
  onServerMessage(peer, (fromId, payload) => postbox.receive(fromId, payload));
  /** What PeerJS keeps of each connection, with the function that makes it forget. */
  const introductions = new Map<RTCPeerConnection, () => void>();
  const early: [connection: RTCPeerConnection, fromId: string][] = [];
  let onDial = (...dialled: (typeof early)[number]): void => void early.push(dialled);

  peer.on('connection', (introduction) => {
    const connection = keep(introduction);
    if (introductions.size > maxConnections) connection.close();
    else onDial(connection, introduction.peer);
  });
  const giveUpAfterMs = options.giveUpAfterMs ?? 600_000;
  const registration = await register(peer, url, {
    deadlineMs: options.openDeadlineMs ?? deadlineMs,
    giveUpAfterMs,
  });

  function keep(introduction: DataConnection): RTCPeerConnection {
    for (const [closed, forgetClosed] of introductions)
      if (closed.connectionState === 'closed') {
        introductions.delete(closed);
        forgetClosed();
      }
    const { connection, forget } = takeOver(introduction);
    introductions.set(connection, forget);
    channelsOf(connection);
    rememberIntroduction(connection, postbox.introductionTo(introduction.peer, configuration));
    return connection;
  }

  async function dial(peerId: string): Promise<RTCPeerConnection> {
    await registration.ready(deadlineMs);
    const connection = keep(peer.connect(peerId, { serialization: 'raw', reliable: true }));
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
    const onError = (error: { type: string; message: string }): void => {
      if (isAbsence(error, peerId)) settle(nobodyThere());
    };
    const timer = setTimeout(() => settle(nobodyThere()), deadlineMs);
    peer.on('error', onError);
    connection.addEventListener('signalingstatechange', onState);
  });
}
