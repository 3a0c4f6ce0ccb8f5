/**
 * Takes pieces from the room's other devices, and from outside only those that no device has, so that a room
 * downloads each piece once. A piece from another device is used only if its hash is known and matches. The
 * device asked first differs between pieces, which spreads the work.
 */
import type { PieceOrigin } from './piece-origin.ts';
import { sha256Hex } from './read-manifest.ts';
import { pieceName, type Piece } from './layer-pieces.ts';

export interface SwarmOptions {
  /** The devices that have the piece, and its hash; null if the hash is not known. */
  holders: (piece: Piece) => { devices: readonly string[]; sha256: string | null };
  ask: (
    device: string,
    piece: Piece,
    signal?: AbortSignal,
  ) => Promise<Uint8Array<ArrayBuffer> | null>;
  outside: PieceOrigin;
  /** Called if a device gave bytes that do not match the hash; it is not asked again. */
  onHashMismatch: (device: string, piece: Piece) => void;
}

export interface SwarmOrigin extends PieceOrigin {
  readonly bytesFromDevices: number;
  readonly bytesFromOutside: number;
}

export function swarmOrigin(name: string, options: SwarmOptions): SwarmOrigin {
  let bytesFromDevices = 0;
  let bytesFromOutside = 0;
  const forgers = new Set<string>();

  async function fromDevices(
    piece: Piece,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const { devices, sha256 } = options.holders(piece);
    if (sha256 === null) return null;
    for (const device of rotated(devices, spread(piece))) {
      if (forgers.has(device)) continue;
      const bytes = await options.ask(device, piece, signal);
      signal?.throwIfAborted();
      if (!bytes) continue;
      if ((await sha256Hex(bytes)) === sha256) return bytes;
      if (forgers.has(device)) continue;
      forgers.add(device);
      options.onHashMismatch(device, piece);
    }
    return null;
  }

  return {
    name,
    get bytesFromDevices() {
      return bytesFromDevices;
    },
    get bytesFromOutside() {
      return bytesFromOutside;
    },
    async read(piece, onBytes, signal) {
      const given = await fromDevices(piece, signal);
      if (given) {
        bytesFromDevices += given.length;
        onBytes(given.length);
        return given;
      }
      const fetched = await options.outside.read(piece, onBytes, signal);
      bytesFromOutside += fetched.length;
      return fetched;
    },
  };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  if (items.length === 0) return [];
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** A number that differs between pieces and is the same on every device. */
function spread(piece: Piece): number {
  let hash = 0;
  for (const character of pieceName(piece)) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return hash;
}
