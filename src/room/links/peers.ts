import { errorMessage } from '../../base/error-message.ts';
import {
  openLink,
  type FrameHeader,
  type Link,
  type LinkEmulation,
  type Signalling,
} from '../../transport/index.ts';
import { combinedEmulation } from './emulation.ts';
import { type BulkMessage, decodeBulk } from '../protocol/index.ts';

export interface PeersOptions {
  /** This device's own id. */
  deviceId: string;
  dial: Signalling['dial'];
  key: Uint8Array<ArrayBuffer>;
  onFrame: (from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>) => void;
  onBulk: (from: string, message: BulkMessage) => void;
  /** `fault` is a sentence where the device broke the rules and its link was ended for that; else null. */
  onLost: (deviceId: string, fault: string | null) => void;
}

export interface Peers {
  link(deviceId: string): Link | undefined;
  /** A device that dialled, to be let in once the host has introduced it. */
  dialled(connection: RTCPeerConnection, peerId: string): void;
  /** The host is known before anyone introduces it. */
  add(deviceId: string, link: Link): void;
  /** Makes the link; false when the two devices cannot reach each other. */
  meet(introduction: {
    deviceId: string;
    peerId: string;
    fingerprint: string;
    dial: boolean;
  }): Promise<boolean>;
  send(deviceId: string, header: FrameHeader, payload: Uint8Array): void;
  /** Rejects when there is no link. */
  sendBulk(deviceId: string, message: Uint8Array): Promise<void>;
  /** Slows every link of that device down, as far as this end sends; null lifts it. */
  emulate(deviceId: string, emulation: LinkEmulation | null): void;
  /** Half of the last round trip to that device, in ms; 0 before the first. */
  wireMs(deviceId: string): number;
  drop(deviceId: string, reason: string): void;
  /** Ends the link to a device that broke the rules, in a way that the sentence says. */
  refuse(deviceId: string, fault: string): void;
  closeAll(reason: string): void;
}

/** A dial may overtake the introduction that announces it, by a different path. */
const earlyDialsKept = 16;
/** A device of the room is introduced within a moment; whoever is not by then was never going to be. */
const earlyDialMs = 20_000;
/** Devices that were introduced and have not dialled: no room has more, and who never does is not waited for for ever. */
const mostAwaited = 64;

interface Awaited {
  take: (connection: RTCPeerConnection) => void;
  giveUp: () => void;
}

export function createPeers(options: PeersOptions): Peers {
  const { dial: dialOut, key } = options;
  const links = new Map<string, Link>();
  const emulations = new Map<string, LinkEmulation>();
  const early = new Map<
    string,
    { connection: RTCPeerConnection; expiry: ReturnType<typeof setTimeout> }
  >();
  /** Of devices whose link is being ended for it. */
  const faults = new Map<string, string>();
  const awaited = new Map<string, Awaited>();

  function emulationTowards(deviceId: string): LinkEmulation | null {
    const own = emulations.get(options.deviceId) ?? null;
    return combinedEmulation(own, emulations.get(deviceId) ?? null);
  }

  function dialled(connection: RTCPeerConnection, peerId: string): void {
    const expected = awaited.get(peerId);
    if (expected) {
      awaited.delete(peerId);
      expected.take(connection);
    } else if (early.size < earlyDialsKept || early.has(peerId)) {
      forgetEarly(peerId)?.close();
      const expiry = setTimeout(() => forgetEarly(peerId)?.close(), earlyDialMs);
      early.set(peerId, { connection, expiry });
    } else {
      connection.close();
    }
  }

  function forgetEarly(peerId: string): RTCPeerConnection | undefined {
    const dial = early.get(peerId);
    clearTimeout(dial?.expiry);
    early.delete(peerId);
    return dial?.connection;
  }

  function incoming(peerId: string): Promise<RTCPeerConnection> {
    const connection = forgetEarly(peerId);
    if (connection) return Promise.resolve(connection);
    for (const [oldest, { giveUp }] of awaited) {
      if (awaited.size < mostAwaited) break;
      awaited.delete(oldest);
      giveUp();
    }
    return new Promise((take, giveUp) => awaited.set(peerId, { take, giveUp }));
  }

  function add(deviceId: string, link: Link): void {
    links.get(deviceId)?.close('connected anew');
    links.set(deviceId, link);
    link.emulate(emulationTowards(deviceId));
    const orRefuse = (take: () => void): void => {
      try {
        take();
      } catch (error) {
        refuse(deviceId, errorMessage(error));
      }
    };
    link.onFrame((header, payload) => {
      orRefuse(() => options.onFrame(deviceId, header, payload));
    });
    link.onBulk((bytes) => {
      orRefuse(() => options.onBulk(deviceId, decodeBulk(bytes)));
    });
    link.onClosed((reason, cause) => {
      if (links.get(deviceId) !== link) return;
      links.delete(deviceId);
      const fault = cause === 'misbehaved' ? reason : (faults.get(deviceId) ?? null);
      faults.delete(deviceId);
      options.onLost(deviceId, fault);
    });
  }

  function refuse(deviceId: string, fault: string): void {
    const link = links.get(deviceId);
    if (!link) return;
    faults.set(deviceId, fault.replace(/\.?$/, '.'));
    link.close(fault);
  }

  return {
    link: (deviceId) => links.get(deviceId),
    add,
    dialled,
    async meet({ deviceId, peerId, fingerprint, dial }) {
      try {
        const connection = await (dial ? dialOut(peerId) : incoming(peerId));
        add(
          deviceId,
          await openLink(connection, { peerId, key, expectedFingerprint: fingerprint }),
        );
        return true;
      } catch {
        // Why two devices cannot reach each other is theirs to know; the plan only needs that they cannot.
        return false;
      }
    },
    send(deviceId, header, payload) {
      links.get(deviceId)?.sendFrame(header, payload);
    },
    async sendBulk(deviceId, message) {
      const link = links.get(deviceId);
      if (!link) throw new Error(`there is no link to ${deviceId} any more`);
      await link.sendBulk(message);
    },
    emulate(deviceId, emulation) {
      if (emulation) emulations.set(deviceId, emulation);
      else emulations.delete(deviceId);
      for (const [peer, link] of links) link.emulate(emulationTowards(peer));
    },
    wireMs: (deviceId) => (links.get(deviceId)?.stats.roundTripMs ?? 0) / 2,
    refuse,
    drop(deviceId, reason) {
      links.get(deviceId)?.close(reason);
    },
    closeAll(reason) {
      const ending = [...links.values()];
      // Links that this device ends are not lost: there is nobody left to be told.
      links.clear();
      for (const link of ending) link.close(reason);
      for (const peerId of [...early.keys()]) forgetEarly(peerId)?.close();
    },
  };
}
