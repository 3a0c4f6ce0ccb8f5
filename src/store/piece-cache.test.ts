import { describe, expect, it } from 'vitest';
import { openPieceCache } from './piece-cache.ts';

// What a browser with IndexedDB keeps is shown in a browser: see the reload test under e2e.
describe('a piece cache where there is no IndexedDB', () => {
  it('keeps nothing, fails nothing, and says why', async () => {
    const cache = openPieceCache();
    expect(cache.problem).toBeNull();
    await cache.put('a', new Uint8Array([1]));
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.keys()).toEqual([]);
    await cache.remove('a');
    expect(cache.problem).toMatch(/keeps no data for this page/);
  });
});
