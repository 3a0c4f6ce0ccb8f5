/** This device's links to the others: made when the host introduces them, slowed on purpose, and ended. */
import { errorMessage } from '../../base/error-message.ts';
import {
  openLink,
  type FrameHeader,
  type Link,
  type LinkEmulation,
  type Signalling,
} from '../../transport/index.ts';
import { combinedEmulation } from './emulation.ts';
import { createIncomingDials } from './incoming-dials.ts';
import { type BulkMessage, decodeBulk } from '../protocol/index.ts';

export interface PeersOptions {
  /** This device's own id. */
  deviceId: string;
  dial: Signalling['dial'];
  key: Uint8Array<ArrayBuffer>;
}

/** What comes from the other devices. A handler that throws has the link of whoever sent it ended. */
export interface PeersHandlers {
  onFrame: (from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>) => void;
  onBulk: (from: string, message: BulkMessage) => void;
  /** `fault` is a sentence where the device broke the rules and its link was ended for that; else null. */
  onLost: (deviceId: string, fault: string | null) => void;
}

export interface Peers {
  /** To be called once, before there is any link. */
  handle(handlers: PeersHandlers): void;
  link(deviceId: string): Link | undefined;
  /** Another device has dialled this one. Its link is made once the host has introduced it. */
  dialled(connection: RTCPeerConnection, peerId: string): void;
  /** A link that is there already, as the one to the host is. */
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

export function createPeers(options: PeersOptions): Peers {
  const { dial: dialOut, key } = options;
  const links = new Map<string, Link>();
  const emulations = new Map<string, LinkEmulation>();
  /** Of devices whose link is being ended for it. */
  const faults = new Map<string, string>();
  const dials = createIncomingDials();
  let handlers: PeersHandlers | null = null;

  function emulationTowards(deviceId: string): LinkEmulation | null {
    const own = emulations.get(options.deviceId) ?? null;
    return combinedEmulation(own, emulations.get(deviceId) ?? null);
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
      orRefuse(() => handlers?.onFrame(deviceId, header, payload));
    });
    link.onBulk((bytes) => {
      orRefuse(() => handlers?.onBulk(deviceId, decodeBulk(bytes)));
    });
    link.onClosed((reason, cause) => {
      if (links.get(deviceId) !== link) return;
      links.delete(deviceId);
      const fault = cause === 'misbehaved' ? reason : (faults.get(deviceId) ?? null);
      faults.delete(deviceId);
      handlers?.onLost(deviceId, fault);
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
    dialled: (connection, peerId) => dials.dialled(connection, peerId),
    handle(given) {
      handlers = given;
    },
    async meet({ deviceId, peerId, fingerprint, dial }) {
      try {
        const connection = await (dial ? dialOut(peerId) : dials.awaitDial(peerId));
        add(
          deviceId,
          await openLink(connection, { peerId, key, expectedFingerprint: fingerprint }),
        );
        return true;
      } catch {
        // Plans only need to know that the two cannot reach each other, not why.
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
      dials.closeAll();
    },
  };
}
