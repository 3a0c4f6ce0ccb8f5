/** A tab's way to the model's bytes: what it keeps, what the room's devices keep, what lies outside. */
import type { Manifest } from '../../model/manifest.ts';
import type { PieceCache } from '../../store/piece-cache.ts';
import type { PieceOrigin } from '../../store/piece-origin.ts';
import { pieceName, piecesOfLayer, type Piece } from '../../store/layer-pieces.ts';
import { createShardReader, type ShardReader } from '../../store/shard-reader.ts';
import { swarmOrigin, type SwarmOptions } from '../../store/swarm-origin.ts';
import { createPieceExchange, type PieceExchange } from './piece-exchange.ts';

export interface ModelStoreOptions {
  manifest: Manifest;
  /** Of the manifest: tells this model's pieces from those of others. */
  sha256: string;
  cache: PieceCache;
  /** Null where only other devices have the bytes. */
  outside: PieceOrigin | null;
  /** Whether pieces that this tab does not keep are fetched from outside for others who ask. */
  fetchesForOthers: boolean;
  holders: SwarmOptions['holders'];
  sendBulk: (deviceId: string, message: Uint8Array) => Promise<void>;
  /** The device gave other bytes than the piece's hash is of. */
  onHashMismatch: (deviceId: string, piece: Piece) => void;
}

export interface ModelStore {
  reader: ShardReader;
  exchange: PieceExchange;
}

export function createModelStore(options: ModelStoreOptions): ModelStore {
  const { manifest, sha256, cache, outside } = options;
  void cache.use(sha256, manifest.title);
  const exchange = createPieceExchange({ send: options.sendBulk, lookUp });
  const origin = swarmOrigin(sha256, {
    holders: options.holders,
    ask: (device, piece, signal) => exchange.ask(device, piece, signal),
    outside: outside ?? hostOrigin(sha256, exchange),
    onHashMismatch: options.onHashMismatch,
  });
  const reader = createShardReader(manifest, origin, cache);
  const pieces = new Map<string, Piece>();
  for (const layer of manifest.layers.keys())
    for (const piece of piecesOfLayer(manifest, layer)) pieces.set(pieceName(piece), piece);

  async function lookUp(wanted: Omit<Piece, 'sha256'>): Promise<Uint8Array | null> {
    const piece = pieces.get(pieceName(wanted));
    if (!piece) return null;
    const kept = await reader.keptPiece(piece);
    if (kept || !outside || !options.fetchesForOthers) return kept;
    return outside.read(piece, () => undefined);
  }

  return { reader, exchange };
}

/** The host has the model in a file, or under an access token, and passes it on. */
function hostOrigin(name: string, exchange: PieceExchange): PieceOrigin {
  return {
    name,
    async read(piece, onBytes, signal) {
      const bytes = await exchange.ask('host', piece, signal);
      signal?.throwIfAborted();
      if (!bytes)
        throw new Error('The host could not pass on a part of the model; it may have left.');
      onBytes(bytes.length);
      return bytes;
    },
  };
}
