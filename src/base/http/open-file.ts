/** Opens a file on a server for reading by range. A server without ranges will do for small files. */
import { ask, type Answer } from './asking/ask.ts';
import { FetchFailure, TryFailed } from './asking/failure.ts';
import { checkVersion, type FileVersion } from './file-version.ts';
import type { HttpRequest } from './asking/limits.ts';
import { persist } from './asking/persist.ts';
import {
  askForPart,
  checkPart,
  hasEnded,
  maxWholeBytes,
  readRange,
  tooMany,
  wholeLength,
  wholeOnly,
} from './read-range.ts';
import { readWhole } from './read-whole.ts';
import { isMissingFile, refusalOf } from './asking/refusal.ts';
import { isWebPage } from './web-page.ts';

/** Bytes asked for first, so that small files and headers need no second request. */
const firstBytes = 64 * 1024;

export interface HttpFile {
  /** Length of the whole. */
  bytes: number;
  /** The strong entity tag, by which a replaced file is known; null if there is none to read. */
  etag: string | null;
  /** Exactly `length` bytes from `offset`, which lie in the file. Throws FetchFailure that names the file. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Null if the server has no such file, or answers with a web page instead.
 *
 * @throws FetchFailure that names the file, and says what the server answered and what can be done
 */
export async function openHttpFile(request: HttpRequest): Promise<HttpFile | null> {
  const version: FileVersion = { bytes: null, etag: null };
  const start = new Uint8Array(firstBytes);
  let have = 0;
  const found = await persist(request, async (onBytes, { silenceMs }) => {
    const answer = await askForPart(request, have, firstBytes - 1, silenceMs);
    try {
      if (answer.status === 206) {
        await readStart(answer, version, start, have, (count) => {
          have += count;
          onBytes(count);
        });
        return isWebPage(answer.headers, start.subarray(0, have)) ? null : 'part';
      }
      if (answer.status === 200) return await takeWhole(request, answer, version);
      // The bytes that came before the connection broke were the whole file.
      if (answer.status === 416) return have > 0 ? 'part' : new Uint8Array();
      if (isMissingFile(answer)) return null;
      throw refusalOf(request, answer);
    } finally {
      answer.close();
    }
  });
  if (found === null) return null;
  if (typeof found === 'number') {
    const { bytes: data } = await readWhole({ ...request, maxBytes: found });
    return memoryFile(data, version);
  }
  if (found !== 'part') return memoryFile(found, version);
  const bytes = version.bytes ?? (await askLength(request, have));
  version.bytes = bytes;
  return partsFile(request, version, bytes, start.slice(0, have));
}

/** Fills `start` from `have` on. */
async function readStart(
  answer: Answer,
  version: FileVersion,
  start: Uint8Array<ArrayBuffer>,
  have: number,
  onBytes: (count: number) => void,
): Promise<void> {
  const total = checkPart(version, answer, have, firstBytes - 1)?.total ?? null;
  const end = Math.min(firstBytes, total ?? firstBytes);
  let at = have;
  for (let part = await answer.next(); part !== null; part = await answer.next()) {
    if (at + part.length > end) throw tooMany();
    start.set(part, at);
    at += part.length;
    onBytes(part.length);
    if (at < firstBytes) continue;
    if (!(await hasEnded(answer))) throw tooMany();
    return;
  }
  if (total !== null && at < end)
    throw new TryFailed({ kind: 'broken', because: 'the connection ended early' });
}

/**
 * Null for a web page. A number is the length of a file that was not kept, since it came without a length and
 * may have had any: it can be read once more, into memory of that size.
 */
async function takeWhole(
  request: HttpRequest,
  answer: Answer,
  version: FileVersion,
): Promise<Uint8Array<ArrayBuffer> | number | null> {
  const length = wholeLength(answer);
  checkVersion(version, answer, length);
  if (length !== null && length > maxWholeBytes) throw wholeOnly(request, length);
  const kept = new Uint8Array(length ?? mostKeptBytes);
  let bytes = 0;
  for (let part = await answer.next(); part !== null; part = await answer.next()) {
    if (bytes === 0 && isWebPage(answer.headers, part)) return null;
    if (bytes + part.length > maxWholeBytes) throw wholeOnly(request, length);
    if (bytes + part.length <= kept.length) kept.set(part, bytes);
    bytes += part.length;
  }
  if (bytes > kept.length) return bytes;
  return bytes === kept.length ? kept : kept.slice(0, bytes);
}

/** Bytes kept of an answer that does not say how long it is. */
const mostKeptBytes = 8 << 20;

function memoryFile(data: Uint8Array<ArrayBuffer>, { etag }: FileVersion): HttpFile {
  return {
    bytes: data.length,
    etag,
    read: (offset, length) => Promise.resolve(data.slice(offset, offset + length)),
  };
}

function partsFile(
  request: HttpRequest,
  version: FileVersion,
  bytes: number,
  start: Uint8Array<ArrayBuffer>,
): HttpFile {
  return {
    bytes,
    etag: version.etag,
    read: async (offset, length, signal = request.signal) =>
      offset + length <= start.length
        ? start.slice(offset, offset + length)
        : readRange({ ...request, signal, offset, length, version }),
  };
}

/**
 * The length of a file whose parts do not show it: a page may be unable to read `content-range` from another
 * origin, where it can read `content-length`. Signed addresses often refuse HEAD, so GET is tried then.
 *
 * @param came bytes that have come, as many as were asked for or all there are
 */
async function askLength(request: HttpRequest, came: number): Promise<number> {
  for (const method of ['HEAD', 'GET'] as const) {
    const length = await persist(request, async (_, { silenceMs }) => {
      const { url, headers = {}, signal } = request;
      const answer = await ask(url, { method, headers, signal, silenceMs });
      answer.close();
      if (answer.status === 429 || answer.status === 503) throw refusalOf(request, answer);
      return answer.status === 200 ? wholeLength(answer) : null;
    });
    if (length !== null && length >= came) return length;
  }
  if (came < firstBytes) return came;
  throw new FetchFailure(
    'wrong',
    `${request.name} could not be opened: the server does not say how long the file is. Take it from another server.`,
  );
}
