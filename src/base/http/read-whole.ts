/** Reads a whole file from a server, and goes on from the byte reached after a broken connection. */
import { ask, type Answer } from './asking/ask.ts';
import { FetchFailure, TryFailed } from './asking/failure.ts';
import { checkVersion, type FileVersion } from './file-version.ts';
import type { HttpRequest } from './asking/limits.ts';
import { persist } from './asking/persist.ts';
import { checkPart, wholeLength } from './read-range.ts';
import { refusalOf } from './asking/refusal.ts';

export interface WholeFile extends HttpRequest {
  /** A longer file is refused. */
  maxBytes: number;
  cache?: RequestCache;
  /** Bytes so far and in all; the total is 0 if the server does not state it. */
  onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

export interface WholeAnswer {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of the last answer. */
  headers: Headers;
}

/** @throws FetchFailure that names the file: it is refused, missing, too long, replaced, or does not come */
export async function readWhole(request: WholeFile): Promise<WholeAnswer> {
  const { maxBytes, onProgress } = request;
  const version: FileVersion = { bytes: null, etag: null };
  let body = createBody();
  let have = 0;
  let furthest = 0;
  let headers = new Headers();
  await persist(request, async (onBytes, { silenceMs }) => {
    const answer = await askForRest(request, have, silenceMs);
    try {
      let total: number | null = null;
      if (answer.status === 206)
        total = checkPart(version, answer, have, Number.MAX_SAFE_INTEGER)?.total ?? null;
      else if (answer.status === 200) {
        checkVersion(version, answer, wholeLength(answer));
        [body, have] = [createBody(), 0];
      } else if (answer.status === 416 && have > 0 && have === (version.bytes ?? have)) return;
      else throw refusalOf(request, answer);
      if (version.bytes !== null && version.bytes > maxBytes) throw tooLong(request);
      headers = answer.headers;
      for (let part = await answer.next(); part !== null; part = await answer.next()) {
        have += part.length;
        if (have > maxBytes) throw tooLong(request);
        body.add(part, version.bytes);
        // Bytes that came before, in a try that began anew, bring reading no further.
        onBytes(Math.max(0, have - furthest));
        furthest = Math.max(furthest, have);
        onProgress?.(have, version.bytes ?? 0);
      }
      // A whole answer may have been compressed, so that the length it states is another one.
      if (total !== null && have < total)
        throw new TryFailed({ kind: 'broken', because: 'the connection ended early' });
    } finally {
      answer.close();
    }
  });
  return { bytes: body.bytes(), headers };
}

/** Asks for the whole at first, which may come compressed. What comes after it may not. */
function askForRest(
  { url, headers = {}, signal, cache }: WholeFile,
  have: number,
  silenceMs: number,
): Promise<Answer> {
  const range: Record<string, string> = have > 0 ? { Range: `bytes=${have}-` } : {};
  return ask(url, {
    headers: { ...headers, ...range },
    signal,
    silenceMs,
    ...(cache && { cache }),
  });
}

function tooLong({ name, maxBytes }: WholeFile): FetchFailure {
  return new FetchFailure('size', `${name} has more than the ${maxBytes} bytes that are expected.`);
}

interface Body {
  /** @param total bytes of the whole body; null if they are not known */
  add(part: Uint8Array<ArrayBuffer>, total: number | null): void;
  bytes(): Uint8Array<ArrayBuffer>;
}

/** Grows by doubling where the length is not known, so that no more than twice its bytes are held. */
function createBody(): Body {
  let buffer = new Uint8Array(0);
  let have = 0;
  return {
    add(part, total) {
      const needed = have + part.length;
      if (needed > buffer.length) {
        const isKnown = total !== null && total >= needed;
        const larger = new Uint8Array(Math.max(needed, isKnown ? total : 2 * buffer.length));
        larger.set(buffer.subarray(0, have));
        buffer = larger;
      }
      buffer.set(part, have);
      have = needed;
    },
    bytes: () => (have === buffer.length ? buffer : buffer.slice(0, have)),
  };
}
