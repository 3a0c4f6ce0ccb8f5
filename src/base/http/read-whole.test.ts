import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import {
  sendPart,
  startHandler,
  steppedBytes,
  type Handler,
  type HandlerServer,
} from './fixtures/handler-server.ts';
import { readWhole, type WholeFile } from './read-whole.ts';

const file = steppedBytes(200_000);
let server: HandlerServer | undefined;
afterEach(() => server?.close());

async function read(handler: Handler, more: Partial<WholeFile> = {}): Promise<Uint8Array> {
  server = await startHandler(handler);
  const limits = { silenceMs: 600, pauseMs: 5 };
  const { bytes } = await readWhole({
    url: `${server.url}f.wasm`,
    name: 'f.wasm',
    maxBytes: 1e6,
    limits,
    ...more,
  });
  return bytes;
}

/** Sends the beginning of a whole answer, and then nothing, or an end without the rest. */
const begin =
  (bytes: number, isBroken: boolean): Handler =>
  (response) => {
    response.writeHead(200, { 'Content-Length': file.length });
    response.write(file.subarray(0, bytes), () => {
      if (isBroken) setTimeout(() => response.destroy(), 30);
    });
  };

describe('readWhole', () => {
  it.each([true, false])('goes on from the byte reached, broken %s', async (isBroken) => {
    let requests = 0;
    const progress: number[] = [];
    const bytes = await read(
      (...asked) => {
        if (requests++ === 0) begin(70_000, isBroken)(...asked);
        else sendPart(asked[0], file, asked[1]);
      },
      { onProgress: (count) => progress.push(count) },
    );
    expect(bytes).toEqual(file);
    expect(server?.requests).toEqual(['GET /f.wasm', 'GET /f.wasm bytes=70000-']);
    expect(progress.at(-1)).toBe(200_000);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
  });

  it('begins again where the server knows no ranges', async () => {
    let requests = 0;
    const bytes = await read((...asked) => {
      if (requests++ === 0) begin(70_000, true)(...asked);
      else sendPart(asked[0], file, null);
    });
    expect(bytes).toEqual(file);
  });

  it('gives up a server without ranges that always breaks off at the same byte', async () => {
    await expect(read(begin(70_000, true))).rejects.toThrow(
      /^f\.wasm could not be fetched: .* broke/,
    );
    expect(server?.requests).toHaveLength(5);
  });

  it('puts no part of another file behind what came', async () => {
    let requests = 0;
    const failing = read((...asked) => {
      if (requests++ === 0) begin(70_000, true)(...asked);
      else sendPart(asked[0], new Uint8Array(200_001), asked[1]);
    });
    await expect(failing).rejects.toThrow(/the file was replaced on its server/);
  });

  it('refuses a longer file than is expected, and fills no memory with it', async () => {
    const endless: Handler = (response) => {
      const send = (): void => {
        if (!response.destroyed) response.write(file, send);
      };
      send();
    };
    await expect(read(endless)).rejects.toThrow(
      'f.wasm has more than the 1000000 bytes that are expected.',
    );
  });

  it('takes a compressed answer that is longer than what it holds', async () => {
    const bytes = await read((response) => {
      const body = gzipSync('[]');
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': body.length });
      response.end(body);
    });
    expect(new TextDecoder().decode(bytes)).toBe('[]');
  });

  it('gives up a server that is silent', async () => {
    await expect(read(() => undefined)).rejects.toThrow(
      /^f\.wasm could not be fetched: .* sent nothing/,
    );
  });
});
