import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clearStorage, setStorageLimit, storageUsage } from './cache-usage.ts';
import type { Entries } from './entries.ts';
import { memoryEntries } from './fixtures/memory-entries.ts';
import { pieceKey } from './kept-models.ts';
import { openPieceCache, type PieceCache } from './piece-cache.ts';

const size = 1000;

beforeEach(() => vi.useFakeTimers({ now: 1 }));
afterEach(() => vi.useRealTimers());

/** Uses a model of this many pieces of 1000 bytes, one millisecond after the last use. */
async function keep(cache: PieceCache, model: string, pieces: number): Promise<void> {
  vi.setSystemTime(Date.now() + 1);
  await cache.use(model, `The model ${model}`);
  for (let index = 0; index < pieces; index++) {
    const kept = { bytes: new Uint8Array(size).fill(index), sha256: null };
    await cache.put(pieceKey(model, `0:${index * size}+${size}`), kept);
  }
}

async function keptSizes(entries: Entries): Promise<Record<string, number>> {
  const usage = await storageUsage(entries);
  return Object.fromEntries((usage?.models ?? []).map(({ id, bytes }) => [id, bytes]));
}

describe('a piece cache', () => {
  it('gives back what was put, and says how large each model is and when it was used', async () => {
    const entries = memoryEntries();
    const cache = openPieceCache(entries);
    await keep(cache, 'a', 3);
    await keep(cache, 'b', 1);
    expect((await cache.get('a 0:2000+1000'))?.bytes).toEqual(new Uint8Array(size).fill(2));
    expect(await storageUsage(entries)).toMatchObject({
      models: [
        { id: 'a', title: 'The model a', bytes: 3000, lastUsedMs: 2 },
        { id: 'b', title: 'The model b', bytes: 1000, lastUsedMs: 3 },
      ],
      bytes: 4000,
    });
  });

  it('drops the least recently used models, whole, when the limit is reached', async () => {
    const entries = memoryEntries();
    await setStorageLimit(5000, entries);
    const cache = openPieceCache(entries);
    await keep(cache, 'a', 2);
    await keep(cache, 'b', 2);
    await keep(cache, 'a', 2);
    await keep(cache, 'c', 2);
    expect(await keptSizes(entries)).toEqual({ a: 2000, c: 2000 });
    expect(cache.problem).toBeNull();
  });

  it('keeps what fits of a model that is larger than the limit, drops no other for it, and says so', async () => {
    const entries = memoryEntries();
    await setStorageLimit(3000, entries);
    const cache = openPieceCache(entries);
    await keep(cache, 'a', 4);
    expect(await keptSizes(entries)).toEqual({ a: 3000 });
    expect(cache.problem).toMatch(/larger than what may be kept/);
  });

  it('makes place on a full disk by dropping other models', async () => {
    const entries = memoryEntries(3000);
    const cache = openPieceCache(entries);
    await keep(cache, 'a', 1);
    await keep(cache, 'b', 1);
    await keep(cache, 'c', 2);
    expect(await keptSizes(entries)).toEqual({ b: 1000, c: 2000 });
    expect(cache.problem).toBeNull();
  });

  it('goes on without keeping anything more when the disk is full of the model itself', async () => {
    const entries = memoryEntries(2000);
    const cache = openPieceCache(entries);
    await keep(cache, 'a', 3);
    expect(cache.problem).toMatch(/no room left/);
    expect((await cache.get('a 0:1000+1000'))?.bytes).toHaveLength(size);
    expect(await cache.get('a 0:2000+1000')).toBeUndefined();
  });

  it('is cleared model by model, or whole, and keeps its limit', async () => {
    const entries = memoryEntries();
    await setStorageLimit(9000, entries);
    const cache = openPieceCache(entries);
    await cache.put('runtime:/a.wasm', { bytes: new Uint8Array(5), sha256: null });
    await keep(cache, 'a', 2);
    await keep(cache, 'b', 1);
    await clearStorage('a', entries);
    expect(await keptSizes(entries)).toEqual({ b: 1000 });
    expect(await cache.get('runtime:/a.wasm')).toMatchObject({ bytes: new Uint8Array(5) });
    await clearStorage(undefined, entries);
    expect([...entries.values.keys()]).toEqual(['limit']);
    expect((await storageUsage(entries))?.limitBytes).toBe(9000);
  });

  it('takes nothing for granted of what another version of the app put there', async () => {
    const entries = memoryEntries();
    await entries.set('a 0:0+3', new Uint8Array([1, 2, 3]));
    expect(await openPieceCache(entries).get('a 0:0+3')).toBeUndefined();
  });
});

// Tests of a reload under e2e show what a browser with IndexedDB keeps.
describe('a piece cache where there is no IndexedDB', () => {
  it('keeps nothing, fails nothing, and says why', async () => {
    const cache = openPieceCache();
    expect(cache.problem).toBeNull();
    await cache.put('a', { bytes: new Uint8Array([1]), sha256: null });
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.keys()).toEqual([]);
    await cache.remove('a');
    await cache.use('a', 'A');
    expect(cache.problem).toMatch(/keeps no data for this page/);
    expect(await storageUsage()).toBeNull();
  });
});
