/**
 * Brings dials and introductions together. The host introduces two devices, and one of them dials the other. The dial
 * and the introduction come by different paths, in either order.
 */

export interface IncomingDials {
  /** Somebody dialled. The connection is kept for a moment if nobody has introduced them yet. */
  dialled(connection: RTCPeerConnection, peerId: string): void;
  /** The connection of a device that was introduced, once it dials; rejects when too many others are awaited. */
  awaitDial(peerId: string): Promise<RTCPeerConnection>;
  /** Closes the connections of those that nobody introduced. */
  closeAll(): void;
}

/** A dial may overtake the introduction that announces it. */
const earlyDialsKept = 16;
/** A device of the room is introduced within a moment; whoever is not by then was never going to be. */
const earlyDialMs = 20_000;
/** Devices that were introduced and have not dialled. No room has more, and one that never dials is not awaited for ever. */
const mostAwaited = 64;

interface Awaited {
  take: (connection: RTCPeerConnection) => void;
  giveUp: () => void;
}

interface EarlyDial {
  connection: RTCPeerConnection;
  expiry: ReturnType<typeof setTimeout>;
}

export function createIncomingDials(): IncomingDials {
  const early = new Map<string, EarlyDial>();
  const awaited = new Map<string, Awaited>();

  function forgetEarly(peerId: string): RTCPeerConnection | undefined {
    const dial = early.get(peerId);
    clearTimeout(dial?.expiry);
    early.delete(peerId);
    return dial?.connection;
  }

  return {
    dialled(connection, peerId) {
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
    },
    awaitDial(peerId) {
      const connection = forgetEarly(peerId);
      if (connection) return Promise.resolve(connection);
      for (const [oldest, { giveUp }] of awaited) {
        if (awaited.size < mostAwaited) break;
        awaited.delete(oldest);
        giveUp();
      }
      return new Promise((take, giveUp) => awaited.set(peerId, { take, giveUp }));
    },
    closeAll() {
      for (const peerId of [...early.keys()]) forgetEarly(peerId)?.close();
    },
  };
}
