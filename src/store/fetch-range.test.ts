import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchRange } from './fetch-range.ts';
import {
  breakAfter,
  patternBytes,
  startFileServer,
  type FileServer,
} from './fixtures/file-server.ts';

const file = patternBytes(300_000);
let server: FileServer;

beforeEach(async () => {
  server = await startFileServer();
  server.files.set('models/tiny/layer-0.bin', file);
});
afterEach(() => server.close());

function request(offset: number, length: number) {
  return { url: `${server.url}models/tiny/layer-0.bin`, offset, length };
}

describe('fetchRange', () => {
  it('brings the bytes of the range and asks for no others', async () => {
    expect(await fetchRange(request(1000, 200_000))).toEqual(file.slice(1000, 201_000));
    expect(server.requests).toEqual(['models/tiny/layer-0.bin bytes=1000-200999']);
  });

  it('reports every byte once', async () => {
    let reported = 0;
    await fetchRange({ ...request(5, 250_000), onBytes: (count) => (reported += count) });
    expect(reported).toBe(250_000);
  });

  it('goes on from where a connection broke', async () => {
    server.instead.push(breakAfter(file, 100_000));
    let reported = 0;
    const bytes = await fetchRange({
      ...request(1000, 200_000),
      onBytes: (count) => (reported += count),
    });
    expect(bytes).toEqual(file.slice(1000, 201_000));
    expect(reported).toBe(200_000);
    expect(server.requests).toHaveLength(2);
    const [, first] = /bytes=(\d+)-200999$/.exec(server.requests[1]) ?? [];
    // The network decides how much of the first answer arrived before the break.
    expect(Number(first)).toBeGreaterThan(1000);
    expect(Number(first)).toBeLessThanOrEqual(101_000);
  });

  it('goes on for as long as every connection brings something', async () => {
    for (let breaks = 0; breaks < 8; breaks++) server.instead.push(breakAfter(file, 20_000));
    expect(await fetchRange(request(0, 300_000))).toEqual(file);
    expect(server.requests).toHaveLength(9);
  });

  it('gives up after several connections that bring nothing, and says what to check', async () => {
    server.instead.push(...Array.from({ length: 4 }, () => breakAfter(file, 0)));
    await expect(fetchRange(request(0, 1000))).rejects.toThrow(
      /^tiny\/layer-0\.bin could not be fetched: .*Check this device's connection\.$/,
    );
    expect(server.requests).toHaveLength(4);
  });

  it('tries again when the server is overwhelmed', async () => {
    server.instead.push((_, response) => response.writeHead(503).end());
    expect(await fetchRange(request(0, 1000))).toEqual(file.slice(0, 1000));
    expect(server.requests).toHaveLength(2);
  });

  it('takes what it needs of a whole file when the server knows no ranges', async () => {
    server.knowsRanges = false;
    let reported = 0;
    const bytes = await fetchRange({
      ...request(123_456, 100_000),
      onBytes: (count) => (reported += count),
    });
    expect(bytes).toEqual(file.slice(123_456, 223_456));
    expect(reported).toBe(100_000);
  });

  it.each([
    ['starts', 400_000, 10],
    ['ends', 299_990, 20],
  ])('says so when the file ends before the range %s', async (_, offset, length) => {
    await expect(fetchRange(request(offset, length))).rejects.toThrow(
      "tiny/layer-0.bin does not have the size that the model's manifest states.",
    );
  });

  it('says so when a server without ranges has too short a file', async () => {
    server.knowsRanges = false;
    await expect(fetchRange(request(299_990, 20))).rejects.toThrow(
      /does not have the size that the model's manifest states/,
    );
  });

  it('says so when more bytes come than were asked for', async () => {
    server.instead.push((_, response) => response.writeHead(206).end(file.subarray(0, 2000)));
    await expect(fetchRange(request(0, 1000))).rejects.toThrow(
      /does not have the size that the model's manifest states/,
    );
  });

  it('does not ask again for a file that is not there', async () => {
    const url = `${server.url}models/tiny/layer-9.bin`;
    await expect(fetchRange({ url, offset: 0, length: 10 })).rejects.toThrow(
      'tiny/layer-9.bin could not be fetched: the server answered 404.',
    );
    expect(server.requests).toHaveLength(1);
  });

  it('ends when it is told to', async () => {
    const stopping = new AbortController();
    server.instead.push((_, response) => {
      response.writeHead(206, { 'Content-Length': 1000 });
      response.write(file.subarray(0, 10), () => stopping.abort());
    });
    await expect(
      fetchRange({ ...request(0, 1000), signal: stopping.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(server.requests).toHaveLength(1);
  });

  it('asks a busy server again when it says, and says why it gave up in one sentence', async () => {
    const beganMs = performance.now();
    for (let busy = 0; busy < 2; busy++)
      server.instead.push((_, response) => response.writeHead(429, { 'Retry-After': '1' }).end());
    expect(await fetchRange(request(0, 1000))).toEqual(file.slice(0, 1000));
    expect(performance.now() - beganMs).toBeGreaterThan(1900);
    expect(server.requests).toHaveLength(3);
    server.instead.push((_, response) => response.writeHead(429, { 'Retry-After': '90' }).end());
    server.instead.push((_, response) => response.writeHead(429, { 'Retry-After': '90' }).end());
    const failing = fetchRange({ ...request(0, 1000), limits: { busyMs: 50 } });
    await expect(failing).rejects.toThrow(
      /^tiny\/layer-0\.bin could not be fetched: 127\.0\.0\.1:\d+ is busy \(429\)\. Try again in 90 s\.$/,
    );
  });

  it('gives up a server that sends ten bytes and then nothing', async () => {
    const stall = (_: unknown, response: ServerResponse): void => {
      response.writeHead(206, { 'Content-Length': 1000 }).write(file.subarray(0, 10));
    };
    server.instead.push(stall, stall, stall, stall);
    const failing = fetchRange({ ...request(0, 1000), limits: { silenceMs: 100, pauseMs: 1 } });
    await expect(failing).rejects.toThrow(
      /^tiny\/layer-0\.bin could not be fetched: .*sent nothing/,
    );
  });

  it('uses no bytes of another range or of another version of the file', async () => {
    const send = (contentRange: string, etag: string) => (_: unknown, response: ServerResponse) => {
      response.writeHead(206, { 'Content-Range': contentRange, ETag: etag });
      response.end(file.subarray(0, 8));
    };
    const limits = { pauseMs: 1 };
    const elsewhere = send('bytes 130560-130567/300000', '"a"');
    server.instead.push(elsewhere, elsewhere, elsewhere, elsewhere);
    await expect(fetchRange({ ...request(131_072, 8), limits })).rejects.toThrow(
      'tiny/layer-0.bin could not be fetched: the server sent bytes 130560 to 130567 where bytes 131072 to 131079 were asked for.',
    );
    const version = { bytes: null, etag: null };
    server.instead.push(send('bytes 0-7/300000', '"a"'));
    await fetchRange({ ...request(0, 8), version });
    for (const replaced of [send('bytes 0-7/300000', '"b"'), send('bytes 0-7/300001', '"a"')]) {
      server.instead.push(replaced, replaced, replaced, replaced);
      await expect(fetchRange({ ...request(0, 8), version, limits })).rejects.toThrow(
        /^tiny\/layer-0\.bin could not be fetched: the file was replaced on its server/,
      );
    }
  });
});
