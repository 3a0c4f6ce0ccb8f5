import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readRange } from '../read-range.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const request = {
  url: 'https://slow.example/m/f.bin',
  name: 'm/f.bin',
  offset: 0,
  length: 10,
  version: { bytes: null, etag: null },
};

describe('the usual deadline', () => {
  it('gives a server up that is silent for some 20 s, four times', async () => {
    const never = vi.fn(
      (_: string, { signal }: { signal: AbortSignal }) =>
        new Promise((__, reject) => {
          signal.addEventListener('abort', () => reject(new DOMException('ended', 'AbortError')));
        }),
    );
    vi.stubGlobal('fetch', never);
    let said = '';
    readRange(request).catch((error: unknown) => (said = String(error)));
    await vi.advanceTimersByTimeAsync(79_000);
    expect(said).toBe('');
    await vi.advanceTimersByTimeAsync(5000);
    expect(said).toBe(
      "Error: m/f.bin could not be fetched: slow.example sent nothing for 20 s. Check this device's connection.",
    );
    expect(never).toHaveBeenCalledTimes(4);
  });

  it('leaves an answer alone that brings a byte every 15 s', async () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) =>
        new Promise((resolve) => {
          setTimeout(() => {
            controller.enqueue(Uint8Array.of(at++));
            if (at === 10) controller.close();
            resolve();
          }, 15_000);
        }),
    });
    const fetching = vi.fn(() => Promise.resolve(new Response(body, { status: 206 })));
    vi.stubGlobal('fetch', fetching);
    const reading = readRange(request);
    await vi.advanceTimersByTimeAsync(160_000);
    expect([...(await reading)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(fetching).toHaveBeenCalledTimes(1);
  });
});
