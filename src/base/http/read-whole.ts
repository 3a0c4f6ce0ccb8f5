/** Reads a whole file from a server, and goes on from the byte reached after a broken connection. */
import { ask, type Answer } from './ask.ts';
import { FetchFailure, TryFailed } from './failure.ts';
import { checkVersion, type FileVersion } from './file-version.ts';
import type { HttpRequest } from './limits.ts';
import { persist } from './persist.ts';
import { checkPart, wholeLength } from './read-range.ts';
import { refusalOf } from './refusal.ts';

export interface WholeFile extends HttpRequest {
  /** A longer file is refused. */
  maxBytes: number;
  cache?: RequestCache;
  /** Bytes so far and in all; the total is 0 if the server does not state it. */
  onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

export interface WholeAnswer {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of the first answer. */
  headers: Headers;
}

/** @throws FetchFailure that names the file: it is refused, missing, too long, replaced, or does not come */
export async function readWhole(request: WholeFile): Promise<WholeAnswer> {
  const { maxBytes, onProgress } = request;
  const version: FileVersion = { bytes: null, etag: null };
  let parts: Uint8Array<ArrayBuffer>[] = [];
  let have = 0;
  let first: Headers | null = null;
  await persist(request, async (onBytes, { silenceMs }) => {
    const answer = await askForRest(request, have, silenceMs);
    try {
      if (answer.status === 206) checkRest(version, answer, have);
      else if (answer.status === 200) {
        checkVersion(version, answer, wholeLength(answer));
        [parts, have] = [[], 0];
      } else if (answer.status === 416 && have > 0 && have === (version.bytes ?? have)) return;
      else throw refusalOf(request, answer);
      first ??= answer.headers;
      for (let part = await answer.next(); part !== null; part = await answer.next()) {
        parts.push(part);
        have += part.length;
        if (have > maxBytes) throw tooLong(request);
        onBytes(part.length);
        onProgress?.(have, version.bytes ?? 0);
      }
      if (version.bytes !== null && have < version.bytes)
        throw new TryFailed({ kind: 'broken', because: 'the connection ended early' });
    } finally {
      answer.close();
    }
  });
  return { bytes: joined(parts, have), headers: first ?? new Headers() };
}

/** Asks for the whole at first, which may come compressed. What comes after it may not. */
function askForRest(
  { url, headers = {}, signal, cache }: WholeFile,
  have: number,
  silenceMs: number,
): Promise<Answer> {
  const range: Record<string, string> = have > 0 ? { Range: `bytes=${have}-` } : {};
  return ask(url, { headers: { ...headers, ...range }, signal, silenceMs, ...(cache && { cache }) });
}

function checkRest(version: FileVersion, answer: Answer, have: number): void {
  checkPart(version, answer, have, Number.MAX_SAFE_INTEGER);
}

function tooLong({ name, maxBytes }: WholeFile): FetchFailure {
  return new FetchFailure('size', `${name} has more than the ${maxBytes} bytes that are expected.`);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
