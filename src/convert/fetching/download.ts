/** Downloads one file to disk. A broken download is resumed; the hash is checked at the end. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { errorMessage } from '../../base/error-message.ts';
import { ask, type Answer } from '../../base/http/asking/ask.ts';
import { TryFailed } from '../../base/http/asking/failure.ts';
import { pause } from '../../base/pause.ts';
import { refusalOf } from '../../base/http/asking/refusal.ts';
import { shownAddress } from '../../base/http/shown-address.ts';

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

/** A busy server is not waited for any longer than this at a time, whatever it asks for. */
const longestPauseMs = 120_000;

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
      `the file from ${shownAddress(urls[0])} does not have the promised hash and was removed: try again`,
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
    let busyMs = 0;
    for (const url of urls)
      try {
        await fetchRest(url, partial, options);
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        failure = error;
        busyMs = Math.max(busyMs, busyMsOf(error));
      }
    const isFruitful = ((await sizeOf(partial)) ?? 0) > before;
    const ownMs = isFruitful ? 0 : 500 * 2 ** fruitless;
    if (isFruitful) fruitless = -1;
    await pause(Math.max(ownMs, Math.min(busyMs, longestPauseMs)), options.signal);
  }
  const said = `the download of ${urls.map(shownAddress).join(' or ')} failed ${attempts} times in a row`;
  throw new Error(`${said}: ${errorMessage(failure)}`, { cause: failure });
}

/** What a busy server asks for; 0 for any other failure. */
function busyMsOf(error: unknown): number {
  if (!(error instanceof TryFailed) || error.fault.kind !== 'busy') return 0;
  return error.fault.waitMs ?? 0;
}

/** Appends the bytes that `partial` lacks. */
async function fetchRest(
  url: string,
  partial: string,
  { onProgress, signal, stallMs = 30_000 }: DownloadOptions,
): Promise<void> {
  const have = (await sizeOf(partial)) ?? 0;
  const headers: Record<string, string> = have > 0 ? { Range: `bytes=${have}-` } : {};
  const answer = await ask(url, { headers, signal, silenceMs: stallMs });
  try {
    const { status } = answer;
    if (status === 416 && isComplete(answer, have)) return;
    if (status === 416) await rm(partial, { force: true });
    if (status !== 200 && status !== 206)
      throw refusalOf({ url, name: shownAddress(url), signal }, answer);
    const start = status === 206 ? resumedAt(answer) : 0;
    if (start > have) throw new Error(`the server went on at byte ${start} instead of ${have}`);
    await append(answer, partial, start, onProgress);
  } finally {
    answer.close();
  }
}

async function append(
  answer: Answer,
  partial: string,
  start: number,
  onProgress: DownloadOptions['onProgress'],
): Promise<void> {
  const total = start + Number(answer.headers.get('content-length') ?? 0);
  const file = await open(partial, start === 0 ? 'w' : 'r+');
  let bytes = start;
  try {
    for (let part = await answer.next(); part !== null; part = await answer.next()) {
      await file.write(part, 0, part.byteLength, bytes);
      bytes += part.byteLength;
      onProgress?.(bytes, Math.max(total, bytes));
    }
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
  if (bytes < total) throw new Error(`the connection ended after ${bytes} of ${total} bytes`);
}

function resumedAt({ headers }: Answer): number {
  const range = headers.get('content-range') ?? '';
  const start = /^bytes (\d+)-/.exec(range)?.[1];
  if (start === undefined)
    throw new Error(`the server sent a part without saying which (content-range "${range}")`);
  return Number(start);
}

/** True if the server refused a range that begins at the end of the file: nothing is missing. */
function isComplete({ headers }: Answer, have: number): boolean {
  return headers.get('content-range') === `bytes */${have}`;
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
