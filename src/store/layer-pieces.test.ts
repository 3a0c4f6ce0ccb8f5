import { describe, expect, it } from 'vitest';
import { tinyManifest } from '../model/fixtures/tiny-manifest.ts';
import { pieceBytes, type Manifest, type ManifestTensor } from '../model/manifest.ts';
import { shardModel } from './fixtures/shard-model.ts';
import { pieceName, piecesOfFile, piecesOfLayer, storedBytes } from './layer-pieces.ts';

const { manifest: hashed } = shardModel({ hashed: true });
const { manifest: plain } = shardModel({ hashed: false });
const tiedBytes = hashed.files[0].bytes;

describe('piecesOfLayer', () => {
  it('takes whole pieces, with their hashes, of a file that has them', () => {
    expect(piecesOfLayer(hashed, 0)).toEqual(
      [0, 1, 2].map((index) => ({
        file: 0,
        offset: index * pieceBytes,
        bytes: Math.min(pieceBytes, tiedBytes - index * pieceBytes),
        sha256: hashed.files[0].pieceSha256?.[index],
      })),
    );
  });

  it('takes exactly what a layer needs of a file without hashes', () => {
    const [{ bytes }] = plain.layers[0].tensors;
    const pieces = piecesOfLayer(plain, 0);
    expect(pieces[0]).toEqual({ file: 0, offset: 0, bytes: pieceBytes, sha256: null });
    expect(pieces.reduce((sum, piece) => sum + piece.bytes, 0)).toBe(bytes);
  });

  it('gives a piece that several tensors lie in once', () => {
    const names = piecesOfLayer(hashed, 1).map(pieceName);
    expect(names).toEqual([`1:0+${hashed.files[1].bytes}`]);
  });

  it('joins tensors that touch and leaves out what lies between others', () => {
    const manifest = manifestWith([
      { offset: 300, bytes: 100 },
      { offset: 0, bytes: 100 },
      { offset: 100, bytes: 50 },
    ]);
    expect(piecesOfLayer(manifest, 0).map(({ offset, bytes }) => [offset, bytes])).toEqual([
      [0, 150],
      [300, 100],
    ]);
  });
});

describe('piecesOfFile', () => {
  it.each([
    ['with hashes', hashed],
    ['without', plain],
  ])('covers the file without a gap, %s', (_, manifest) => {
    let end = 0;
    for (const { offset, bytes } of piecesOfFile(manifest, 0)) {
      expect(offset).toBe(end);
      end += bytes;
    }
    expect(end).toBe(tiedBytes);
  });
});

describe('storedBytes', () => {
  it('counts what two layers share once', () => {
    expect(storedBytes(hashed, [0, 3])).toBe(tiedBytes);
    expect(storedBytes(hashed, [0])).toBe(tiedBytes);
    expect(storedBytes(hashed, [1, 2])).toBe(hashed.files[1].bytes + hashed.files[2].bytes);
    expect(storedBytes(hashed, [])).toBe(0);
  });
});

function manifestWith(ranges: Pick<ManifestTensor, 'offset' | 'bytes'>[]): Manifest {
  const manifest = tinyManifest();
  const [tensor] = manifest.layers[0].tensors;
  return {
    ...manifest,
    files: [{ path: 'model.safetensors', bytes: 1000 }],
    layers: [{ name: 'embed', kind: 'embed', tensors: ranges.map((at) => ({ ...tensor, ...at })) }],
  };
}
