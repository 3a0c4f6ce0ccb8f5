/** What every way of introducing devices shares: by PeerJS's socket, or by server-sent events. */
import type { Identity, Signalling } from './types.ts';

export type { Signalling };

export interface SignallingOptions {
  identity: Identity;
  /** This device's id; a fresh one unless told. A host that comes back uses its own again. */
  id?: string;
  /** Of the PeerServer, e.g. `https://192.168.1.20:8443/peerjs`; `/peerjs` of the page's own server unless told. */
  url?: string;
  iceServers?: RTCIceServer[];
  /** Connections go by way of a TURN server and by no other, for experiments and tests. */
  relayOnly?: boolean;
  /** For reaching the server, and for each dialled device's answer; 15,000 ms unless told. */
  deadlineMs?: number;
  /** How long to keep trying after the server was lost; 10 minutes unless told. */
  giveUpAfterMs?: number;
}

/** Dials beyond this are refused: whoever knows the room's name may dial, key or not. */
export const maxConnections = 64;

/** A name that nobody guesses, of letters and digits only: 100 bits. */
export function makePeerId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const random = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(random, (byte) => alphabet[byte % alphabet.length]).join('');
}

/** How connections are made: this device's certificate, and no servers but those that were named. */
export function connectionConfiguration({
  identity,
  iceServers = [],
  relayOnly = false,
}: SignallingOptions): RTCConfiguration {
  return {
    certificates: [identity.certificate],
    iceServers,
    iceTransportPolicy: relayOnly ? 'relay' : 'all',
    bundlePolicy: 'max-bundle',
  };
}

export function serverUrlOf({ url }: SignallingOptions): URL {
  return new URL(url ?? '/peerjs', globalThis.location.href);
}
