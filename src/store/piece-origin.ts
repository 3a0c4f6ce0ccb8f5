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

export interface HttpOriginOptions {
  /** Sent only to that server; null without one. */
  accessToken?: string | null;
  /** Such as `?signature=…`: added to every file's address. */
  query?: string;
}

/** Files below an address of a server. */
export function httpOrigin(
  manifest: Manifest,
  baseUrl: string,
  { accessToken = null, query = '' }: HttpOriginOptions = {},
): PieceOrigin {
  // Pieces without hashes show no other sign that they are of different files.
  const versions = manifest.files.map(({ bytes, etag = null }) => ({ bytes, etag }));
  return {
    name: baseUrl,
    read: ({ file, offset, bytes, sha256 }, onBytes, signal) =>
      fetchRange({
        url: new URL(manifest.files[file].path, baseUrl).href + query,
        offset,
        length: bytes,
        onBytes,
        accessToken,
        version: sha256 === null ? versions[file] : { bytes: versions[file].bytes, etag: null },
        ...(signal && { signal }),
      }),
  };
}

/** Bytes that can be read by range, such as a file that a person picked. */
export interface RangeSource {
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** One source for each of the manifest's files, in order. `name` distinguishes this model from others. */
export function sourcesOrigin(name: string, sources: readonly RangeSource[]): PieceOrigin {
  return {
    name,
    async read({ file, offset, bytes }, onBytes, signal) {
      signal?.throwIfAborted();
      const data = await sources[file].read(offset, bytes, signal);
      onBytes(data.byteLength);
      return data;
    },
  };
}
