/** What the host told of where the rows lie in the room. */
import type { Manifest } from '../../../model/manifest.ts';
import { pieceName, piecesOfRow, type Piece } from '../../../store/row-pieces.ts';
import type { HostMessage } from '../../protocol/control-messages.ts';

export interface RowSourcesBook {
  learn(message: Extract<HostMessage, { kind: 'row-sources' }>): void;
  /** Devices that keep the piece, and its hash; null where nobody knows it. */
  of(piece: Piece): { devices: readonly string[]; sha256: string | null };
}

export function createRowSources(manifest: Manifest): RowSourcesBook {
  const known = new Map<string, { devices: readonly string[]; sha256: string | null }>();
  return {
    learn({ row, devices, sha256 }) {
      if (row >= manifest.rows.length)
        throw new Error(`the host told of row ${row}, which this model does not have`);
      piecesOfRow(manifest, row).forEach((piece, index) => {
        known.set(pieceName(piece), { devices, sha256: piece.sha256 ?? sha256.at(index) ?? null });
      });
    },
    of: (piece) => known.get(pieceName(piece)) ?? { devices: [], sha256: piece.sha256 },
  };
}
