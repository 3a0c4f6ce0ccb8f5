/** Where a piece comes from when this device does not keep it. */
import type { Manifest } from '../model/manifest.ts';
import { fetchRange } from './fetch-range.ts';
import type { Piece } from './layer-pieces.ts';

export interface PieceOrigin {
  /** Tells this model's pieces from those of others; without spaces. */
  name: string;
  /**
   * Exactly the piece's bytes, not yet checked. Throws one sentence that names the file when they
   * cannot be had.
   */
  read(
    piece: Piece,
    onBytes: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** Files that lie below an address of a server; `accessToken` is sent to it, and to nobody else. */
export function httpOrigin(
  manifest: Manifest,
  baseUrl: string,
  accessToken: string | null = null,
): PieceOrigin {
  return {
    name: baseUrl,
    read: ({ file, offset, bytes }, onBytes, signal) =>
      fetchRange({
        url: new URL(manifest.files[file].path, baseUrl).href,
        offset,
        length: bytes,
        onBytes,
        accessToken,
        ...(signal && { signal }),
      }),
  };
}

/** Bytes that can be read by range: a file in a person's hand. */
export interface RangeSource {
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Sources in the order of the manifest's files. `name` tells this model from others. */
export function sourcesOrigin(name: string, sources: readonly RangeSource[]): PieceOrigin {
  return {
    name,
    async read({ file, offset, bytes }, onBytes, signal) {
      signal?.throwIfAborted();
      const data = await sources[file].read(offset, bytes);
      onBytes(data.byteLength);
      return data;
    },
  };
}
