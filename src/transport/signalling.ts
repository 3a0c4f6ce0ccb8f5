/** What every way of introducing devices shares; `peerjs-signalling.ts` is one. */
export type { Signalling } from './types.ts';

/** A name that nobody guesses, of letters and digits only: 100 bits. */
export function makePeerId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const random = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(random, (byte) => alphabet[byte % alphabet.length]).join('');
}

/** How connections are made: this device's certificate, and no servers but those that were named. */
export function connectionConfiguration(
  certificate: RTCCertificate,
  iceServers: RTCIceServer[] = [],
): RTCConfiguration {
  return { certificates: [certificate], iceServers, bundlePolicy: 'max-bundle' };
}
