/**
 * Large messages in pieces, at the pace of the network. A piece begins with 16 bytes (little-endian): kind (4: 0 a
 * message, 1 the filling of a burst, counted and thrown away), number (4: of its message), total length (4), and
 * offset (4). The channel is ordered, so pieces come one after the other.
 */
import { badFrame } from './frame.ts';
import { LinkError } from './link-error.ts';
import type { LinkStats } from './types.ts';

export const maxBulkBytes = 8 * 1024 * 1024;

const pieceHeaderBytes = 16;
/** Large pieces are cheap; small ones let a frame through between two of them, and time a burst finely. */
const largePieceBytes = 224 * 1024;
const smallPieceBytes = 16 * 1024;
/** For so long after a frame, more are expected. */
const busyMs = 500;

export interface BurstReport {
  /** Of pieces after the first, and the time from the first to the last. */
  bytes: number;
  tookMs: number;
}

export interface BulkPort {
  /** Resolves when the last piece has been handed to the network. Messages go one after the other. */
  send(bytes: Uint8Array, kind?: 'message' | 'burst'): Promise<void>;
  /** Takes a message of the channel. Throws a `LinkError` (`bad-message`) for one that breaks the rules. */
  receive(piece: Uint8Array<ArrayBuffer>): void;
  /** A frame went by: give way for a while. */
  frameSeen(): void;
  close(): void;
}

export interface BulkPortOptions {
  channel: RTCDataChannel;
  send: (piece: Uint8Array<ArrayBuffer>) => void;
  /** Resolves when whatever lies before the channel has room. */
  room: () => Promise<void>;
  /** The largest message that the connection takes. */
  maxMessageBytes: number;
  onMessage: (bytes: Uint8Array<ArrayBuffer>) => void;
  onBurst: (report: BurstReport) => void;
  stats: LinkStats;
}

interface Incoming {
  burst: boolean;
  number: number;
  /** Null for a burst, which is only counted. */
  bytes: Uint8Array<ArrayBuffer> | null;
  total: number;
  received: number;
  firstPieceBytes: number;
  beganAt: number;
}

export function createBulkPort(options: BulkPortOptions): BulkPort {
  const { channel, maxMessageBytes, onMessage, onBurst, stats } = options;
  const ending = new AbortController();
  let queue = Promise.resolve();
  let nextNumber = 0;
  let frameSeenAt = -Infinity;
  let incoming: Incoming | null = null;
  let awaitedNumber = 0;

  function pieceBytes(burst: boolean): number {
    const busy = performance.now() - frameSeenAt < busyMs;
    const wanted = busy || burst ? smallPieceBytes : largePieceBytes;
    return Math.min(wanted, maxMessageBytes - pieceHeaderBytes);
  }

  async function sendPieces(bytes: Uint8Array, burst: boolean): Promise<void> {
    const number = nextNumber++;
    for (let offset = 0; offset === 0 || offset < bytes.length;) {
      const size = pieceBytes(burst);
      await options.room();
      await channelRoom(size);
      const body = bytes.subarray(offset, offset + size);
      const piece = new Uint8Array(pieceHeaderBytes + body.length);
      const header = [burst ? 1 : 0, number, bytes.length, offset];
      const view = new DataView(piece.buffer);
      header.forEach((value, index) => view.setUint32(4 * index, value, true));
      piece.set(body, pieceHeaderBytes);
      stats.bytesSent += piece.length;
      options.send(piece);
      offset += size;
    }
  }

  /** Waits until no more than one piece lies before the next. */
  function channelRoom(bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = new AbortController();
      const look = (): void => {
        const closed = ending.signal.aborted || channel.readyState !== 'open';
        if (!closed && channel.bufferedAmount > bytes) return;
        watch.abort();
        if (closed) reject(bulkEnded());
        else resolve();
      };
      channel.bufferedAmountLowThreshold = bytes;
      channel.addEventListener('bufferedamountlow', look, { signal: watch.signal });
      channel.addEventListener('close', look, { signal: watch.signal });
      ending.signal.addEventListener('abort', look, { signal: watch.signal });
      look();
    });
  }

  function begin(kind: number, number: number, total: number): Incoming {
    if (kind > 1) throw badFrame(`a large message of unknown kind ${kind}`);
    if (number !== awaitedNumber)
      throw badFrame(`large message ${number} where ${awaitedNumber} was due`);
    if (total > maxBulkBytes)
      throw badFrame(`a large message of ${total} bytes, more than the ${maxBulkBytes} allowed`);
    awaitedNumber++;
    const burst = kind === 1;
    const bytes = burst ? null : new Uint8Array(total);
    return { burst, number, bytes, total, received: 0, firstPieceBytes: 0, beganAt: 0 };
  }

  function receive(piece: Uint8Array<ArrayBuffer>): void {
    if (piece.length < pieceHeaderBytes) throw badFrame('a piece without its header');
    stats.bytesReceived += piece.length;
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
    const [kind = 0, number = 0, total = 0, offset = 0] = [0, 4, 8, 12].map((at) =>
      view.getUint32(at, true),
    );
    const body = piece.subarray(pieceHeaderBytes);
    const message = incoming ?? begin(kind, number, total);
    incoming = message;
    const fits =
      message.burst === (kind === 1) &&
      message.number === number &&
      message.total === total &&
      message.received === offset &&
      offset + body.length <= total &&
      (body.length > 0 || total === 0);
    if (!fits) throw badFrame(`a piece of large message ${number} that does not follow the last`);
    if (offset === 0) {
      message.beganAt = performance.now();
      message.firstPieceBytes = body.length;
    }
    message.bytes?.set(body, offset);
    message.received += body.length;
    if (message.received === total) finish(message);
  }

  function finish({ bytes, total, firstPieceBytes, beganAt }: Incoming): void {
    incoming = null;
    if (bytes) onMessage(bytes);
    else onBurst({ bytes: total - firstPieceBytes, tookMs: performance.now() - beganAt });
  }

  return {
    receive,
    send(bytes, kind = 'message') {
      if (bytes.length > maxBulkBytes)
        return Promise.reject(
          new LinkError(
            'bad-request',
            `A large message may have ${maxBulkBytes} bytes, not ${bytes.length}: send it in parts.`,
          ),
        );
      const sent = queue.then(() => sendPieces(bytes, kind === 'burst'));
      queue = sent.catch(() => undefined);
      return sent;
    },
    frameSeen() {
      frameSeenAt = performance.now();
    },
    close: () => ending.abort(),
  };
}

function bulkEnded(): LinkError {
  return new LinkError('closed', 'The link ended before the large message was sent.');
}
