import { afterEach, describe, expect, it } from 'vitest';
import {
  startRangeServer,
  type RangeServer,
  type RangeServerOptions,
} from '../fixtures/range-server.ts';
import { openHttpSource } from './http-source.ts';

const data = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251);
let server: RangeServer;
afterEach(() => server.close());

async function open(options: RangeServerOptions = {}, body = data) {
  server = await startRangeServer(new Map([['/file', body]]), options);
  const source = await openHttpSource(`${server.origin}/file`);
  if (!source) throw new Error('the file should be there');
  return source;
}

describe('openHttpSource', () => {
  it('learns the length and the first bytes with one request', async () => {
    const source = await open();
    expect(source.bytes).toBe(200_000);
    expect(await source.read(0, 1000)).toEqual(data.slice(0, 1000));
    expect(server.requests).toEqual(['/file bytes=0-65535']);
  });

  it('asks for exactly the range that is read', async () => {
    const source = await open();
    expect(await source.read(100_000, 5)).toEqual(data.slice(100_000, 100_005));
    expect(server.requests.at(-1)).toBe('/file bytes=100000-100004');
    await expect(source.read(199_999, 2)).rejects.toThrow(
      /199999 to 200001 were asked of its 200000/,
    );
  });

  it('takes a small file whole from a server without ranges', async () => {
    const source = await open({ ignoreRanges: true });
    expect(await source.read(150_000, 3)).toEqual(data.slice(150_000, 150_003));
  });

  it('finds the length otherwise where the answer does not show it', async () => {
    const source = await open({ hideContentRange: true });
    expect(source.bytes).toBe(200_000);
    expect(await source.read(199_000, 1000)).toEqual(data.slice(199_000));
  });

  it('knows an empty file, and one that is not there', async () => {
    expect((await open({}, new Uint8Array())).bytes).toBe(0);
    expect(await openHttpSource(`${server.origin}/other`)).toBeNull();
  });
});
