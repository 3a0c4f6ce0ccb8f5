/** Fetches a byte range of a model's file, whose size the model's manifest states. */
import { FetchFailure } from '../base/http/asking/failure.ts';
import type { FileVersion } from '../base/http/file-version.ts';
import type { HttpLimits } from '../base/http/asking/limits.ts';
import { readRange } from '../base/http/read-range.ts';
import { shownFile } from '../base/http/shown-address.ts';

export interface RangeRequest {
  url: string;
  offset: number;
  length: number;
  accessToken?: string | null;
  /** What is known of the file; the same object for all of its ranges, so that none is of a replaced file. */
  version?: FileVersion;
  /** Called with the number of bytes of each network read. */
  onBytes?: (count: number) => void;
  signal?: AbortSignal;
  limits?: Partial<HttpLimits>;
}

/**
 * The bytes `[offset, offset + length)`. It also takes a plain 200 answer from a server without ranges.
 * Throws one sentence that names the file if the server refuses, if the file is too short or was replaced, or
 * if the connection breaks or is silent several times without a byte in between.
 */
export async function fetchRange(request: RangeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { url, offset, length, accessToken = null, onBytes, signal, limits } = request;
  const { version = { bytes: null, etag: null } } = request;
  const name = shownFile(url);
  try {
    const headers: Record<string, string> =
      accessToken === null ? {} : { Authorization: `Bearer ${accessToken}` };
    return await readRange({
      url,
      name,
      offset,
      length,
      headers,
      version,
      onBytes,
      signal,
      limits,
    });
  } catch (error) {
    if (!(error instanceof FetchFailure) || error.kind !== 'size') throw error;
    throw new Error(`${name} does not have the size that the model's manifest states.`, {
      cause: error,
    });
  }
}
