/**
 * All that is used of PeerJS beyond what it documents: members that its types call internal, what it keeps of a
 * connection, and the words of its messages. An update may change any of it; `peerjs-internals.test.ts` says so.
 */
import type { DataConnection, Peer } from 'peerjs';
import * as v from 'valibot';
import type { NegotiationMessage } from './negotiation.ts';

/** What PeerJS puts into its messages: which of two devices' connections they are about, and one of these. */
const PayloadSchema = v.object({
  connectionId: v.pipe(v.string(), v.maxLength(64)),
  sdp: v.optional(v.object({ sdp: v.string() })),
  candidate: v.optional(v.unknown()),
});

export type PeerJsPayload = v.InferOutput<typeof PayloadSchema>;

export interface TakenOver {
  connection: RTCPeerConnection;
  /** Has PeerJS drop what it keeps of it. */
  forget: () => void;
}

/** Messages about connections that PeerJS does not know, or not yet; it keeps them, and would without end. */
const mostWaiting = 64;

/** A message of ours: of the kind that the server passes on and PeerJS, finding no connection named, lets fall. */
export function postMessage(payload: unknown): { type: string; payload: unknown } {
  return { type: 'CANDIDATE', payload };
}

/** Sends by the socket that PeerJS has to its server. It may get lost. */
export function sendByServer(
  peer: Peer,
  toId: string,
  message: { type: string; payload: unknown },
): void {
  peer.socket.send({ ...message, dst: toId });
}

/** Hears all that devices say to this one by way of the server. What comes is not yet checked. */
export function onServerMessage(
  peer: Peer,
  callback: (fromId: string, payload: unknown) => void,
): void {
  const waiting: string[] = [];
  peer.socket.on('message', ({ src, payload }: { src?: unknown; payload?: unknown }) => {
    if (typeof src !== 'string') return;
    const about = connectionIdOf(payload);
    if (about !== null && !peer.getConnection(src, about)) waiting.push(about);
    if (waiting.length > mostWaiting) peer._getMessages(waiting.shift() ?? '');
    callback(src, payload);
  });
}

/** Makes a connection ours: PeerJS still passes network candidates on, and does nothing else with it. */
export function takeOver(introduction: DataConnection): TakenOver {
  const connection = introduction.peerConnection;
  const forget = introduction.close.bind(introduction);
  introduction.close = () => undefined;
  connection.oniceconnectionstatechange = null;
  connection.ondatachannel = null;
  return { connection, forget };
}

/** Whether an error says that the server does not know that device: PeerJS names it in the message alone. */
export function isAbsence(error: { type: string; message: string }, peerId: string): boolean {
  return error.type === 'peer-unavailable' && error.message.endsWith(` ${peerId}`);
}

/** Null for what is about no connection. */
export function readPayload(payload: unknown): PeerJsPayload | null {
  const parsed = v.safeParse(PayloadSchema, payload);
  return parsed.success ? parsed.output : null;
}

/** In PeerJS's words, which name the channel that it would use itself. */
export function toPeerJs(
  message: NegotiationMessage,
  connectionId: string,
): { type: string; payload: unknown } {
  const about = { type: 'data', connectionId };
  switch (message.kind) {
    case 'offer': {
      const channel = { label: connectionId, reliable: true, serialization: 'raw' };
      const sdp = { type: 'offer', sdp: message.sdp };
      return { type: 'OFFER', payload: { ...about, ...channel, sdp } };
    }
    case 'answer':
      return { type: 'ANSWER', payload: { ...about, sdp: { type: 'answer', sdp: message.sdp } } };
    case 'candidate':
      return { type: 'CANDIDATE', payload: { ...about, candidate: message.candidate } };
  }
}

/** Not yet checked. */
export function fromPeerJs(type: string, payload: PeerJsPayload): unknown {
  switch (type) {
    case 'OFFER':
      return { kind: 'offer', sdp: payload.sdp?.sdp };
    case 'ANSWER':
      return { kind: 'answer', sdp: payload.sdp?.sdp };
    case 'CANDIDATE':
      return { kind: 'candidate', candidate: payload.candidate };
    default:
      return null;
  }
}

function connectionIdOf(payload: unknown): string | null {
  const named = typeof payload === 'object' && payload !== null && 'connectionId' in payload;
  return named && typeof payload.connectionId === 'string' ? payload.connectionId : null;
}
