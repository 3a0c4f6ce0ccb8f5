/** A file on a server, read by range requests. */
import type { HttpLimits } from '../../base/http/asking/limits.ts';
import { openHttpFile } from '../../base/http/open-file.ts';
import { shownAddress } from '../../base/http/shown-address.ts';
import { checkRange, type ByteSource } from './byte-source.ts';

export interface HttpSourceOptions {
  /** Ends opening and reading at once. */
  signal?: AbortSignal | undefined;
  limits?: Partial<HttpLimits> | undefined;
}

/**
 * A server without ranges will do for small files.
 *
 * @param headers sent with every request, e.g. an access token
 * @returns null if the server has no such file
 * @throws Error that says what the server answered and what can be done
 */
export async function openHttpSource(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  options: HttpSourceOptions = {},
): Promise<ByteSource | null> {
  const file = await openHttpFile({ url, name: shownAddress(url), headers, ...options });
  if (!file) return null;
  const { bytes, etag } = file;
  return {
    bytes,
    ...(etag !== null && { etag }),
    read: async (offset, length, signal) => {
      checkRange(offset, length, bytes);
      return length === 0 ? new Uint8Array() : file.read(offset, length, signal);
    },
  };
}
