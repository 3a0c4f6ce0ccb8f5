/**
 * Reads the ONNX Runtime WebAssembly binary (14–27 MB), and keeps it in IndexedDB like a model's pieces. Its
 * key is the content-hashed address from the build, so a newer build never runs an older binary.
 */
import { FetchFailure } from '../base/http/asking/failure.ts';
import { readWhole } from '../base/http/read-whole.ts';
import type { PieceCache } from './piece-cache.ts';

const keyPrefix = 'runtime:';

/** The largest binary has some 30 MB. */
const maxBytes = 256 << 20;

/**
 * The bytes of the binary at `url`. Progress is in uncompressed bytes; the total is 0 if the server does not
 * state it.
 */
export async function readRuntimeBinary(
  url: string,
  cache: PieceCache,
  onProgress?: (bytesLoaded: number, bytesTotal: number) => void,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  const { href, pathname } = new URL(url, location.href);
  const key = keyPrefix + pathname;
  const kept = await cache.get(key);
  if (kept) return kept.bytes.buffer;
  const bytes = await download(href, onProgress, signal);
  await dropOlder(cache, key);
  await cache.put(key, { bytes, sha256: null });
  return bytes.buffer;
}

async function download(
  url: string,
  onProgress?: (bytesLoaded: number, bytesTotal: number) => void,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = 'The part of the app that computes (ONNX Runtime)';
  try {
    return (await readWhole({ url, name, maxBytes, onProgress, signal })).bytes;
  } catch (error) {
    const isRefused = error instanceof FetchFailure && /missing|refused/.test(error.kind);
    if (!isRefused) throw error;
    throw new Error(`${error.message} Reload the page.`, { cause: error });
  }
}

/** Removes a binary of the same kind from an older build. */
async function dropOlder(cache: PieceCache, key: string): Promise<void> {
  const kind = withoutHash(key);
  for (const old of await cache.keys())
    if (old !== key && old.startsWith(keyPrefix) && withoutHash(old) === kind)
      await cache.remove(old);
}

function withoutHash(key: string): string {
  return key.replace(/-[\w-]{8}\.wasm$/, '.wasm');
}
