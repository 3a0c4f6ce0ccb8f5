/**
 * Reads a layer's tensors, first from the cache in IndexedDB, then from the model's origin. Every piece with
 * a known hash is checked before it is used, wherever it came from. A cached piece that fails is dropped and
 * fetched again.
 */
import { pause } from '../base/pause.ts';
import type { Dtype } from '../model/numbers/dtype.ts';
import type { Manifest } from '../model/manifest.ts';
import { pieceKey } from './kept-models.ts';
import type { PieceCache } from './piece-cache.ts';
import { sha256Hex } from './read-manifest.ts';
import type { PieceOrigin } from './piece-origin.ts';
import { pieceName, piecesOfFile, piecesOfLayer, storedBytes, type Piece } from './layer-pieces.ts';

/** A tensor's bytes in its own buffer, so that it can be transferred to a worker without a copy. */
export interface ShardTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  data: Uint8Array<ArrayBuffer>;
  interleavedRotary?: boolean;
}

export interface ShardReader {
  /** A piece that this device keeps, checked if its hash is known; null if it has none. */
  keptPiece(piece: Piece): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Bytes of layers fetched from outside this device since the reader was created. */
  readonly layerBytesFetched: number;
  /** Hashes of a layer's pieces in order, once the layer has been read; empty before. */
  foundHashes(layer: number): string[];
  /** Whether the cache has every piece of the layer; pieces are checked when they are read. */
  keepsLayer(layer: number): Promise<boolean>;
  /** A whole file, such as the tokenizer. Throws one sentence if the manifest does not list it. */
  readFile(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Fetches the missing pieces of these layers into the cache, one at a time and with long pauses, so that
   * this device and its network are hardly slowed. Ends early if the signal aborts.
   */
  fetchLayers(layers: readonly number[], signal: AbortSignal): Promise<void>;
  /**
   * Reads layers one after the other, and passes each to `use` before it reads the next, so that memory stays
   * near one layer. Throws one sentence that names the file if a piece is not available or not what the
   * manifest promises.
   */
  readLayers(
    layers: readonly number[],
    use: (layer: number, tensors: ShardTensor[]) => Promise<void>,
    onProgress?: (bytesRead: number, bytesTotal: number) => void,
    signal?: AbortSignal,
  ): Promise<void>;
}

/** Pieces read at a time: enough to fill a Wi-Fi link, few enough to keep memory small. */
const parallelReads = 4;

export function createShardReader(
  manifest: Manifest,
  origin: PieceOrigin,
  cache: PieceCache,
): ShardReader {
  let layerBytesFetched = 0;
  /** Hashes by the pieces' names. Other devices can check pieces from this one only by them. */
  const found = new Map<string, string>();

  function keyOf(piece: Piece): string {
    return pieceKey(origin.name, pieceName(piece));
  }

  async function keptPiece(piece: Piece): Promise<Uint8Array<ArrayBuffer> | null> {
    const key = keyOf(piece);
    const kept = await cache.get(key);
    if (!kept) return null;
    const { bytes, sha256 } = kept;
    if (bytes.length === piece.bytes && (await matches(bytes, piece.sha256 ?? sha256))) {
      if (sha256 !== null) found.set(pieceName(piece), sha256);
      return bytes;
    }
    await cache.remove(key);
    return null;
  }

  function countFetched(count: number, isFetched: boolean): void {
    if (isFetched) layerBytesFetched += count;
  }

  async function readPiece(
    piece: Piece,
    onBytes: (count: number, isFetched: boolean) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await keptPiece(piece);
    if (kept) {
      onBytes(piece.bytes, false);
      return kept;
    }
    const bytes = await origin.read(piece, (count) => onBytes(count, true), signal);
    const sha256 = await sha256Hex(bytes);
    if (piece.sha256 !== null && piece.sha256 !== sha256)
      throw new Error(
        `${manifest.files[piece.file].path} is damaged or was changed: its bytes do not match the hash in the model's manifest. Cut or fetch the model again.`,
      );
    found.set(pieceName(piece), sha256);
    await cache.put(keyOf(piece), { bytes, sha256 });
    return bytes;
  }

  return {
    keptPiece,
    foundHashes(layer) {
      const hashes = piecesOfLayer(manifest, layer).map((piece) => found.get(pieceName(piece)));
      return hashes.every((hash) => hash !== undefined) ? hashes : [];
    },
    async keepsLayer(layer) {
      const keys = new Set(await cache.keys());
      return piecesOfLayer(manifest, layer).every((piece) => keys.has(keyOf(piece)));
    },
    get layerBytesFetched() {
      return layerBytesFetched;
    },
    async readFile(path, signal) {
      const file = manifest.files.findIndex((candidate) => candidate.path === path);
      if (file === -1) throw new Error(`The model's manifest lists no file ${path}.`);
      const bytes = new Uint8Array(manifest.files[file].bytes);
      for (const piece of piecesOfFile(manifest, file))
        bytes.set(await readPiece(piece, () => undefined, signal), piece.offset);
      return bytes;
    },
    async fetchLayers(layers, signal) {
      const kept = new Set(await cache.keys());
      for (const piece of layers.flatMap((layer) => piecesOfLayer(manifest, layer))) {
        if (signal.aborted) return;
        if (kept.has(keyOf(piece))) continue;
        kept.add(keyOf(piece));
        const startedMs = performance.now();
        await readPiece(piece, countFetched, signal);
        const pauseMs = (performance.now() - startedMs) * pauseShare;
        await pause(pauseMs, signal).catch(() => undefined);
      }
    },
    async readLayers(layers, use, onProgress, signal) {
      const bytesTotal = storedBytes(manifest, layers);
      let bytesRead = 0;
      const onBytes = (count: number, isFetched: boolean) => {
        countFetched(count, isFetched);
        bytesRead += count;
        onProgress?.(Math.min(bytesRead, bytesTotal), bytesTotal);
      };
      const shared = sharedPieces(manifest, layers);
      for (const layer of adjacentWhereShared(manifest, layers)) {
        const tensors = emptyTensors(manifest, layer);
        await inParallel(piecesOfLayer(manifest, layer), parallelReads, async (piece) => {
          const waiting = shared.get(pieceName(piece));
          const bytes = waiting?.bytes ?? (await readPiece(piece, onBytes, signal));
          if (waiting) {
            waiting.uses--;
            waiting.bytes = waiting.uses > 0 ? bytes : null;
          }
          copyInto(tensors, manifest, layer, piece, bytes);
        });
        await use(layer, tensors);
      }
    },
  };
}

/** Ms of pause for each ms that a background piece took. */
const pauseShare = 3;

async function matches(bytes: Uint8Array<ArrayBuffer>, sha256: string | null): Promise<boolean> {
  return sha256 === null || (await sha256Hex(bytes)) === sha256;
}

/** Pieces that several of the layers need (a tied embedding and head), held until their last use. */
function sharedPieces(
  manifest: Manifest,
  layers: readonly number[],
): Map<string, { uses: number; bytes: Uint8Array<ArrayBuffer> | null }> {
  const uses = new Map<string, number>();
  for (const layer of layers)
    for (const piece of piecesOfLayer(manifest, layer))
      uses.set(pieceName(piece), (uses.get(pieceName(piece)) ?? 0) + 1);
  return new Map(
    [...uses]
      .filter(([, count]) => count > 1)
      .map(([name, count]) => [name, { uses: count, bytes: null }]),
  );
}

/** Orders layers so that those of one file follow each other, and shared pieces are held briefly. */
function adjacentWhereShared(manifest: Manifest, layers: readonly number[]): number[] {
  const firstFile = (layer: number) =>
    Math.min(...manifest.layers[layer].tensors.map((tensor) => tensor.file));
  return [...layers].sort((a, b) => firstFile(a) - firstFile(b) || a - b);
}

function emptyTensors(manifest: Manifest, layer: number): ShardTensor[] {
  return manifest.layers[layer].tensors.map(({ name, dtype, shape, bytes, interleavedRotary }) => ({
    name,
    dtype,
    shape,
    data: new Uint8Array(bytes),
    ...(interleavedRotary !== undefined && { interleavedRotary }),
  }));
}

function copyInto(
  tensors: ShardTensor[],
  manifest: Manifest,
  layer: number,
  piece: Piece,
  bytes: Uint8Array,
): void {
  manifest.layers[layer].tensors.forEach((tensor, index) => {
    if (tensor.file !== piece.file) return;
    const start = Math.max(tensor.offset, piece.offset);
    const end = Math.min(tensor.offset + tensor.bytes, piece.offset + piece.bytes);
    if (start >= end) return;
    tensors[index].data.set(
      bytes.subarray(start - piece.offset, end - piece.offset),
      start - tensor.offset,
    );
  });
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}
