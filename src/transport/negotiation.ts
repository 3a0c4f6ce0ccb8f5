/** How two devices agree on a connection: an offer, an answer, and network candidates as they turn up. */
import * as v from 'valibot';
import { fingerprintInSdp } from './identity.ts';

const SdpSchema = v.pipe(v.string(), v.maxLength(32 * 1024));

export const NegotiationSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('offer'), sdp: SdpSchema }),
  v.strictObject({ kind: v.literal('answer'), sdp: SdpSchema }),
  v.strictObject({
    kind: v.literal('candidate'),
    candidate: v.object({
      candidate: v.pipe(v.string(), v.maxLength(1024)),
      sdpMid: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(64)))),
      sdpMLineIndex: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0)))),
      usernameFragment: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(256)))),
    }),
  }),
]);

export type NegotiationMessage = v.InferOutput<typeof NegotiationSchema>;

export interface NegotiationOptions {
  /** Takes a message to the other side, in order; by which way does not matter. */
  send: (message: NegotiationMessage) => void;
  /** The only certificate with which a connection is agreed on; absent: any. */
  fingerprint?: string;
  signal: AbortSignal;
}

export interface Negotiation {
  /** Asks for the connection; with `iceRestart`, for a new network path under one that is there. Resolves once answered. */
  offer(options?: { iceRestart: boolean }): Promise<void>;
  /** Takes the other side's next message. One that does not fit is let fall: whoever waits has a deadline. */
  receive(message: NegotiationMessage): void;
}

/** Until the signal aborts. The connection's channels must have been made before. */
export function negotiate(
  connection: RTCPeerConnection,
  { send, fingerprint, signal }: NegotiationOptions,
): Negotiation {
  let taking: Promise<unknown> = Promise.resolve();
  let onAnswer: (() => void) | null = null;

  // Whoever introduced the two passed candidates on until now.
  connection.onicecandidate = null;
  connection.addEventListener(
    'icecandidate',
    ({ candidate }) => {
      if (candidate?.candidate) send({ kind: 'candidate', candidate: plain(candidate) });
    },
    { signal },
  );

  async function take(message: NegotiationMessage): Promise<void> {
    if (signal.aborted) return;
    switch (message.kind) {
      case 'offer':
        requireFingerprint(message.sdp);
        await connection.setRemoteDescription({ type: 'offer', sdp: message.sdp });
        await connection.setLocalDescription();
        send({ kind: 'answer', sdp: connection.localDescription?.sdp ?? '' });
        return;
      case 'answer':
        requireFingerprint(message.sdp);
        await connection.setRemoteDescription({ type: 'answer', sdp: message.sdp });
        onAnswer?.();
        return;
      case 'candidate':
        await connection.addIceCandidate(message.candidate as RTCIceCandidateInit);
        return;
    }
  }

  /** A server that introduces somebody else is found out before the connection is touched. */
  function requireFingerprint(sdp: string): void {
    const announced = fingerprintInSdp(sdp);
    if (fingerprint !== undefined && announced !== fingerprint)
      throw new Error('the description is another device’s');
  }

  return {
    async offer({ iceRestart } = { iceRestart: false }) {
      const answered = new Promise<void>((resolve) => (onAnswer = resolve));
      const offer = await connection.createOffer({ iceRestart });
      await connection.setLocalDescription(offer);
      send({ kind: 'offer', sdp: offer.sdp ?? '' });
      await answered;
    },
    receive(message) {
      taking = taking.then(() => take(message)).catch(() => undefined);
    },
  };
}

function plain({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate) {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}
