/**
 * Who a device is: the certificate with which its connections are encrypted (DTLS). Whoever completes a
 * connection under a certificate holds its private key, so its fingerprint is an identity that nobody on the
 * way can borrow.
 */
import { get, set } from 'idb-keyval';
import { cryptography } from '../base/cryptography.ts';
import { reopenedStore } from '../base/reopened-store.ts';
import { withSecondTry } from '../base/storage-failure.ts';
import { LinkError } from './link-error.ts';
import { browserCannotConnect } from './signalling-error.ts';
import type { Identity } from './types.ts';

const lifetimeMs = 180 * 24 * 3600 * 1000;
const renewBeforeMs = 7 * 24 * 3600 * 1000;

/** Where idb-keyval keeps values unless told. */
const store = reopenedStore('keyval-store', 'keyval');

/**
 * A new identity, for as long as the page is open. Rejects with a `LinkError` (`signalling-failed`) where the browser has
 * no WebRTC.
 */
export async function createIdentity(): Promise<Identity> {
  if (!('RTCPeerConnection' in globalThis)) throw browserCannotConnect();
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', expires: lifetimeMs };
  return describe(await RTCPeerConnection.generateCertificate(algorithm));
}

export interface OwnIdentity extends Identity {
  /** Whether the page is this device again after a reload. */
  isKept: boolean;
}

/** This tab's, by room: it holds a lock on each, and would not be given the same one twice. */
const ownIdentities = new Map<string, Promise<OwnIdentity>>();

/**
 * The identity that this browser keeps (for one room, if it is named), so that a reloaded page is the device it was before. Tabs
 * of one browser in the same room have one each: a tab holds a lock on its own while it is open. Where the
 * browser keeps nothing (private windows) or gives no locks, one for as long as the page is open: a reload is a new device.
 */
export function keepIdentity(roomId = ''): Promise<OwnIdentity> {
  const known = ownIdentities.get(roomId);
  if (known) return known;
  const identity = claimIdentity(roomId);
  ownIdentities.set(roomId, identity);
  // What failed may work when the person tries again.
  identity.catch(() => ownIdentities.delete(roomId));
  return identity;
}

async function claimIdentity(roomId: string): Promise<OwnIdentity> {
  try {
    const name = await claimName(`edgeshard identity ${roomId}`);
    return { ...(await withSecondTry(() => identityUnder(name))), isKept: true };
  } catch {
    // Storage or locks that are refused cost only recognition after a reload.
    return { ...(await createIdentity()), isKept: false };
  }
}

async function identityUnder(name: string): Promise<Identity> {
  const kept = await get<RTCCertificate>(name, store);
  if (kept && kept.expires > Date.now() + renewBeforeMs) return describe(kept);
  const identity = await createIdentity();
  await set(name, identity.certificate, store);
  return identity;
}

/**
 * The first of `NAME 0`, `NAME 1`, … that no other open tab has; it is this tab's until the page goes. Rejects where the
 * browser gives no locks: without them two tabs could not be told apart.
 */
async function claimName(prefix: string): Promise<string> {
  for (let slot = 0; ; slot++) {
    const name = `${prefix} ${slot}`;
    if (await claims(name)) return name;
  }
}

function claims(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise<void>(() => undefined);
      })
      .catch(reject);
  });
}

/** An offer is the one place where every browser says a certificate's fingerprint. */
async function describe(certificate: RTCCertificate): Promise<Identity> {
  const connection = new RTCPeerConnection({ certificates: [certificate] });
  try {
    connection.createDataChannel('');
    const offer = await connection.createOffer();
    return { certificate, fingerprint: fingerprintInSdp(offer.sdp) };
  } finally {
    connection.close();
  }
}

/** Fingerprints of both ends of a connection. Throws a `LinkError` (`wrong-identity`) where they are not beyond doubt. */
export async function fingerprintsOf(
  connection: RTCPeerConnection,
): Promise<{ local: string; remote: string }> {
  const local = fingerprintInSdp(connection.localDescription?.sdp);
  const remote = fingerprintInSdp(connection.remoteDescription?.sdp);
  const presented = await presentedFingerprint(connection);
  if (presented !== null && presented !== remote)
    throw new LinkError(
      'wrong-identity',
      'The other device presented a certificate other than the one it announced: someone may be in between; try again on another network.',
    );
  return { local, remote };
}

/**
 * The one SHA-256 fingerprint in a session description, as 64 lower-case hexadecimal digits. A description may
 * lawfully list several (RFC 8122), any of which would do for the browser: refused, as one must be meant.
 */
export function fingerprintInSdp(sdp: string | undefined): string {
  const lines = [...(sdp ?? '').matchAll(/^a=fingerprint:(\S+) (\S+)\r?$/gim)];
  const fingerprints = new Set(
    lines.map(([, algorithm = '', digits = '']) =>
      /^sha-256$/i.test(algorithm) ? digits.replaceAll(':', '').toLowerCase() : '',
    ),
  );
  const [fingerprint = ''] = fingerprints;
  if (fingerprints.size !== 1 || !/^[0-9a-f]{64}$/.test(fingerprint))
    throw new LinkError(
      'wrong-identity',
      'The connection does not name exactly one SHA-256 certificate for a device: use a current version of the browser.',
    );
  return fingerprint;
}

/** Of the certificate that the other side really used; null where the browser does not show it (it checks it itself). */
async function presentedFingerprint(connection: RTCPeerConnection): Promise<string | null> {
  const transport: Partial<RTCDtlsTransport> | undefined = connection.sctp?.transport;
  const certificate = transport?.getRemoteCertificates?.()[0];
  if (!certificate) return null;
  const digest = new Uint8Array(await cryptography().digest('SHA-256', certificate));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
