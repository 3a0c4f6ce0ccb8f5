/**
 * Which bytes a layer consists of: its tensors' byte ranges, gathered into the pieces they are fetched,
 * checked and kept by. A file with hashes is read in whole 4 MiB pieces (a hash covers no less); a
 * file without is read in exactly the ranges that its layers need.
 */
import { pieceBytes, type Manifest, type ManifestTensor } from '../model/manifest.ts';

export interface Piece {
  /** Index into the manifest's files. */
  file: number;
  offset: number;
  bytes: number;
  /** Expected hash; null where the manifest knows none. */
  sha256: string | null;
}

/** The pieces that hold a layer's tensors, each once, in file order. */
export function piecesOfLayer(manifest: Manifest, layer: number): Piece[] {
  const byFile = new Map<number, ManifestTensor[]>();
  for (const tensor of manifest.layers[layer].tensors) {
    const tensors = byFile.get(tensor.file);
    if (tensors) tensors.push(tensor);
    else byFile.set(tensor.file, [tensor]);
  }
  return [...byFile].flatMap(([file, tensors]) =>
    manifest.files[file].pieceSha256
      ? hashedPieces(manifest, file, tensors)
      : exactPieces(file, tensors),
  );
}

/** A whole file in pieces. */
export function piecesOfFile(manifest: Manifest, file: number): Piece[] {
  const whole = [{ offset: 0, bytes: manifest.files[file].bytes }];
  return manifest.files[file].pieceSha256
    ? hashedPieces(manifest, file, whole)
    : exactPieces(file, whole);
}

/** Bytes of the given layers as they are stored, what two layers share counted once. */
export function storedBytes(manifest: Manifest, layers: Iterable<number>): number {
  const pieces = new Map<string, number>();
  for (const layer of layers)
    for (const piece of piecesOfLayer(manifest, layer)) pieces.set(pieceName(piece), piece.bytes);
  return [...pieces.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Tells pieces of one manifest apart. */
export function pieceName(piece: Omit<Piece, 'sha256'>): string {
  return `${piece.file}:${piece.offset}+${piece.bytes}`;
}

type ByteRange = Pick<ManifestTensor, 'offset' | 'bytes'>;

function hashedPieces(manifest: Manifest, file: number, ranges: ByteRange[]): Piece[] {
  const { bytes: fileBytes, pieceSha256 = [] } = manifest.files[file];
  const wanted = new Set<number>();
  for (const { offset, bytes } of ranges) {
    const last = Math.floor((offset + bytes - 1) / pieceBytes);
    for (let index = Math.floor(offset / pieceBytes); index <= last; index++) wanted.add(index);
  }
  return [...wanted]
    .sort((a, b) => a - b)
    .map((index) => ({
      file,
      offset: index * pieceBytes,
      bytes: Math.min(pieceBytes, fileBytes - index * pieceBytes),
      sha256: pieceSha256[index],
    }));
}

function exactPieces(file: number, ranges: ByteRange[]): Piece[] {
  const pieces: Piece[] = [];
  for (const range of mergedRanges(ranges)) {
    for (let offset = range.start; offset < range.end; offset += pieceBytes) {
      const bytes = Math.min(pieceBytes, range.end - offset);
      pieces.push({ file, offset, bytes, sha256: null });
    }
  }
  return pieces;
}

/**
 * Neighbours joined, so that small tensors do not take a request each. A tensor of a piece or more stays
 * apart: where embedding and head are tied, both layers then name its pieces alike.
 */
function mergedRanges(ranges: ByteRange[]): { start: number; end: number }[] {
  const sorted = [...ranges].sort((a, b) => a.offset - b.offset);
  const merged: { start: number; end: number; isLarge: boolean }[] = [];
  for (const { offset, bytes } of sorted) {
    const isLarge = bytes >= pieceBytes;
    const previous = merged.at(-1);
    if (previous && offset === previous.end && !previous.isLarge && !isLarge)
      previous.end = offset + bytes;
    else merged.push({ start: offset, end: offset + bytes, isLarge });
  }
  return merged;
}
