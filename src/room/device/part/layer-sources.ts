/** What the host told of where the layers lie in the room. */
import type { Manifest } from '../../../model/manifest.ts';
import { pieceName, piecesOfLayer, type Piece } from '../../../store/layer-pieces.ts';
import type { HostMessage } from '../../protocol/index.ts';

export interface LayerSources {
  learn(message: Extract<HostMessage, { kind: 'layer-sources' }>): void;
  /** Devices that keep the piece, and its hash; null where nobody knows it. */
  of(piece: Piece): { devices: readonly string[]; sha256: string | null };
}

export function createLayerSources(manifest: Manifest): LayerSources {
  const known = new Map<string, { devices: readonly string[]; sha256: string | null }>();
  return {
    learn({ layer, devices, sha256 }) {
      if (layer >= manifest.layers.length)
        throw new Error(`the host told of layer ${layer}, which this model does not have`);
      piecesOfLayer(manifest, layer).forEach((piece, index) => {
        known.set(pieceName(piece), { devices, sha256: piece.sha256 ?? sha256.at(index) ?? null });
      });
    },
    of: (piece) => known.get(pieceName(piece)) ?? { devices: [], sha256: piece.sha256 },
  };
}
