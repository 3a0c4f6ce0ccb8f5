/** Sends large messages at the pace of the network, giving way to frames. */
import { encodePiece, pieceHeaderBytes, type BulkKind } from './bulk-piece.ts';
import { LinkError } from './link-error.ts';

/** Large pieces are cheap; small ones let a frame through between two of them, and time a burst finely. */
const largePieceBytes = 224 * 1024;
const smallPieceBytes = 16 * 1024;
/** For so long after a frame, more are expected. */
const busyMs = 500;

export interface BulkSender {
  /** Resolves when the last piece has been handed to the network. Messages go one after the other. */
  send(bytes: Uint8Array, kind: BulkKind, number: number): Promise<void>;
  /** A frame went by: give way for a while. */
  frameSeen(): void;
  /** Ends what is under way. */
  close(): void;
}

export interface BulkSenderOptions {
  channel: RTCDataChannel;
  send: (piece: Uint8Array<ArrayBuffer>) => void;
  /** Resolves when whatever lies before the channel has room. */
  room: () => Promise<void>;
  /** The largest message that the connection takes. */
  maxMessageBytes: number;
}

export function createBulkSender({
  channel,
  send,
  room,
  maxMessageBytes,
}: BulkSenderOptions): BulkSender {
  const ending = new AbortController();
  let queue = Promise.resolve();
  let frameSeenAt = -Infinity;

  async function sendPieces(bytes: Uint8Array, kind: BulkKind, number: number): Promise<void> {
    const total = bytes.length;
    let offset = 0;
    do {
      const size = pieceBytes(kind);
      await room();
      await channelRoom(size);
      const body = bytes.subarray(offset, offset + size);
      send(encodePiece({ kind, number, total, offset }, body));
      offset += body.length;
    } while (offset < total);
  }

  function pieceBytes(kind: BulkKind): number {
    const busy = performance.now() - frameSeenAt < busyMs;
    const wanted = busy || kind === 'burst' ? smallPieceBytes : largePieceBytes;
    return Math.min(wanted, maxMessageBytes - pieceHeaderBytes);
  }

  /** Waits until no more than one piece lies before the next. */
  function channelRoom(bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = new AbortController();
      const look = (): void => {
        const closed = ending.signal.aborted || channel.readyState !== 'open';
        if (!closed && channel.bufferedAmount > bytes) return;
        watch.abort();
        if (closed) reject(ended());
        else resolve();
      };
      channel.bufferedAmountLowThreshold = bytes;
      channel.addEventListener('bufferedamountlow', look, { signal: watch.signal });
      channel.addEventListener('close', look, { signal: watch.signal });
      ending.signal.addEventListener('abort', look, { signal: watch.signal });
      look();
    });
  }

  return {
    send(bytes, kind, number) {
      const sent = queue.then(() => sendPieces(bytes, kind, number));
      queue = sent.catch(() => undefined);
      return sent;
    },
    frameSeen() {
      frameSeenAt = performance.now();
    },
    close: () => ending.abort(),
  };
}

function ended(): LinkError {
  return new LinkError('closed', 'The link ended before the large message was sent.');
}
