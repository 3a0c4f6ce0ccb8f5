/** A tiny model's manifest, and its bytes where the manifest says that they are. */
import type { TinyModel } from '../../src/engine/fixtures/tiny-model.ts';
import { tinyManifest } from '../../src/model/fixtures/tiny-manifest.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import type { PieceOrigin } from '../../src/store/piece-origin.ts';

export function tinyShards(model: TinyModel): { manifest: Manifest; origin: PieceOrigin } {
  const drawn = tinyManifest(model.config);
  const [{ path, bytes }] = drawn.files;
  const manifest: Manifest = { ...drawn, files: [{ path, bytes }] };
  const file = new Uint8Array(bytes);
  for (const [index, row] of manifest.rows.entries())
    for (const tensor of model.row(index)) {
      const place = row.tensors.find(({ name }) => name === tensor.name);
      const { buffer, byteOffset, byteLength } = tensor.data;
      if (place) file.set(new Uint8Array(buffer, byteOffset, byteLength), place.offset);
    }
  return {
    manifest,
    origin: {
      name: 'tiny',
      read(piece, onBytes) {
        onBytes(piece.bytes);
        return Promise.resolve(file.slice(piece.offset, piece.offset + piece.bytes));
      },
    },
  };
}
