import { afterEach, describe, expect, it } from 'vitest';
import {
  sendPart,
  startHandler,
  steppedBytes,
  type Handler,
  type HandlerServer,
} from './fixtures/handler-server.ts';
import type { FileVersion } from './file-version.ts';
import type { HttpLimits } from './asking/limits.ts';
import { maxWholeBytes, readRange, type RangeOfFile } from './read-range.ts';

const file = steppedBytes(200_000);
const quick: Partial<HttpLimits> = { silenceMs: 600, pauseMs: 5, busyMs: 4000 };

let server: HandlerServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function read(
  handler: Handler,
  range: { offset: number; length: number },
  more: Partial<RangeOfFile> = {},
): Promise<Uint8Array> {
  server = await startHandler(handler);
  return readRange({
    url: `${server.url}m/f.bin`,
    name: 'm/f.bin',
    version: { bytes: null, etag: null },
    limits: quick,
    ...range,
    ...more,
  });
}

const eight = { offset: 131_072, length: 8 };
const zeros = new Uint8Array(8);

describe('a part that stops coming', () => {
  it('is gone on with from the byte reached', async () => {
    let requests = 0;
    const bytes = await read(
      (response, range) => {
        if (requests++ > 0 || !range) {
          sendPart(response, file, range);
          return;
        }
        response.writeHead(206, {
          'Content-Length': 100_000,
          'Content-Range': `bytes ${range.first}-${range.last}/200000`,
        });
        response.write(file.subarray(range.first, range.first + 70_000));
      },
      { offset: 1000, length: 100_000 },
    );
    expect(bytes).toEqual(file.subarray(1000, 101_000));
    expect(server?.requests[1]).toBe('GET /m/f.bin bytes=71000-100999');
  });

  it('is given up after several tries that bring next to nothing', async () => {
    const failing = read(
      (response, range) => {
        const { first = 0, last = 0 } = range ?? {};
        response.writeHead(206, {
          'Content-Length': last - first + 1,
          'Content-Range': `bytes ${first}-${last}/200000`,
        });
        response.write(file.subarray(first, first + 10));
      },
      { offset: 0, length: 1000 },
    );
    await expect(failing).rejects.toThrow(
      /^m\/f\.bin could not be fetched: 127\.0\.0\.1:\d+ sent nothing for 0\.6 s\. Check this device's connection\.$/,
    );
    expect(server?.requests).toHaveLength(4);
    expect(server?.requests.at(-1)).toBe('GET /m/f.bin bytes=30-999');
  });

  it('is given up where even the headers never come', async () => {
    const failing = read(() => undefined, eight);
    await expect(failing).rejects.toThrow(/^m\/f\.bin could not be fetched: .* sent nothing for/);
    expect(server?.requests).toHaveLength(4);
  });

  it('is waited for as long as it comes slowly but steadily', async () => {
    const bytes = await read(
      (response, range) => {
        response.writeHead(206, { 'Content-Length': 10 });
        let at = range?.first ?? 0;
        const timer = setInterval(() => {
          response.write(file.subarray(at, ++at));
          if (at === 10) clearInterval(timer);
        }, 60);
      },
      { offset: 0, length: 10 },
    );
    expect(bytes).toEqual(file.subarray(0, 10));
    expect(server?.requests).toHaveLength(1);
  });

  it('ends at once when the signal aborts, in silence or in a pause', async () => {
    for (const status of [206, 503]) {
      const stopping = new AbortController();
      const failing = read(
        (response) => {
          response.writeHead(status, { 'Retry-After': '60', 'Content-Length': 8 });
          if (status === 206) response.write('1234');
          else response.end('overload');
          setTimeout(() => stopping.abort(new Error('stopped by hand')), 50);
        },
        eight,
        { signal: stopping.signal, limits: { silenceMs: 60_000 } },
      );
      const beganMs = performance.now();
      await expect(failing).rejects.toThrow('stopped by hand');
      expect(performance.now() - beganMs).toBeLessThan(1000);
      await server?.close();
    }
    server = undefined;
  });
});

describe('an answer of another range', () => {
  const other = (contentRange: string, from: number, length = 8, type?: string): Handler => {
    return (response) => {
      response.writeHead(206, {
        'Content-Range': contentRange,
        ...(type !== undefined && { 'Content-Type': type }),
      });
      response.end(file.subarray(from, from + length));
    };
  };

  it.each([
    ['begins elsewhere', other('bytes 130560-130567/200000', 130_560)],
    ['is longer', other('bytes 131072-131087/200000', 131_072, 16)],
    ['begins earlier and ends rightly', other('bytes 131064-131079/200000', 131_064, 16)],
    ['brings more than it says', other('bytes 131072-131075/200000', 131_072)],
    ['says no range', other('bytes */200000', 130_560)],
    ['counts in another unit', other('items 131072-131079/200000', 131_072)],
    [
      'has several parts',
      other('bytes 131072-131079/200000', 131_072, 8, 'multipart/byteranges; boundary=x'),
    ],
  ])('that %s is not used, and refused by name after some tries', async (_, handler) => {
    await expect(read(handler, eight)).rejects.toThrow(
      /^m\/f\.bin could not be fetched: the server sent (.*131072 to 131079|several parts|more bytes)/,
    );
    expect(server?.requests).toHaveLength(4);
  });

  it('is asked for again, and used once it is right', async () => {
    let requests = 0;
    const bytes = await read((response, range, request) => {
      if (requests++ === 0) other('bytes 130560-130567/200000', 130_560)(response, range, request);
      else sendPart(response, file, range);
    }, eight);
    expect(bytes).toEqual(zeros);
  });

  it('that is shorter than asked is used, and the rest asked for', async () => {
    const bytes = await read(
      (response, range) => {
        const { first = 0, last = 0 } = range ?? {};
        sendPart(response, file, { first, last: Math.min(last, first + 2) });
      },
      { offset: 255, length: 8 },
    );
    expect(bytes).toEqual(file.subarray(255, 263));
    expect(server?.requests).toHaveLength(3);
  });

  it('is accepted where the header cannot be read', async () => {
    const bytes = await read((response, range) => {
      response.writeHead(206).end(file.subarray(range?.first, (range?.last ?? 0) + 1));
    }, eight);
    expect(bytes).toEqual(zeros);
  });
});

