import { describe, expect, it } from 'vitest';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { createCacheMap, type CacheMap } from './cache-map.ts';
import { planRebuilds } from './rebuild-plan.ts';

const headLayer = 9;
const lapOf = (split: string, planVersion = 2) => ({ planVersion, stages: stagesOf(split) });

/** The cache map of sequence 1, which ran 20 positions on this lap before these devices were lost. */
function after(split: string, ...lost: string[]): CacheMap {
  const cacheMap = createCacheMap(headLayer);
  cacheMap.ran(1, lapOf(split, 1), 0, 20);
  for (const device of lost) cacheMap.lost(device);
  return cacheMap;
}

/** `a@0 a:4-5 c:6-6`: the source, the first position, the legs; layers only crossed in brackets. */
function planned(cacheMap: CacheMap, split: string, isBeside = false, upTo = 20): string[] {
  const wanted = { sequence: 1, upTo, isBeside };
  return planRebuilds(cacheMap, lapOf(split), headLayer, wanted).map(({ source, from, legs }) =>
    [
      `${source}@${from}`,
      ...legs.map(({ device, first, last, isRebuilt }) =>
        isRebuilt ? `${device}:${first}-${last}` : `(${device}:${first}-${last})`,
      ),
    ].join(' '),
  );
}

const before = 'host:0-1,a:2-3,b:4-5,c:6-7,host:8-9';

describe('rebuilds', () => {
  it.each<[string, string[], string, string[]]>([
    ['nothing was lost', [], before, []],
    ['one stage goes to a newcomer', ['b'], 'host:0-1,a:2-3,d:4-5,c:6-7,host:8-9', ['a@0 d:4-5']],
    [
      'one stage goes to both neighbours',
      ['b'],
      'host:0-1,a:2-4,c:5-7,host:8-9',
      ['a@0 a:4-4 c:5-5'],
    ],
    ['the first device is lost', ['a'], 'host:0-3,b:4-5,c:6-7,host:8-9', ['host@0 host:2-3']],
    ['neighbours are lost', ['b', 'c'], 'host:0-1,a:2-6,host:7-9', ['a@0 a:4-6 host:7-7']],
    ['others are lost', ['a', 'c'], 'host:0-3,b:4-7,host:8-9', ['host@0 host:2-3', 'b@0 b:6-7']],
    ['the host lost its engine', ['host'], before, ['host@0 host:0-1', 'c@0 host:8-8']],
  ])('where %s', (_, lost, split, expected) => {
    expect(planned(after(before, ...lost), split)).toEqual(expected);
  });

  it('cross layers that nobody kept the input of, writing their own caches where these are in use', () => {
    const cacheMap = after('host:0-1,a:2-7,host:8-9');
    const split = 'host:0-1,a:2-4,d:5-6,a:7,host:8-9';
    expect(planned(cacheMap, split)).toEqual(['host@0 (a:2-4) d:5-6']);
    expect(planned(cacheMap, split, true)).toEqual(['host@0 (a:2-4) d:5-6']);
    const alone = after('host:0-9');
    expect(planned(alone, 'host:0-3,d:4-7,host:8-9', true)).toEqual(['host@0 (host:0-3) d:4-7']);
  });

  it('pass through both gaps where nobody kept states between them', () => {
    const cacheMap = after('host:0-1,a:2-7,host:8-9');
    expect(planned(cacheMap, 'host:0-1,d:2,a:3-5,d:6-7,host:8-9')).toEqual([
      'host@0 d:2-2 (a:3-5) d:6-7',
    ]);
  });

  it('cross layers between two gaps from the start, where these are in use', () => {
    const cacheMap = after('host:0-1,a:2-7,host:8-9');
    const split = 'host:0-1,d:2,a:3-5,d:6-7,host:8-9';
    cacheMap.ran(1, lapOf(split), 0, 10);
    cacheMap.ran(1, lapOf('host:0-1,a:2-7,host:8-9', 1), 10, 20);
    for (const device of ['host', 'a', 'd'])
      for (const layer of [2, 3, 6]) cacheMap.replayMissing(1, layer, device);
    expect(planned(cacheMap, split)).toEqual(['host@10 (host:0-1) d:2-2 (a:3-5) d:6-7']);
    expect(planned(cacheMap, split, true)).toEqual(['host@0 (host:0-1) d:2-2 (a:3-5) d:6-7']);
    const first = after('host:0,a:1-7,host:8-9');
    const begins = 'host:0,d:1-2,a:3-5,d:6-7,host:8-9';
    first.ran(1, lapOf(begins), 0, 10);
    first.ran(1, lapOf('host:0,a:1-7,host:8-9', 1), 10, 20);
    for (const device of ['host', 'a', 'd'])
      for (const layer of [1, 3, 6]) first.replayMissing(1, layer, device);
    // The cache of the layers that are crossed is the cache rebuild's own, and empty.
    expect(planned(first, begins, true)).toEqual(['host@0 host:0-0 d:1-2 (a:3-5) d:6-7']);
  });

  it('send only what an answer has grown by', () => {
    const cacheMap = after('host:0-1,a:2-7,host:8-9');
    const split = 'host:0-1,a:2-4,d:5-6,a:7,host:8-9';
    cacheMap.ran(1, lapOf(split), 0, 20);
    cacheMap.ran(1, lapOf('host:0-1,a:2-7,host:8-9', 1), 20, 24);
    expect(planned(cacheMap, split, false, 24)).toEqual(['host@20 (a:2-4) d:5-6']);
    // Layers that an answer on the older lap uses are crossed from the start, beside their caches.
    expect(planned(cacheMap, split, true, 24)).toEqual(['host@0 (a:2-4) d:5-6']);
  });

  it('do not ask who did not keep it, or did not from the start', () => {
    const cacheMap = after(before, 'b');
    cacheMap.replayMissing(1, 4, 'a');
    expect(planned(cacheMap, 'host:0-1,a:2-5,c:6-7,host:8-9')).toEqual(['host@0 (a:2-3) a:4-5']);
    const late = createCacheMap(headLayer);
    late.ran(1, lapOf('host:0-9', 1), 0, 10);
    late.rebuilt(
      {
        ...lapOf(before),
        sequence: 2,
        fills: 1,
        source: 'host',
        isAlone: true,
        stages: stagesOf('a:2-3,b:4-5,c:6-7').map((stage) => ({ ...stage, cache: 1 })),
      },
      0,
      10,
    );
    late.ran(1, lapOf(before), 10, 20);
    late.keepLaps([lapOf(before)]);
    late.lost('a');
    // The cache rebuild kept states between its own legs; the host began to keep its own at position 10.
    expect(planned(late, 'host:0-3,b:4-5,c:6-7,host:8-9')).toEqual(['host@0 (host:0-1) host:2-3']);
    late.lost('b');
    expect(planned(late, 'host:0-5,c:6-7,host:8-9')).toEqual(['host@0 (host:0-1) host:2-5']);
  });
});
