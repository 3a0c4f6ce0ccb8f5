/**
 * What a server's answers said about a file, so that bytes of a replaced file are never mixed with those of
 * the old one.
 */
import type { Answer } from './asking/ask.ts';
import { TryFailed } from './asking/failure.ts';

export interface FileVersion {
  /** Length of the whole file; null until it is known. */
  bytes: number | null;
  /** The strong entity tag; null until one could be read. A page may be unable to read it from another origin. */
  etag: string | null;
}

/**
 * Notes what the answer says of the file. Throws TryFailed if an earlier answer was of another file. The request itself
 * cannot name the version (`If-Range`): browsers send that header to another origin only where it is allowed.
 */
export function checkVersion(version: FileVersion, answer: Answer, total: number | null): void {
  const etag = strongTag(answer);
  if (total !== null && version.bytes !== null && total !== version.bytes)
    throw new TryFailed({
      kind: 'wrong',
      because: `the file was replaced on its server: it has ${total} bytes where ${version.bytes} were expected`,
    });
  if (etag !== null && version.etag !== null && etag !== version.etag)
    throw new TryFailed({
      kind: 'wrong',
      because: 'the file was replaced on its server while it was read',
    });
  version.bytes ??= total;
  version.etag ??= etag;
}

/** Only strong tags tell that bytes are the same (RFC 9110, 8.8.1). Servers make weak ones of single parts. */
function strongTag({ headers }: Answer): string | null {
  const tag = headers.get('etag')?.trim() ?? '';
  // A compressed answer may have a tag of its own.
  if (headers.has('content-encoding')) return null;
  return /^"[\x21\x23-\x7e]{1,200}"$/.test(tag) ? tag : null;
}
