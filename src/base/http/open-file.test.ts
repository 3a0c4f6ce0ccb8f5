import { afterEach, describe, expect, it } from 'vitest';
import {
  sendPart,
  startHandler,
  steppedBytes,
  type Handler,
  type HandlerServer,
} from './fixtures/handler-server.ts';
import type { HttpLimits } from './asking/limits.ts';
import { openHttpFile, type HttpFile } from './open-file.ts';

const file = steppedBytes(200_000);
const quick: Partial<HttpLimits> = { silenceMs: 600, pauseMs: 5, busyMs: 4000 };

let server: HandlerServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(handler: Handler, limits = quick): Promise<HttpFile | null> {
  server = await startHandler(handler);
  const url = `${server.url}m/f.bin?sig=secret`;
  return openHttpFile({ url, name: 'm/f.bin', limits });
}

async function opened(handler: Handler): Promise<HttpFile> {
  const found = await open(handler);
  if (!found) throw new Error('the file should be there');
  return found;
}

/** Sends so many bytes, or without end, and no length. */
function chunked(bytes: number, onSent: (bytes: number) => void = () => undefined): Handler {
  const chunk = new Uint8Array(256 * 1024);
  return (response) => {
    response.writeHead(200);
    let left = bytes;
    const send = (): void => {
      if (response.destroyed) return;
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      onSent(part.length);
      if (left === 0) response.end(part);
      else response.write(part, send);
    };
    send();
  };
}

describe('a large file that comes whole and without a length', () => {
  const mib = 1 << 20;
  /** Array buffers are part of what is external. */
  const memory = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };

  it.each([
    ['160 MiB', 160 * mib],
    ['no end', Infinity],
  ])('is left after 64 MiB and says why, and fills no memory: %s', async (_, bytes) => {
    let sent = 0;
    const before = memory();
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, memory() - before)), 5);
    const failing = open(
      chunked(bytes, (count) => (sent += count)),
      { silenceMs: 20_000 },
    );
    await expect(failing).rejects.toThrow(
      'm/f.bin could not be fetched: the server sends only whole files, not parts of it. Use a server that answers range requests.',
    );
    clearInterval(watching);
    expect(sent).toBeLessThan(80 * mib);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(80e6);
  });

  it('is refused at once where its length is stated', async () => {
    const failing = open((response) => {
      response.writeHead(200, { 'Content-Length': 160 * mib }).write('begin');
    });
    await expect(failing).rejects.toThrow(/sends only the whole file of 167772160 bytes/);
  });

  it('is read once more where it is too long to keep on suspicion', async () => {
    const large = steppedBytes(20 * mib + 1);
    const found = await opened((response) => {
      response.writeHead(200);
      for (let at = 0; at < large.length; at += mib) response.write(large.subarray(at, at + mib));
      response.end();
    });
    expect(found.bytes).toBe(large.length);
    expect(await found.read(20 * mib - 8, 9)).toEqual(large.subarray(20 * mib - 8));
    expect(server?.requests).toHaveLength(2);
  });

  it('is taken where it is small', async () => {
    const found = await opened((response) => response.end(file));
    expect(found.bytes).toBe(200_000);
    expect(await found.read(131_000, 200)).toEqual(file.subarray(131_000, 131_200));
    expect(server?.requests).toHaveLength(1);
  });

  it('is begun again where the connection broke', async () => {
    let requests = 0;
    const found = await opened((response) => {
      response.writeHead(200, { 'Content-Length': file.length });
      if (requests++ > 0) response.end(file);
      else response.write(file.subarray(0, 99), () => setTimeout(() => response.destroy(), 20));
    });
    expect(await found.read(0, 200_000)).toEqual(file);
  });
});

