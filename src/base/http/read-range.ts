/** Reads a range of a file on a server, and goes on from the byte reached after a broken connection. */
import { ask, type Answer } from './asking/ask.ts';
import { readContentRange, type ContentRange } from './content-range.ts';
import { FetchFailure, TryFailed } from './asking/failure.ts';
import { checkVersion, type FileVersion } from './file-version.ts';
import type { HttpRequest } from './asking/limits.ts';
import { persist } from './asking/persist.ts';
import { refusalOf } from './asking/refusal.ts';

export interface RangeOfFile extends HttpRequest {
  offset: number;
  length: number;
  /** What is known of the file. What the answers say is noted here. */
  version: FileVersion;
  /** Called with the number of bytes of each network read. */
  onBytes?: ((count: number) => void) | undefined;
}

/** What a server without ranges sends is taken, or read over, up to this many bytes. */
export const maxWholeBytes = 64 << 20;

/** How long the end of an answer is waited for whose bytes have all come. */
const endMs = 1000;

/**
 * The bytes `[offset, offset + length)`. A server without ranges will do for the beginning of a file.
 *
 * @throws FetchFailure that names the file: it is refused, too short, replaced, or does not come
 */
export async function readRange(request: RangeOfFile): Promise<Uint8Array<ArrayBuffer>> {
  const { offset, length } = request;
  const bytes = new Uint8Array(length);
  let have = 0;
  if (length === 0) return bytes;
  await persist(request, async (onBytes, { silenceMs }) => {
    const [first, last] = [offset + have, offset + length - 1];
    const answer = await askForPart(request, first, last, silenceMs);
    try {
      const take = partTaker(request, answer, first, last);
      while (have < length) {
        const part = await answer.next();
        if (part === null) throw endedEarly(request, answer);
        const useful = take(part);
        bytes.set(useful, have);
        have += useful.length;
        onBytes(useful.length);
        if (useful.length > 0) request.onBytes?.(useful.length);
      }
      if (answer.status === 206 && !(await hasEnded(answer))) throw wrongSize(request);
    } finally {
      answer.close();
    }
  });
  return bytes;
}

/** Asks for the bytes from `first` to `last`, both inclusive. */
export function askForPart(
  { url, headers, signal }: HttpRequest,
  first: number,
  last: number | null,
  silenceMs: number,
): Promise<Answer> {
  const range = `bytes=${first}-${last ?? ''}`;
  return ask(url, { headers: { ...headers, Range: range }, signal, silenceMs });
}

/** Checks the headers, and returns what cuts the bytes that are of use out of each part of the body. */
function partTaker(
  request: RangeOfFile,
  answer: Answer,
  first: number,
  last: number,
): (part: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> {
  const { status } = answer;
  if (status === 416) throw wrongSize(request);
  if (status === 206) {
    const stated = checkPart(request.version, answer, first, last);
    let left = (stated?.last ?? last) - first + 1;
    return (part) => {
      left -= part.length;
      if (left < 0) throw stated ? tooMany() : wrongSize(request);
      return part;
    };
  }
  if (status !== 200) throw refusalOf(request, answer);
  checkWhole(request, answer, last + 1);
  let skip = first;
  let left = last - first + 1;
  return (part) => {
    const useful = part.subarray(Math.min(skip, part.length)).subarray(0, left);
    skip -= Math.min(skip, part.length);
    left -= useful.length;
    return useful;
  };
}

/**
 * Throws TryFailed unless the answer is of that range of that file. An answer may bring fewer bytes, whose rest
 * is then asked for (RFC 9110, 15.3.7).
 *
 * @returns null where the header is absent, or hidden from a page of another origin
 */
export function checkPart(
  version: FileVersion,
  answer: Answer,
  first: number,
  last: number,
): ContentRange | null {
  const { headers } = answer;
  if (/^multipart\//i.test(headers.get('content-type') ?? ''))
    throw wrong('the server sent several parts where one was asked for');
  const text = headers.get('content-range');
  if (text === null) {
    checkVersion(version, answer, null);
    return null;
  }
  const range = readContentRange(text);
  const asked = `where bytes ${first} to ${last} were asked for`;
  if (!range)
    throw wrong(
      `the server sent a part without saying rightly which ("${text.slice(0, 60)}") ${asked}`,
    );
  if (range.first !== first || range.last > last)
    throw wrong(`the server sent bytes ${range.first} to ${range.last} ${asked}`);
  checkVersion(version, answer, range.total);
  return range;
}

function checkWhole(request: RangeOfFile, answer: Answer, needed: number): void {
  const length = wholeLength(answer);
  checkVersion(request.version, answer, length);
  if (length !== null && length < needed) throw wrongSize(request);
  if (needed > maxWholeBytes) throw wholeOnly(request, length);
}

/** The length of the file that a 200 answer brings; null if the server does not say, or compresses it. */
export function wholeLength({ headers }: Answer): number | null {
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) && !headers.has('content-encoding') ? Number(text) : null;
}

/** For servers that send only whole files, of which this one is too long. */
export function wholeOnly({ name }: HttpRequest, length: number | null): FetchFailure {
  const whole = length === null ? 'whole files' : `the whole file of ${length} bytes`;
  return new FetchFailure(
    'whole-only',
    `${name} could not be fetched: the server sends only ${whole}, not parts of it. Use a server that answers range requests.`,
  );
}

/** Several answers may end where one connection did. A whole file that ends is no longer than that. */
function endedEarly(request: RangeOfFile, { status }: Answer): Error {
  if (status === 200) return wrongSize(request);
  return new TryFailed({ kind: 'broken', because: 'the connection ended early' });
}

/** False if bytes come after those that were asked for. A connection that breaks now does no harm. */
export async function hasEnded(answer: Answer): Promise<boolean> {
  try {
    const more = await answer.next(endMs);
    return more === null || more.length === 0;
  } catch (error) {
    if (error instanceof TryFailed) return true;
    throw error;
  }
}

function wrongSize({ name }: HttpRequest): FetchFailure {
  return new FetchFailure('size', `${name} does not have the size that was expected.`);
}

export function tooMany(): TryFailed {
  return wrong('the server sent more bytes than were asked for');
}

function wrong(because: string): TryFailed {
  return new TryFailed({ kind: 'wrong', because });
}
