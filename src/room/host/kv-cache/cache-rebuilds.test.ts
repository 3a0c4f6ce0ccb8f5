import { describe, expect, it } from 'vitest';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { runningOn } from '../../fixtures/made-up-plans.ts';
import { settle } from '../../fixtures/planning-room.ts';
import type { CacheRebuild, Replay } from '../../replay/cache-rebuild.ts';
import { createCacheMap } from './cache-map.ts';
import { createCacheRebuilds } from './cache-rebuilds.ts';

const headLayer = 9;
const first = { planVersion: 1, stages: stagesOf('host:0-1,d:2-5,host:6-9') };
const older = { planVersion: 2, stages: stagesOf('host:0-1,a:2-3,b:4-5,host:6-9') };
/** Of its layers, `c` lacks 4 and 5; only `a` kept what went into them. */
const newer = { planVersion: 3, stages: stagesOf('host:0-1,d:2-3,c:4-5,host:6-9') };
const ids = Array.from({ length: 40 }, (_, index) => index);

/** Sequence 1 ran 40 positions on the older laps; devices take what they are told, and send when the test says so. */
function open() {
  const cacheMap = createCacheMap(headLayer);
  for (const lap of [first, older]) cacheMap.ran(1, lap, 0, ids.length);
  const adopted: CacheRebuild[] = [];
  const resent: Replay[] = [];
  const inUse = new Set<number>();
  let last = 1;
  const rebuilds = createCacheRebuilds({
    cacheMap,
    headLayer,
    nextNumber() {
      inUse.add(++last);
      return last;
    },
    transport: {
      adopt(device, rebuild) {
        if (device === 'host') adopted.push(rebuild);
        return true;
      },
      replay(_, replay) {
        resent.push(replay);
        return true;
      },
      start: (_, { sequence, position, ids: { length: tokens } }) =>
        resent.push({ sequence, position, tokens }),
    },
    release: (number) => inUse.delete(number),
    chunk: () => 8,
  });
  return { cacheMap, rebuilds, adopted, resent, inUse };
}

const running = runningOn(newer, new AbortController().signal);

describe('rebuilds', () => {
  it('are over when their plan migration is, even if the source is lost in the same moment', async () => {
    const { rebuilds, adopted, inUse } = open();
    const preparation = rebuilds.prepare(running, 1);
    preparation.catchUp({ ids, upTo: 40 }).catch(() => undefined);
    expect(adopted.map(({ source }) => source)).toEqual(['a']);
    rebuilds.lost('a');
    preparation.end();
    await settle();
    expect(adopted).toHaveLength(1);
    expect([...inUse]).toEqual([]);
  });

  it('settle when their plan migration ends under way, and send nothing more', async () => {
    const { rebuilds, resent } = open();
    const preparation = rebuilds.prepare(running, 1);
    const rebuilding = preparation.catchUp({ ids, upTo: 40 });
    const sent = resent.length;
    preparation.end();
    await expect(rebuilding).rejects.toThrow('not needed any more');
    await preparation.catchUp({ ids, upTo: 40 });
    expect(resent).toHaveLength(sent);
  });

  it('have come no further than was sent, whatever a device says', async () => {
    const { cacheMap, rebuilds, adopted, resent } = open();
    let isDone = false;
    const rebuilding = rebuilds.rebuildMissing(running, { sequence: 1, ids, upTo: 40 }).then(() => {
      isDone = true;
    });
    const [{ sequence }] = adopted;
    expect(resent.map(({ position }) => position)).toEqual([0, 8]);
    for (const position of [4_000_000_000, 40, 17, 0]) {
      expect(rebuilds.onPieceRead({ sequence, position })).toBe(true);
      expect(cacheMap.held(1, 4, 'c')).toBe(0);
    }
    for (let next = 8; next <= 40; next += 8) rebuilds.onPieceRead({ sequence, position: next });
    await rebuilding;
    expect(isDone).toBe(true);
    expect(cacheMap.held(1, 4, 'c')).toBe(40);
  });
});
