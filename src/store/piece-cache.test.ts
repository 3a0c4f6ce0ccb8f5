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

/** Storage that fails so often, at calls of one kind, and works from then on. */
function failing(call: keyof Entries, error: unknown, times: number) {
  const right = memoryEntries();
  let asked = 0;
  const failure = (): Promise<null> => {
    let refuse: (reason: unknown) => void = () => undefined;
    const failed = new Promise<null>((_, reject) => (refuse = reject));
    refuse(error);
    return failed;
  };
  const unless = <T>(name: keyof Entries, work: () => Promise<T>): Promise<T> => {
    if (name !== call) return work();
    asked++;
    return asked > times ? work() : failure().then(work);
  };
  return {
    asked: () => asked,
    get: (key: string) => unless('get', () => right.get(key)),
    set: (key: string, value: unknown) => unless('set', () => right.set(key, value)),
    delete: (keys: string[]) => unless('delete', () => right.delete(keys)),
    keys: () => unless('keys', () => right.keys()),
  };
}

const kept = { bytes: new Uint8Array([1, 2, 3]), sha256: null };
const passing = ['InvalidStateError', 'AbortError', 'UnknownError', 'TransactionInactiveError'];

describe('a piece cache whose storage fails in passing', () => {
  it.each(passing)('asks once more after one %s, and goes on', async (name) => {
    for (const call of ['get', 'set', 'delete', 'keys'] as const) {
      const entries = failing(call, new DOMException('The connection is closing.', name), 1);
      const cache = openPieceCache(entries);
      await cache.put('a 0:0+3', kept);
      expect(await cache.get('a 0:0+3')).toEqual(kept);
      expect(await cache.keys()).toContain('a 0:0+3');
      await cache.remove('a 0:0+3');
      expect(await cache.get('a 0:0+3')).toBeUndefined();
      expect(entries.asked()).toBeGreaterThan(1);
      expect(cache.problem).toBeNull();
    }
  });

  it('says so where the second try fails, rests, and keeps again later', async () => {
    const entries = failing('get', new DOMException('', 'InvalidStateError'), 2);
    await entries.set('b 0:0+3', kept);
    const cache = openPieceCache(entries);
    expect(await cache.get('b 0:0+3')).toBeUndefined();
    expect(cache.problem).toMatch(/keeps no data for this page/);
    expect(await cache.get('b 0:0+3')).toBeUndefined();
    expect(entries.asked()).toBe(2);
    vi.advanceTimersByTime(30_000);
    expect(await cache.get('b 0:0+3')).toEqual(kept);
    expect(cache.problem).toBeNull();
  });

  it('takes a refusal for good at its word', async () => {
    const entries = failing('get', new DOMException('Denied.', 'SecurityError'), 1);
    const cache = openPieceCache(entries);
    expect(await cache.get('b 0:0+3')).toBeUndefined();
    vi.advanceTimersByTime(3_600_000);
    expect(await cache.get('b 0:0+3')).toBeUndefined();
    expect(entries.asked()).toBe(1);
    expect(cache.problem).toMatch(/keeps no data for this page/);
  });

  it('does without one damaged piece, and keeps the others', async () => {
    const entries = failing('get', new DOMException('Data lost.', 'NotReadableError'), 1);
    await entries.set('b 0:0+3', kept);
    const cache = openPieceCache(entries);
    expect(await cache.get('a 0:0+3')).toBeUndefined();
    expect(await cache.get('b 0:0+3')).toEqual(kept);
    expect(cache.problem).toBeNull();
  });

  it('asks once more when a request fails before its transaction has a reason', async () => {
    const cache = openPieceCache(failing('set', null, 1));
    await cache.put('a 0:0+3', kept);
    expect(await cache.get('a 0:0+3')).toEqual(kept);
  });

  it('does not ask twice of a full disk', async () => {
    const entries = failing('set', new DOMException('', 'QuotaExceededError'), 99);
    const cache = openPieceCache(entries);
    await cache.put('runtime:/a.wasm', kept);
    expect(entries.asked()).toBe(1);
    expect(cache.problem).toMatch(/no room left/);
  });

  it('is shown and cleared after one failure', async () => {
    const entries = failing('keys', new DOMException('', 'UnknownError'), 1);
    expect((await storageUsage(entries))?.models).toEqual([]);
    const other = failing('delete', new DOMException('', 'AbortError'), 1);
    await other.set('a 0:0+3', kept);
    await clearStorage('a', other);
    expect(await other.keys()).toEqual([]);
  });

  it('keeps where the browser does not say how much room there is', async () => {
    const refuse = () => Promise.reject(new TypeError('no estimate'));
    vi.stubGlobal('navigator', { storage: { estimate: refuse } });
    const cache = openPieceCache(memoryEntries());
    await cache.put('a 0:0+3', kept);
    expect(await cache.get('a 0:0+3')).toEqual(kept);
    expect(cache.problem).toBeNull();
    vi.unstubAllGlobals();
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
