import { describe, expect, it } from 'vitest';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { createCacheMap } from './cache-map.ts';
import { createSequences, type OpenSequence } from './sequences.ts';

const laps = {
  1: { planVersion: 1, stages: stagesOf('host:0-1,a:2-3,host:4') },
  2: { planVersion: 2, stages: stagesOf('host:0-1,b:2-3,host:4') },
  3: { planVersion: 3, stages: stagesOf('host:0,c:1-3,host:4') },
};

interface Caches {
  sequences: {
    /** A sequence whose answer runs to its end on that lap. */
    open: (lap: keyof typeof laps, ids: number[]) => OpenSequence;
    keepLap: (lap: keyof typeof laps) => void;
    reserve: () => (() => void) | null;
  };
  released: number[];
  forks: { sequence: number; from: number; length: number }[];
}

function open(capacity = 8): Caches {
  const released: number[] = [];
  const forks: Caches['forks'] = [];
  const sequences = createSequences({
    cacheMap: createCacheMap(4),
    capacity: () => capacity,
    release: (sequence) => released.push(sequence),
    fork: (_, fork) => forks.push(fork),
  });
  return {
    released,
    forks,
    sequences: {
      open(lap, ids) {
        const opened = sequences.open(laps[lap], ids);
        return {
          ...opened,
          cached: opened.cached,
          close(cachedIds) {
            if (cachedIds) opened.ran(laps[lap], cachedIds.length);
            opened.close(cachedIds);
          },
        };
      },
      keepLap: (lap) => sequences.keepLaps([laps[lap]]),
      reserve: () => sequences.reserve(),
    },
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('sequences', () => {
  it("goes on in the cache of a conversation's last turn", () => {
    const { sequences, released, forks } = open();
    const first = sequences.open(1, range(0, 10));
    expect(first.cached).toBe(0);
    first.close(range(0, 15));
    const second = sequences.open(1, [...range(0, 15), 99, 98]);
    expect(second).toMatchObject({ sequence: first.sequence, cached: 15 });
    expect([released, forks]).toEqual([[], []]);
  });

  it('always has the last position run, for its logits', () => {
    const { sequences } = open();
    sequences.open(1, range(0, 10)).close(range(0, 15));
    expect(sequences.open(1, range(0, 15)).cached).toBe(14);
  });

  it('never lends one cache to two answers', () => {
    const { sequences, forks } = open();
    const first = sequences.open(1, range(0, 40));
    expect(sequences.open(1, range(0, 40))).toMatchObject({ cached: 0 });
    first.close(range(0, 40));
    const third = sequences.open(1, range(0, 41));
    const fourth = sequences.open(1, range(0, 41));
    expect(third.sequence).toBe(first.sequence);
    expect(fourth.sequence).not.toBe(first.sequence);
    expect(fourth.cached).toBe(0);
    expect(forks).toEqual([]);
  });

  it('copies a long common beginning, and leaves the cache to whom it belongs', () => {
    const { sequences, forks } = open();
    const first = sequences.open(1, range(0, 100));
    first.close(range(0, 100));
    const other = sequences.open(1, [...range(0, 20), 500]);
    expect(other.sequence).not.toBe(first.sequence);
    expect(other.cached).toBe(20);
    expect(forks).toEqual([{ sequence: other.sequence, from: first.sequence, length: 20 }]);
    expect(sequences.open(1, range(0, 110)).sequence).toBe(first.sequence);
  });

  it('keeps what is copied while others can go: the copy is still on its way through the lap', () => {
    const { sequences, released, forks } = open(3);
    const oldest = sequences.open(1, range(0, 100));
    oldest.close(range(0, 100));
    const later = sequences.open(1, range(500, 600));
    later.close(range(500, 600));
    sequences.open(1, range(700, 800));
    const copy = sequences.open(1, [...range(0, 20), 999]);
    expect(forks).toEqual([{ sequence: copy.sequence, from: oldest.sequence, length: 20 }]);
    expect(released).toEqual([later.sequence]);
  });

  it('goes on in what it would copy where there is no room for both', () => {
    const { sequences, released, forks } = open(1);
    const first = sequences.open(1, range(0, 100));
    first.close(range(0, 100));
    const other = sequences.open(1, [...range(0, 20), 500]);
    expect(other).toMatchObject({ sequence: first.sequence, cached: 20 });
    expect([released, forks]).toEqual([[], []]);
  });

  it('reads a short common beginning again', () => {
    const { sequences, forks } = open();
    sequences.open(1, range(0, 100)).close(range(0, 100));
    expect(sequences.open(1, [...range(0, 5), 500]).cached).toBe(0);
    expect(forks).toEqual([]);
  });

  it('goes on in a cache of which a later lap has a part, and forgets one of which it has nothing', () => {
    const { sequences, released } = open();
    const first = sequences.open(1, range(0, 10));
    first.close(range(0, 10));
    sequences.keepLap(2);
    expect(released).toEqual([]);
    const second = sequences.open(2, range(0, 11));
    expect(second).toMatchObject({ sequence: first.sequence, cached: 10 });
    second.close(range(0, 11));
    sequences.keepLap(3);
    expect(released).toEqual([first.sequence]);
    expect(sequences.open(3, range(0, 12)).cached).toBe(0);
  });

  it('copies nothing to a lap that has only a part of it', () => {
    const { sequences, forks } = open();
    sequences.open(1, range(0, 100)).close(range(0, 100));
    expect(sequences.open(2, [...range(0, 20), 500]).cached).toBe(0);
    expect(forks).toEqual([]);
  });

  it('sets memory aside where there is some, giving up kept caches for it', () => {
    const { sequences, released } = open(2);
    const first = sequences.open(1, range(0, 10));
    first.close(range(0, 10));
    sequences.open(1, range(20, 30));
    const giveBack = sequences.reserve();
    expect(released).toEqual([first.sequence]);
    expect(sequences.reserve()).toBeNull();
    giveBack?.();
    expect(sequences.reserve()).not.toBeNull();
  });

  it('releases a cache that is worthless', () => {
    const { sequences, released } = open();
    const opened = sequences.open(1, range(0, 10));
    opened.close(null);
    expect(released).toEqual([opened.sequence]);
    expect(sequences.open(1, range(0, 10)).cached).toBe(0);
  });

  it('makes room for answers by giving up the cache unused longest', () => {
    const { sequences, released } = open(2);
    const first = sequences.open(1, [1, 2, 3]);
    first.close([1, 2, 3]);
    const second = sequences.open(1, [4, 5, 6]);
    second.close([4, 5, 6]);
    const third = sequences.open(1, [7, 8, 9]);
    expect(released).toEqual([first.sequence]);
    third.close([7, 8, 9]);
    expect(sequences.open(1, [4, 5, 6, 7]).cached).toBe(3);
  });
});
