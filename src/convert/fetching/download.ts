/** Downloads one file to disk. A broken download is resumed; the hash is checked at the end. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

export interface DownloadOptions {
  /** Subresource integrity of the whole file, `sha512-…` in base64. */
  integrity: string;
  onProgress?: (bytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
  /** A connection that is silent for this long is closed and resumed. */
  stallMs?: number;
}

/** Gives up after this many attempts in a row that brought no bytes. */
const attempts = 5;

/**
 * Downloads into `path` from the first of `urls` that answers. Bytes of a broken connection stay in
 * `path.partial`; the next attempt or call resumes after them.
 *
 * @throws Error when no address answers, or when the file does not have the promised hash; the file is then
 *   removed
 */
export async function download(
  urls: readonly string[],
  path: string,
  options: DownloadOptions,
): Promise<void> {
  if ((await sizeOf(path)) !== null) return;
  const partial = `${path}.partial`;
  await fetchWhole(urls, partial, options);
  if (!(await hasIntegrity(partial, options.integrity))) {
    await rm(partial);
    throw new Error(
      `the file from ${urls[0]} does not have the promised hash and was removed: try again`,
    );
  }
  await rename(partial, path);
}

async function fetchWhole(
  urls: readonly string[],
  partial: string,
  options: DownloadOptions,
): Promise<void> {
  let failure: unknown;
  for (let fruitless = 0; fruitless < attempts; fruitless++) {
    const before = (await sizeOf(partial)) ?? 0;
    for (const url of urls)
      try {
        await fetchRest(url, partial, options);
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        failure = error;
      }
    if (((await sizeOf(partial)) ?? 0) > before) fruitless = -1;
    else await pause(500 * 2 ** fruitless, options.signal);
  }
  const reason = failure instanceof Error ? describe(failure) : String(failure);
  throw new Error(
    `the download of ${urls.join(' or ')} failed ${attempts} times in a row: ${reason}`,
    {
      cause: failure,
    },
  );
}

/** Appends the bytes that `partial` lacks. */
async function fetchRest(
  url: string,
  partial: string,
  { onProgress, signal, stallMs = 30_000 }: DownloadOptions,
): Promise<void> {
  const have = (await sizeOf(partial)) ?? 0;
  const stalled = new AbortController();
  const response = await fetch(url, {
    headers: have > 0 ? { range: `bytes=${have}-` } : {},
    signal: AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]),
  });
  if (response.status === 416 && (await isComplete(response, have))) return;
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    if (response.status === 416) await rm(partial, { force: true });
    throw new Error(`the server answered ${response.status} ${response.statusText}`);
  }
  const start = response.status === 206 ? resumedAt(response) : 0;
  if (start > have) throw new Error(`the server went on at byte ${start} instead of ${have}`);
  const total = start + Number(response.headers.get('content-length') ?? 0);
  const file = await open(partial, start === 0 ? 'w' : 'r+');
  let bytes = start;
  let timer = setTimeout(() => stalled.abort(new Error('the connection fell silent')), stallMs);
  try {
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(new Error('the connection fell silent')), stallMs);
      await file.write(chunk, 0, chunk.byteLength, bytes);
      bytes += chunk.byteLength;
      onProgress?.(bytes, Math.max(total, bytes));
    }
    await file.truncate(bytes);
  } finally {
    clearTimeout(timer);
    await file.close();
  }
  if (bytes < total) throw new Error(`the connection ended after ${bytes} of ${total} bytes`);
}

function resumedAt(response: Response): number {
  const range = response.headers.get('content-range') ?? '';
  const start = /^bytes (\d+)-/.exec(range)?.[1];
  if (start === undefined)
    throw new Error(`the server sent a part without saying which (content-range "${range}")`);
  return Number(start);
}

/** True if the server refused a range that begins at the end of the file: nothing is missing. */
async function isComplete(response: Response, have: number): Promise<boolean> {
  await response.body?.cancel();
  return response.headers.get('content-range') === `bytes */${have}`;
}

async function hasIntegrity(path: string, integrity: string): Promise<boolean> {
  const [algorithm, expected] = integrity.split(/-(.*)/s);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest('base64') === expected;
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
