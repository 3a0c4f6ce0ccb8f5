/**
 * Which device keeps the pieces of which layers, and the hashes of those pieces. The manifest of a model that was cut into
 * shards has the hashes. For a model straight from a hub, a device that fetched a layer over TLS tells them, and the host
 * checks one of them at the hub itself.
 */
import type { Manifest } from '../../../model/manifest.ts';
import type { PieceOrigin } from '../../../store/piece-origin.ts';
import { sha256Hex } from '../../../store/read-manifest.ts';
import { pieceName, piecesOfLayer, type Piece } from '../../../store/layer-pieces.ts';

export interface LayerSources {
  layer: number;
  devices: string[];
  /** Of the layer's pieces in order; empty while they are not known. */
  sha256: string[];
}

export interface PieceTracker {
  /** A device keeps this layer; `sha256` are the hashes of its pieces as that device has them. */
  keeps(deviceId: string, layer: number, sha256: readonly string[]): void;
  left(deviceId: string): void;
  /** The devices that the host itself can ask for the piece. */
  holdersOf(piece: Piece): { devices: string[]; sha256: string | null };
  /** The model's piece at this place, with the hash that is known of it; undefined where there is none. */
  pieceAt(place: Omit<Piece, 'sha256'>): Piece | undefined;
  /**
   * Whether the known hash of the piece is the model's: it stands in the manifest, or the source has bytes of that hash.
   * The device that told a false one is accused. Rejects where the source cannot be read.
   */
  isTrueHash(piece: Piece): Promise<boolean>;
  /** What a device needs to know to fetch these layers from others. */
  sourcesOf(layers: readonly number[], asker: string): LayerSources[];
}

export interface PieceTrackerOptions {
  manifest: Manifest;
  /** The host's own way to the model's source. */
  outside: PieceOrigin;
  /** The device told a hash that the source does not bear out. */
  onFalseAccusation: (deviceId: string) => void;
}

export function createPieceTracker({
  manifest,
  outside,
  onFalseAccusation,
}: PieceTrackerOptions): PieceTracker {
  const keepers = new Map<number, Set<string>>();
  /** Hash and who told it, by the piece's name. */
  const told = new Map<string, { sha256: string; by: string }>();
  const checked = new Set<string>();
  const byName = new Map<string, { piece: Piece; layer: number }>();
  for (const layer of manifest.layers.keys())
    for (const piece of piecesOfLayer(manifest, layer))
      byName.set(pieceName(piece), { piece, layer });

  function hashOf(piece: Piece): string | null {
    return piece.sha256 ?? told.get(pieceName(piece))?.sha256 ?? null;
  }

  /** Of each device one hash is checked. That finds a liar out, and fetches little twice. */
  async function spotCheck(deviceId: string, pieces: Piece[]): Promise<void> {
    if (deviceId === 'host' || checked.has(deviceId)) return;
    checked.add(deviceId);
    await isTrueHash(pieces[Math.floor(Math.random() * pieces.length)]);
  }

  async function isTrueHash(piece: Piece): Promise<boolean> {
    const claim = told.get(pieceName(piece));
    if (!claim || claim.by === 'host') return hashOf(piece) !== null;
    const bytes = await outside.read(piece, () => undefined);
    if ((await sha256Hex(bytes)) === claim.sha256) return true;
    forget(claim.by);
    onFalseAccusation(claim.by);
    return false;
  }

  function forget(deviceId: string): void {
    for (const devices of keepers.values()) devices.delete(deviceId);
    for (const [name, { by }] of told) if (by === deviceId) told.delete(name);
  }

  return {
    keeps(deviceId, layer, sha256) {
      const pieces = piecesOfLayer(manifest, layer);
      if (pieces.length !== sha256.length && pieces.some((piece) => piece.sha256 === null)) return;
      const fresh = pieces.filter((piece, index) => {
        if (hashOf(piece) !== null) return false;
        told.set(pieceName(piece), { sha256: sha256[index], by: deviceId });
        return true;
      });
      const agrees = pieces.every(
        (piece, index) => piece.sha256 !== null || hashOf(piece) === sha256[index],
      );
      // Where two devices disagree, the first counts: what was checked against the source stays.
      if (!agrees) return;
      const devices = keepers.get(layer) ?? new Set();
      keepers.set(layer, devices.add(deviceId));
      if (fresh.length > 0) spotCheck(deviceId, fresh).catch(() => undefined);
    },
    left(deviceId) {
      for (const devices of keepers.values()) devices.delete(deviceId);
      checked.delete(deviceId);
    },
    holdersOf(piece) {
      const layer = byName.get(pieceName(piece))?.layer;
      const devices = layer === undefined ? [] : [...(keepers.get(layer) ?? [])];
      return { devices: devices.filter((device) => device !== 'host'), sha256: hashOf(piece) };
    },
    pieceAt(place) {
      const piece = byName.get(pieceName(place))?.piece;
      return piece && { ...piece, sha256: hashOf(piece) };
    },
    isTrueHash,
    sourcesOf: (layers, asker) =>
      layers.map((layer) => {
        const hashes = piecesOfLayer(manifest, layer).map(hashOf);
        return {
          layer,
          devices: [...(keepers.get(layer) ?? [])].filter((device) => device !== asker),
          sha256:
            hashes.filter((hash) => hash !== null).length === hashes.length
              ? hashes.map(String)
              : [],
        };
      }),
  };
}
