import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendPart, startHandler } from '../../base/http/fixtures/handler-server.ts';
import { download } from './download.ts';
import {
  startRangeServer,
  type RangeServer,
  type RangeServerOptions,
} from '../fixtures/range-server.ts';

const data = randomBytes(300_000);
const integrity = `sha512-${createHash('sha512').update(data).digest('base64')}`;
let folder = '';
let server: RangeServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'));
});
afterEach(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

async function serve(options: RangeServerOptions = {}, body: Uint8Array = data): Promise<string> {
  server = await startRangeServer(new Map([['/file', body]]), options);
  return `${server.origin}/file`;
}

describe('download', () => {
  it('fetches a file and reports how far it is', async () => {
    const url = await serve();
    const seen: [number, number][] = [];
    const onProgress = (bytes: number, total: number) => seen.push([bytes, total]);
    await download([url], join(folder, 'file'), { integrity, onProgress });
    expect(await readFile(join(folder, 'file'))).toEqual(data);
    expect(seen.at(-1)).toEqual([300_000, 300_000]);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('goes on where the connection broke', async () => {
    const url = await serve({ breakAfter: [100_000, 50_000] });
    await download([url], join(folder, 'file'), { integrity });
    expect(await readFile(join(folder, 'file'))).toEqual(data);
    expect(server?.requests.length).toBe(3);
    // The network decides how much of a broken answer arrives. We must not ask for it again.
    expect(server?.requests.at(-1)).toMatch(/bytes=[1-9]\d*-/);
  });

  it('goes on where an earlier call stopped', async () => {
    const url = await serve();
    await writeFile(join(folder, 'file.partial'), data.subarray(0, 299_000));
    await download([url], join(folder, 'file'), { integrity });
    expect(await readFile(join(folder, 'file'))).toEqual(data);
    expect(server?.requests).toEqual(['/file bytes=299000-']);
  });

  it('notices that nothing is missing', async () => {
    const url = await serve();
    await writeFile(join(folder, 'file.partial'), data);
    await download([url], join(folder, 'file'), { integrity });
    await download([url], join(folder, 'file'), { integrity });
    expect(server?.requests).toEqual(['/file bytes=300000-']);
  });

  it('starts over with a server that has no ranges', async () => {
    const url = await serve({ ignoreRanges: true });
    await writeFile(join(folder, 'file.partial'), randomBytes(299_000));
    await download([url], join(folder, 'file'), { integrity });
    expect(await readFile(join(folder, 'file'))).toEqual(data);
  });

  it('takes the next address when the first has nothing', async () => {
    const url = await serve();
    await download([`${url}-missing`, url], join(folder, 'file'), { integrity });
    expect(await readFile(join(folder, 'file'))).toEqual(data);
  });

  it('waits for a busy server, and asks again where the headers never come', async () => {
    let requests = 0;
    const odd = await startHandler((response, range) => {
      requests++;
      if (requests === 1) response.writeHead(429, { 'Retry-After': '1' }).end();
      else if (requests > 2) sendPart(response, data, range);
    });
    const beganMs = performance.now();
    const options = { integrity, stallMs: 100 };
    await download([`${odd.url}file`], join(folder, 'file'), options);
    expect(await readFile(join(folder, 'file'))).toEqual(data);
    expect(requests).toBe(3);
    expect(performance.now() - beganMs).toBeGreaterThan(1950);
    await odd.close();
  });

  it('keeps nothing of a file that is not the one promised', async () => {
    const url = await serve({}, randomBytes(1000));
    const failing = download([url], join(folder, 'file'), { integrity });
    await expect(failing).rejects.toThrow(/does not have the promised hash/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('can be stopped, and keeps what came for the next time', async () => {
    const url = await serve();
    const abort = new AbortController();
    const failing = download([url], join(folder, 'file'), {
      integrity,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('stopped')),
    });
    await expect(failing).rejects.toThrow('stopped');
    expect(await readdir(folder)).toEqual(['file.partial']);
  });
});
