/**
 * Computes the pieces of files that a layer's tensors are in, by which they are fetched, checked and kept. A
 * file with hashes is read in whole 4 MiB pieces, because each hash covers one. A file without hashes is read
 * in exactly the ranges that its layers need.
 */
import { pieceBytes, type Manifest, type ManifestTensor } from '../model/manifest.ts';

export interface Piece {
  /** Index into the manifest's files. */
  file: number;
  offset: number;
  bytes: number;
  /** The expected hash; null if the manifest has none. */
  sha256: string | null;
}

/** The pieces with a layer's tensors, each once, in file order. */
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

/** Stored bytes of the given layers; bytes that two layers share count once. */
export function storedBytes(manifest: Manifest, layers: Iterable<number>): number {
  const pieces = new Map<string, number>();
  for (const layer of layers)
    for (const piece of piecesOfLayer(manifest, layer)) pieces.set(pieceName(piece), piece.bytes);
  return [...pieces.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** A name that is unique among a manifest's pieces. */
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
 * Joins adjacent ranges, so that small tensors need no request each. A tensor of at least a piece stays
 * separate: a tied embedding and head then name its pieces equally.
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
