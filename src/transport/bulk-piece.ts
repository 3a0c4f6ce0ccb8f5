/**
 * Large messages on the wire, in pieces on an ordered channel. A piece begins with 16 bytes (little-endian): kind
 * (4: 0 a message, 1 the filling of a burst, which is counted and thrown away), number of its message (4), the
 * message's total length (4), and the piece's offset in it (4).
 */
import { badFrame } from './frame.ts';

export const maxBulkBytes = 8 * 1024 * 1024;
export const pieceHeaderBytes = 16;

export type BulkKind = 'message' | 'burst';

const kinds: readonly BulkKind[] = ['message', 'burst'];

export interface PieceHeader {
  kind: BulkKind;
  /** Counts the messages of a link, from 0, whichever connection they take; 0 for a burst. */
  number: number;
  /** Bytes of the whole message. */
  total: number;
  /** Where in it the piece lies. */
  offset: number;
}

export interface BurstReport {
  /** Of the pieces after the first, and the time from the first to the last. */
  bytes: number;
  tookMs: number;
}

export interface BulkReceiver {
  /** Takes the next piece. Throws a `LinkError` (`bad-message`) for one that does not follow the last. */
  receive(piece: Uint8Array<ArrayBuffer>): void;
}

export interface BulkReceiverOptions {
  /** The number of the message that the link waits for. One that came before, by another connection, is let fall. */
  due: () => number;
  onMessage: (bytes: Uint8Array<ArrayBuffer>) => void;
  onBurst: (report: BurstReport) => void;
}

interface Incoming extends PieceHeader {
  /** Null for a burst, and for what is here already. */
  bytes: Uint8Array<ArrayBuffer> | null;
  firstPieceBytes: number;
  beganAt: number;
}

export function encodePiece(
  { kind, number, total, offset }: PieceHeader,
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const piece = new Uint8Array(pieceHeaderBytes + body.length);
  const view = new DataView(piece.buffer);
  view.setUint32(0, kinds.indexOf(kind), true);
  view.setUint32(4, number, true);
  view.setUint32(8, total, true);
  view.setUint32(12, offset, true);
  piece.set(body, pieceHeaderBytes);
  return piece;
}

export function createBulkReceiver({ due, onMessage, onBurst }: BulkReceiverOptions): BulkReceiver {
  /** The message whose pieces are coming; its offset is where the next must begin. */
  let incoming: Incoming | null = null;

  function begin(header: PieceHeader, body: Uint8Array): Incoming {
    const { kind, number, total } = header;
    if (kind === 'message' && number > due())
      throw badFrame(`large message ${number} where ${due()} was due`);
    if (total > maxBulkBytes)
      throw badFrame(`a large message of ${total} bytes, more than the ${maxBulkBytes} allowed`);
    return {
      ...header,
      offset: 0,
      bytes: kind === 'message' && number === due() ? new Uint8Array(total) : null,
      firstPieceBytes: body.length,
      beganAt: performance.now(),
    };
  }

  function finish({ kind, number, bytes, total, firstPieceBytes, beganAt }: Incoming): void {
    incoming = null;
    if (bytes && number === due()) onMessage(bytes);
    if (kind === 'burst')
      onBurst({ bytes: total - firstPieceBytes, tookMs: performance.now() - beganAt });
  }

  return {
    receive(piece) {
      const header = decodeHeader(piece);
      const body = piece.subarray(pieceHeaderBytes);
      const message = incoming ?? begin(header, body);
      const follows =
        header.kind === message.kind &&
        header.number === message.number &&
        header.total === message.total &&
        header.offset === message.offset &&
        header.offset + body.length <= header.total &&
        (body.length > 0 || header.total === 0);
      if (!follows)
        throw badFrame(`a piece of large message ${header.number} that does not follow the last`);
      incoming = message;
      message.bytes?.set(body, message.offset);
      message.offset += body.length;
      if (message.offset === message.total) finish(message);
    },
  };
}

function decodeHeader(piece: Uint8Array<ArrayBuffer>): PieceHeader {
  if (piece.length < pieceHeaderBytes) throw badFrame('a piece without its header');
  const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
  const kind = kinds.at(view.getUint32(0, true));
  if (kind === undefined)
    throw badFrame(`a large message of unknown kind ${view.getUint32(0, true)}`);
  return {
    kind,
    number: view.getUint32(4, true),
    total: view.getUint32(8, true),
    offset: view.getUint32(12, true),
  };
}