describe('opening', () => {
  it('goes on from the byte reached where the answer stops coming', async () => {
    let requests = 0;
    const found = await opened((response, range) => {
      if (requests++ > 0 || !range) {
        sendPart(response, file, range);
        return;
      }
      response.writeHead(206, { 'Content-Range': `bytes 0-65535/200000` });
      response.write(file.subarray(0, 10_000));
    });
    expect(await found.read(0, 65_536)).toEqual(file.subarray(0, 65_536));
    expect(server?.requests).toEqual([
      'GET /m/f.bin?sig=secret bytes=0-65535',
      'GET /m/f.bin?sig=secret bytes=10000-65535',
    ]);
  });

  it('gives up a server that stalls, and names the file without its signature', async () => {
    const stall: Handler = (response, range) => {
      response.writeHead(206, { 'Content-Range': `bytes ${range?.first ?? 0}-65535/200000` });
      response.write('0123456789');
    };
    const failing = open(stall);
    await expect(failing).rejects.toThrow(/^m\/f\.bin could not be fetched: .* sent nothing for/);
    await expect(failing).rejects.not.toThrow(/secret/);
    expect(server?.requests).toHaveLength(4);
  });

  it('gives up a server that says no length and never answers HEAD', async () => {
    const failing = open((response, range, { method }) => {
      if (method !== 'HEAD') response.writeHead(206).end(file.subarray(0, range?.last));
    });
    await expect(failing).rejects.toThrow(/^m\/f\.bin could not be fetched/);
  });

  it('learns the length by GET where HEAD is refused, as it is by signed addresses', async () => {
    const found = await opened((response, range, { method }) => {
      if (method === 'HEAD') response.writeHead(403).end();
      else if (range) response.writeHead(206).end(file.subarray(range.first, range.last + 1));
      else sendPart(response, file, null);
    });
    expect(found.bytes).toBe(200_000);
  });

  it('takes a file shorter than was asked for, although nothing says its length', async () => {
    const found = await opened((response, range, { method }) => {
      if (method === 'HEAD') response.writeHead(405).end();
      else response.writeHead(range ? 206 : 405).end(range ? file.subarray(0, 1000) : '');
    });
    expect(found.bytes).toBe(1000);
  });

  it('waits for a busy server, as every later read does', async () => {
    let requests = 0;
    const found = await opened((response, range) => {
      if (requests++ % 2 === 0) response.writeHead(429, { 'Retry-After': '1' }).end();
      else sendPart(response, file, range);
    });
    expect(await found.read(131_072, 8)).toEqual(new Uint8Array(8));
    expect(server?.requests).toHaveLength(4);
  });

  it('uses no answer of another range', async () => {
    const found = await opened((response, range) => {
      if (range?.first === 0) sendPart(response, file, range);
      else
        response
          .writeHead(206, { 'Content-Range': 'bytes 130560-130567/200000' })
          .end(file.subarray(130_560, 130_568));
    });
    await expect(found.read(131_072, 8)).rejects.toThrow(/the server sent bytes 130560 to 130567/);
    await server?.close();
    await expect(
      open((response) => {
        response
          .writeHead(206, { 'Content-Range': 'bytes 256-511/200000' })
          .end(file.subarray(0, 256));
      }),
    ).rejects.toThrow(/sent bytes 256 to 511 where bytes 0 to 65535 were asked for/);
  });

  it('sees later that the file was replaced by one of the same length', async () => {
    let tag = '"old"';
    const found = await opened((response, range) => sendPart(response, file, range, { ETag: tag }));
    expect(found.etag).toBe('"old"');
    tag = '"new"';
    await expect(found.read(100_000, 10)).rejects.toThrow(/the file was replaced on its server/);
  });

  it('finds no file where a web page comes instead', async () => {
    const page = '<!doctype html><title>App</title>';
    expect(
      await open((response) => {
        response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
      }),
    ).toBeNull();
    await server?.close();
    const html = { 'Content-Type': 'text/html' };
    expect(await open((response, range) => sendPart(response, file, range, html))).not.toBeNull();
  });

  it('reads on from a server that now sends the whole file', async () => {
    const found = await opened((response, range) =>
      sendPart(response, file, range?.first === 0 ? range : null),
    );
    expect(await found.read(131_072, 8)).toEqual(new Uint8Array(8));
  });

  it('takes compressed answers', async () => {
    const { gzipSync } = await import('node:zlib');
    const found = await opened((response) => {
      const body = gzipSync(file);
      response
        .writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': body.length })
        .end(body);
    });
    expect(await found.read(0, 200_000)).toEqual(file);
  });
});
