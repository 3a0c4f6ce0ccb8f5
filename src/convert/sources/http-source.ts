import { checkRange, memorySource, type ByteSource } from './byte-source.ts';

/** Bytes asked for first, so that small files and headers need no second request. */
const firstBytes = 64 * 1024;

/** The largest file taken into memory from a server without ranges, which sends the whole. */
const maxWholeBytes = 64 << 20;

/**
 * A file on a server, read by range requests. A server without ranges will do for small files.
 *
 * @returns null if the server has no such file
 * @throws Error that says what the server answered and what can be done
 */
export async function openHttpSource(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ByteSource | null> {
  const first = await request(url, headers, 0, firstBytes);
  if (first.status === 404) {
    await first.body?.cancel();
    return null;
  }
  if (first.status === 416) {
    await first.body?.cancel();
    return memorySource(new Uint8Array());
  }
  if (!first.ok) throw await refusal(first, url);
  if (first.status !== 206) return wholeSource(first, url);
  const bytes = await lengthOf(first, url, headers);
  const start = await exactly(first, Math.min(firstBytes, bytes), url);
  return {
    bytes,
    read: async (offset, length) => {
      checkRange(offset, length, bytes);
      if (offset + length <= start.byteLength) return start.slice(offset, offset + length);
      if (length === 0) return new Uint8Array();
      return readRange(url, headers, offset, length);
    },
  };
}

/** A page may be unable to read `content-range` from another origin. It can read `content-length`. */
async function lengthOf(
  part: Response,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const stated = /\/(\d+)$/.exec(part.headers.get('content-range') ?? '')?.[1];
  if (stated !== undefined) return Number(stated);
  const { headers: whole } = await fetch(url, { method: 'HEAD', headers });
  const length = Number(whole.get('content-length') ?? NaN);
  if (!Number.isSafeInteger(length)) {
    await part.body?.cancel();
    throw new Error(`${url}: the server does not say how long the file is`);
  }
  return length;
}

/** Pauses between attempts at one range: a broken connection often recovers within seconds. */
const pausesMs = [250, 1000, 4000];

async function readRange(
  url: string,
  headers: Readonly<Record<string, string>>,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  for (const pauseMs of pausesMs) {
    const data = await attempt(url, headers, offset, length);
    if (data) return data;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  const response = await request(url, headers, offset, length);
  if (response.status !== 206) throw await refusal(response, url);
  return exactly(response, length, url);
}

/** Null for a failure that may pass: a broken connection or a busy server. */
async function attempt(
  url: string,
  headers: Readonly<Record<string, string>>,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const response = await request(url, headers, offset, length);
    if (response.status === 206) return await exactly(response, length, url);
    await response.body?.cancel();
    return null;
  } catch {
    return null;
  }
}

function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  offset: number,
  length: number,
): Promise<Response> {
  return fetch(url, { headers: { ...headers, range: `bytes=${offset}-${offset + length - 1}` } });
}

async function wholeSource(response: Response, url: string): Promise<ByteSource> {
  const length = Number(response.headers.get('content-length') ?? 0);
  if (length > maxWholeBytes) {
    await response.body?.cancel();
    throw new Error(
      `${url}: the server sends only the whole file of ${length} bytes, not parts of it; ` +
        'use a server that answers range requests',
    );
  }
  return memorySource(new Uint8Array(await response.arrayBuffer()));
}

async function exactly(
  response: Response,
  length: number,
  url: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = new Uint8Array(await response.arrayBuffer());
  if (data.byteLength !== length)
    throw new Error(`${url}: ${data.byteLength} bytes came where ${length} were asked for`);
  return data;
}

async function refusal(response: Response, url: string): Promise<Error> {
  await response.body?.cancel();
  const { status } = response;
  if (status === 401 || status === 403)
    return new Error(
      `${url} is not open to everyone (${status}): accept the model's terms there and give an ` +
        'access token, or choose another model',
    );
  return new Error(`${url}: the server answered ${status} ${response.statusText}`);
}
