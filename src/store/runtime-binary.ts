/**
 * Reads the ONNX Runtime WebAssembly binary (14–27 MB), and keeps it in IndexedDB like a model's pieces. Its
 * key is the content-hashed address from the build, so a newer build never runs an older binary.
 */
import type { PieceCache } from './piece-cache.ts';

const keyPrefix = 'runtime:';

/**
 * The bytes of the binary at `url`. Progress is in uncompressed bytes; the total is 0 if the server does not
 * state it.
 */
export async function readRuntimeBinary(
  url: string,
  cache: PieceCache,
  onProgress?: (bytesLoaded: number, bytesTotal: number) => void,
): Promise<ArrayBuffer> {
  const key = keyPrefix + new URL(url, location.href).pathname;
  const kept = await cache.get(key);
  if (kept) return kept.bytes.buffer;
  const bytes = await download(url, onProgress);
  await dropOlder(cache, key);
  await cache.put(key, { bytes, sha256: null });
  return bytes.buffer;
}

async function download(
  url: string,
  onProgress?: (bytesLoaded: number, bytesTotal: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok || !response.body)
    throw new Error(
      `The part of the app that computes (ONNX Runtime) could not be fetched: the server answered ${response.status}. Reload the page.`,
    );
  // The Content-Length of a compressed answer counts the compressed bytes.
  const encoded = response.headers.get('Content-Encoding') !== null;
  const total = encoded ? 0 : Number(response.headers.get('Content-Length') ?? 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  for await (const part of response.body) {
    parts.push(part);
    loaded += part.length;
    onProgress?.(loaded, total);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
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
