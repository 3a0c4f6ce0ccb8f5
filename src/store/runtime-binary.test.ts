import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patternBytes, startFileServer, type FileServer } from './fixtures/file-server.ts';
import { memoryCache } from './fixtures/memory-cache.ts';
import { readRuntimeBinary } from './runtime-binary.ts';

const binary = patternBytes(200_000);
let server: FileServer;

beforeEach(async () => {
  server = await startFileServer();
  server.files.set('assets/ort-wasm-abcd1234.wasm', binary);
  vi.stubGlobal('location', new URL(server.url));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.close();
});

describe('readRuntimeBinary', () => {
  it('fetches the binary, and not a second time', async () => {
    const cache = memoryCache();
    const progress: [number, number][] = [];
    const url = '/assets/ort-wasm-abcd1234.wasm';
    const fetchUrl = new URL(url, server.url).href;
    const first = await readRuntimeBinary(fetchUrl, cache, (...at) => progress.push(at));
    expect(new Uint8Array(first)).toEqual(binary);
    expect(progress.at(-1)).toEqual([binary.length, binary.length]);
    expect(new Uint8Array(await readRuntimeBinary(fetchUrl, cache))).toEqual(binary);
    expect(server.requests).toHaveLength(1);
  });

  it("puts a newer build's binary in place of the older one's, and leaves others alone", async () => {
    const cache = memoryCache();
    server.files.set('assets/ort-wasm-wxyz9876.wasm', binary);
    server.files.set('assets/ort-webgpu-abcd1234.wasm', binary);
    for (const name of ['ort-wasm-abcd1234', 'ort-webgpu-abcd1234', 'ort-wasm-wxyz9876'])
      await readRuntimeBinary(`${server.url}assets/${name}.wasm`, cache);
    expect([...cache.entries.keys()]).toEqual([
      'runtime:/assets/ort-webgpu-abcd1234.wasm',
      'runtime:/assets/ort-wasm-wxyz9876.wasm',
    ]);
  });

  it('goes on from the byte reached where the connection broke', async () => {
    server.instead.push((_, response) => {
      response.writeHead(200, { 'Content-Length': binary.length });
      response.write(binary.subarray(0, 1000), () => setTimeout(() => response.destroy(), 30));
    });
    const url = `${server.url}assets/ort-wasm-abcd1234.wasm`;
    expect(new Uint8Array(await readRuntimeBinary(url, memoryCache()))).toEqual(binary);
    expect(server.requests[1]).toBe('assets/ort-wasm-abcd1234.wasm bytes=1000-');
  });

  it('ends at once when it is told to', async () => {
    const stopping = new AbortController();
    server.instead.push(() => stopping.abort(new Error('stopped by hand')));
    const url = `${server.url}assets/ort-wasm-abcd1234.wasm`;
    await expect(readRuntimeBinary(url, memoryCache(), undefined, stopping.signal)).rejects.toThrow(
      'stopped by hand',
    );
  });

  it('keeps nothing of a binary that did not come', async () => {
    const cache = memoryCache();
    await expect(readRuntimeBinary(`${server.url}assets/gone.wasm`, cache)).rejects.toThrow(
      'The part of the app that computes (ONNX Runtime) could not be fetched: the server answered 404. Reload the page.',
    );
    const refuse = (_: unknown, response: ServerResponse): void => void response.destroy();
    server.instead.push(refuse, refuse, refuse, refuse);
    await expect(
      readRuntimeBinary(`${server.url}assets/ort-wasm-abcd1234.wasm`, cache),
    ).rejects.toThrow(
      /^The part of the app that computes \(ONNX Runtime\) could not be fetched: .* cannot be reached\. Check this device's connection\.$/,
    );
    expect(cache.entries.size).toBe(0);
  });
});
