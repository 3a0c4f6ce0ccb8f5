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
});