describe('a stated length that lies', () => {
  it.each([
    ['smaller', 4],
    ['larger', 100],
  ])('does no harm: %s', async (_, stated) => {
    let requests = 0;
    const bytes = await read((response, range) => {
      if (requests++ > 0 || !range) {
        sendPart(response, file, range);
        return;
      }
      response.writeHead(206, { 'Content-Length': stated });
      response.write(file.subarray(range.first, range.last + 1), () => response.destroy());
    }, eight);
    expect(bytes).toEqual(zeros);
  });
});

describe('a file that was replaced', () => {
  const replaced = /^m\/f\.bin could not be fetched: the file was replaced on its server/;

  it('is known by its length, within a range and between ranges', async () => {
    const handler: Handler = (response, range) =>
      sendPart(response, file.subarray(0, 199_999), range);
    const version: FileVersion = { bytes: 200_000, etag: null };
    await expect(read(handler, eight, { version })).rejects.toThrow(replaced);
    expect(server?.requests).toHaveLength(4);
  });

  it('is known by its tag, and no byte of it is put behind those of the old one', async () => {
    let requests = 0;
    const handler: Handler = (response, range) => {
      const isOld = requests++ === 0;
      if (!isOld || !range) {
        sendPart(response, new Uint8Array(200_000).fill(7), range, { ETag: '"new"' });
        return;
      }
      response.writeHead(206, { 'Content-Length': 1000, ETag: '"old"' });
      response.write(file.subarray(0, 500), () => setTimeout(() => response.destroy(), 30));
    };
    await expect(read(handler, { offset: 0, length: 1000 })).rejects.toThrow(replaced);
  });

  it('is not seen in weak tags, which servers make of single parts', async () => {
    let requests = 0;
    const handler: Handler = (response, range) => {
      sendPart(response, file, range && { ...range, last: range.first + 3 }, {
        ETag: `W/"${requests++}"`,
      });
    };
    expect(await read(handler, eight)).toEqual(zeros);
  });
});

describe('a busy server', () => {
  const busyUntil = (ms: number, status: number, headers: Record<string, string>): Handler => {
    const untilMs = performance.now() + ms;
    return (response, range) => {
      if (performance.now() > untilMs) sendPart(response, file, range);
      else response.writeHead(status, headers).end();
    };
  };

  it.each([
    [429, { 'Retry-After': '1' }],
    [503, { 'Retry-After': '1' }],
    [403, { 'Retry-After': '1' }],
    [502, { 'Retry-After': '1' }],
    [429, {}],
    [503, {}],
    [429, { 'Retry-After': 'nonsense' }],
  ] as [number, Record<string, string>][])(
    'that answers %i %j is asked again after a second',
    async (status, headers) => {
      const beganMs = performance.now();
      expect(await read(busyUntil(900, status, headers), eight)).toEqual(zeros);
      expect(performance.now() - beganMs).toBeGreaterThan(950);
      expect(server?.requests).toHaveLength(2);
    },
  );

  it('is waited for by all that read from it together', async () => {
    const busy = busyUntil(900, 429, { 'Retry-After': '1' });
    const first = read(busy, eight);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const url = `${server?.url ?? ''}m/f.bin`;
    const version = { bytes: null, etag: null };
    const others = Array.from({ length: 8 }, () =>
      readRange({ url, name: 'f', version, limits: quick, ...eight }),
    );
    expect(await Promise.all([first, ...others])).toEqual(Array.from({ length: 9 }, () => zeros));
    expect(server?.requests).toHaveLength(10);
  });

  it('is given up when it stays busy, with the time that it asks for', async () => {
    const handler: Handler = (response) => {
      response.writeHead(429, { 'Retry-After': '600' }).end();
    };
    const failing = read(handler, eight, { limits: { ...quick, busyMs: 300 } });
    await expect(failing).rejects.toThrow(
      /^m\/f\.bin could not be fetched: 127\.0\.0\.1:\d+ is busy \(429\)\. Try again in 10 minutes\.$/,
    );
    expect(server?.requests).toHaveLength(2);
  });
});

describe('a server without ranges', () => {
  it('is left as soon as the range has come', async () => {
    let sent = 0;
    const bytes = await read(
      (response) => {
        response.writeHead(200);
        const send = (): void => {
          sent += 65_536;
          if (!response.destroyed) response.write(new Uint8Array(65_536), () => setImmediate(send));
        };
        send();
      },
      { offset: 1_000_000, length: 8 },
    );
    expect(bytes).toEqual(zeros);
    expect(sent).toBeLessThan(16 << 20);
  });

  it('is refused for a range far inside of a file', async () => {
    const handler: Handler = (response) => {
      response.writeHead(200).write(new Uint8Array(1000));
    };
    await expect(read(handler, { offset: maxWholeBytes, length: 8 })).rejects.toThrow(
      'm/f.bin could not be fetched: the server sends only whole files, not parts of it. Use a server that answers range requests.',
    );
  });
});
