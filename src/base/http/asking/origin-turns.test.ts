import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onOriginPause, pauseOrigin, turnAt, type OriginPause } from './origin-turns.ts';

let serial = 0;
let origin: string;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  origin = `https://server-${++serial}.example`;
});
afterEach(() => vi.useRealTimers());

/** Whether the promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = {};
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('turns at an origin', () => {
  it('are given to six requests at a time, and to others when one ends', async () => {
    const ends = await Promise.all(Array.from({ length: 6 }, () => turnAt(origin)));
    const seventh = turnAt(origin);
    expect(await isSettled(seventh)).toBe(false);
    expect(await isSettled(turnAt('https://other.example'))).toBe(true);
    ends[0]();
    ends[0]();
    expect(await isSettled(seventh)).toBe(true);
    expect(await isSettled(turnAt(origin))).toBe(false);
  });

  it('wait together while the server is busy, and say so once', async () => {
    const told: OriginPause[] = [];
    const stop = onOriginPause((paused) => told.push(paused));
    pauseOrigin(origin, 40_000);
    pauseOrigin(origin, 40_000);
    pauseOrigin(origin, 1000);
    const waiting = [turnAt(origin), turnAt(origin)];
    await vi.advanceTimersByTimeAsync(39_900);
    expect(await isSettled(Promise.race(waiting))).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(await isSettled(Promise.all(waiting))).toBe(true);
    stop();
    pauseOrigin(origin, 5000);
    expect(told.map(({ sentence }) => sentence)).toEqual([
      `server-${serial}.example is busy; asking again in 40 s.`,
    ]);
  });

  it('end at once when the signal aborts, waiting for the server or for a place', async () => {
    const stopping = new AbortController();
    pauseOrigin(origin, 60_000);
    const paused = turnAt(origin, stopping.signal);
    const crowded = 'https://crowded.example';
    await Promise.all(Array.from({ length: 6 }, () => turnAt(crowded)));
    const queued = turnAt(crowded, stopping.signal);
    stopping.abort(new Error('stopped by hand'));
    await expect(paused).rejects.toThrow('stopped by hand');
    await expect(queued).rejects.toThrow('stopped by hand');
    await expect(turnAt(crowded, stopping.signal)).rejects.toThrow('stopped by hand');
  });
});
