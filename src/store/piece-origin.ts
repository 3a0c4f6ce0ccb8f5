/** Sources of pieces that this device does not keep. */
import type { Manifest } from '../model/manifest.ts';
import { fetchRange } from './fetch-range.ts';
import type { Piece } from './layer-pieces.ts';

export interface PieceOrigin {
  /** Distinguishes this model's pieces from others'; without spaces. */
  name: string;
  /**
   * Exactly the piece's bytes, not yet checked. Throws one sentence that names the file if they are not
   * available.
   */
  read(
    piece: Piece,
    onBytes: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** Files below an address of a server; `accessToken` is sent only to that server. */
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

/** Bytes that can be read by range, such as a file that a person picked. */
export interface RangeSource {
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** One source for each of the manifest's files, in order. `name` distinguishes this model from others. */
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
