/**
 * Introductions by a PeerServer of our own without a socket to it, in PeerJS's words, so that a device that came
 * this way and one that came by PeerJS meet like any two.
 */
import * as v from 'valibot';
import { channelsOf } from './channels.ts';
import { createPostbox, rememberIntroduction } from './introduction.ts';
import {
  negotiate,
  NegotiationSchema,
  type Negotiation,
  type NegotiationMessage,
} from './negotiation.ts';
import { fromPeerJs, postMessage, readPayload, toPeerJs } from './peerjs-internals.ts';
import { openServerStream, type ServerMessage } from './server-stream.ts';
import { nobodyThere } from './signalling-error.ts';
import {
  connectionConfiguration,
  makePeerId,
  maxConnections,
  serverUrlOf,
  type SignallingOptions,
} from './signalling.ts';
import type { Signalling } from './types.ts';

interface Introducing {
  connection: RTCPeerConnection;
  negotiation: Negotiation;
}

/** Registers at the PeerServer. Rejects with a `LinkError` (`signalling-failed`) that says what to look at. */
export async function createEventSignalling(options: SignallingOptions): Promise<Signalling> {
  const { id = makePeerId(), deadlineMs = 15_000 } = options;
  const configuration = connectionConfiguration(options);
  const introducing = new Map<string, Introducing>();
  const early: [connection: RTCPeerConnection, fromId: string][] = [];
  let onDial = (...dialled: (typeof early)[number]): void => void early.push(dialled);
  /** By id: who waits for that device's answer, to be told that the server does not know it. */
  const awaited = new Map<string, () => void>();

  const stream = await openServerStream(serverUrlOf(options), {
    id,
    deadlineMs,
    giveUpAfterMs: options.giveUpAfterMs ?? 600_000,
    onMessage: take,
  });
  const postbox = createPostbox((peerId, payload) =>
    stream.send({ ...postMessage(payload), dst: peerId }),
  );

  function take({ type, src, payload }: ServerMessage): void {
    if (src === undefined) return;
    if (type === 'EXPIRE') awaited.get(src)?.();
    const parsed = readPayload(payload);
    if (!parsed) {
      if (type === 'CANDIDATE') postbox.receive(src, payload);
      return;
    }
    const { connectionId } = parsed;
    const message = v.safeParse(NegotiationSchema, fromPeerJs(type, parsed));
    if (!message.success) return;
    const known = introducing.get(`${src} ${connectionId}`);
    if (known) known.negotiation.receive(message.output);
    else if (message.output.kind === 'offer') accept(src, connectionId, message.output);
  }

  function accept(peerId: string, connectionId: string, offer: NegotiationMessage): void {
    forgetClosed();
    if (introducing.size >= maxConnections) return;
    const { connection, negotiation } = introduce(peerId, connectionId);
    negotiation.receive(offer);
    onDial(connection, peerId);
  }

  function introduce(peerId: string, connectionId: string): Introducing {
    const connection = new RTCPeerConnection(configuration);
    channelsOf(connection);
    rememberIntroduction(connection, postbox.introductionTo(peerId, configuration));
    const done = new AbortController();
    connection.addEventListener('connectionstatechange', () => {
      // From here on whatever is agreed on is the link's own affair.
      if (connection.connectionState === 'connected') done.abort();
    });
    const negotiation = negotiate(connection, {
      send: (message) => stream.send({ ...toPeerJs(message, connectionId), dst: peerId }),
      signal: done.signal,
    });
    const introduced = { connection, negotiation };
    introducing.set(`${peerId} ${connectionId}`, introduced);
    return introduced;
  }

  function forgetClosed(): void {
    for (const [name, { connection }] of introducing)
      if (connection.connectionState === 'closed') introducing.delete(name);
  }

  async function dial(peerId: string): Promise<RTCPeerConnection> {
    forgetClosed();
    const { connection, negotiation } = introduce(peerId, `dc_${makePeerId()}`);
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(nobodyThere()), deadlineMs);
        awaited.set(peerId, () => reject(nobodyThere()));
        negotiation
          .offer()
          .then(resolve, reject)
          .finally(() => clearTimeout(timer));
      });
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      awaited.delete(peerId);
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
    onLost: (callback) => void stream.lost.then(callback),
    close: () => stream.close(),
  };
}
