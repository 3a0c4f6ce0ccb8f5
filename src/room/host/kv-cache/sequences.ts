/**
 * The sequences whose keys and values lie in the devices' caches. A conversation's next turn begins with the text of the
 * last one, and many conversations begin with the same instructions: what is cached is not read again.
 *
 * A cache that no answer uses is kept for reuse while there is room for it. The one unused longest goes first.
 */
import type { Lap } from '../../lap.ts';
import type { CacheMap } from './cache-map.ts';

export interface SequencesOptions {
  cacheMap: CacheMap;
  /** Caches that fit the memory budgets of the lap's devices, of answers in flight and kept ones together. */
  capacity: () => number;
  release: (sequence: number) => void;
  fork: (planVersion: number, fork: { sequence: number; from: number; length: number }) => void;
}

/** A sequence that an answer uses. */
export interface OpenSequence {
  readonly sequence: number;
  /**
   * Positions at the start of `ids` that are cached already; always fewer than `ids`. Layers that have changed hands
   * since may lack them, see `cache-rebuilds.ts`.
   */
  readonly cached: number;
  /** The positions after those cached, up to `upTo`, went round the lap. */
  ran(lap: Lap, upTo: number): void;
  /** Ends the use. `ids` are those whose keys and values are cached now; null when they are worthless. */
  close(ids: readonly number[] | null): void;
}

export interface Sequences {
  /** A sequence that begins with as many of `ids` as are cached. */
  open(lap: Lap, ids: readonly number[]): OpenSequence;
  /** A number that no sequence has had; in use until it is released. */
  nextNumber(): number;
  /** Numbers that are in use, caches that are kept for reuse among them; and the last one given. */
  inUse(): { numbers: ReadonlySet<number>; last: number };
  released(number: number): void;
  /** Sets memory for one more cache aside; null where there is none. Call what it returns to give it back. */
  reserve(): (() => void) | null;
  /** Caches of all but these laps are gone. */
  keepLaps(laps: readonly Lap[]): void;
}

interface Kept {
  sequence: number;
  ids: readonly number[];
}

/** A shorter common start is read again as fast as it is copied. */
const worthForking = 16;

export function createSequences(options: SequencesOptions): Sequences {
  const { cacheMap } = options;
  let lastSequence = 0;
  const inUse = new Set<number>();
  /** Sequences that answers use, and caches that memory is set aside for. */
  let openCount = 0;
  /** Least recently used first. */
  let kept: Kept[] = [];

  function nextNumber(): number {
    inUse.add(++lastSequence);
    return lastSequence;
  }

  function release(sequence: number): void {
    cacheMap.release(sequence);
    options.release(sequence);
  }

  function drop(which: Kept): void {
    kept = kept.filter((other) => other !== which);
    release(which.sequence);
  }

  function makeRoom(): void {
    while (kept.length > 0 && openCount + kept.length > options.capacity()) drop(kept[0]);
  }

  /** Goes on in a kept cache, copies the beginning of one, or begins with nothing. */
  function take(lap: Lap, ids: readonly number[]): { sequence: number; cached: number } {
    const best = longestCommon(kept, ids, ({ sequence }) => cacheMap.holdsAny(sequence, lap));
    if (best && isContinuation(best)) return goOn(best);
    if (
      !best ||
      best.common < worthForking ||
      !cacheMap.holdsAll(best.kept.sequence, lap, best.common)
    )
      return { sequence: nextNumber(), cached: 0 };
    // Without room for both, what is copied would be given up while the copy is on its way.
    if (openCount + 2 > options.capacity()) return goOn(best);
    const { kept: source, common: length } = best;
    kept = [...kept.filter((other) => other !== source), source];
    const sequence = nextNumber();
    cacheMap.forked(sequence, source.sequence, length, lap);
    options.fork(lap.planVersion, { sequence, from: source.sequence, length });
    return { sequence, cached: length };
  }

  function goOn({ kept: { sequence }, common }: Match): { sequence: number; cached: number } {
    kept = kept.filter((other) => other.sequence !== sequence);
    cacheMap.cut(sequence, common);
    return { sequence, cached: common };
  }

  function newOpenSequence({
    sequence,
    cached,
  }: {
    sequence: number;
    cached: number;
  }): OpenSequence {
    let isOver = false;
    return {
      sequence,
      get cached() {
        return cached;
      },
      ran(lap, upTo) {
        if (isOver) return;
        cacheMap.ran(sequence, lap, cached, upTo);
        cached = upTo;
      },
      close(cachedIds) {
        if (isOver) return;
        isOver = true;
        openCount--;
        if (cachedIds === null) release(sequence);
        else kept.push({ sequence, ids: cachedIds });
        makeRoom();
      },
    };
  }

  return {
    open(lap, ids) {
      const taken = take(lap, ids);
      openCount++;
      makeRoom();
      return newOpenSequence(taken);
    },
    nextNumber,
    inUse: () => ({ numbers: inUse, last: lastSequence }),
    released: (number) => void inUse.delete(number),
    reserve() {
      if (openCount + 1 > options.capacity()) return null;
      openCount++;
      makeRoom();
      return () => {
        openCount--;
      };
    },
    keepLaps(laps) {
      cacheMap.keepLaps(laps);
      for (const which of kept)
        if (!laps.some((lap) => cacheMap.holdsAny(which.sequence, lap))) drop(which);
    },
  };
}

interface Match {
  kept: Kept;
  common: number;
}

function longestCommon(
  kept: Kept[],
  ids: readonly number[],
  isOfUse: (kept: Kept) => boolean,
): Match | null {
  let best: Match | null = null;
  for (const candidate of kept) {
    if (!isOfUse(candidate)) continue;
    // The last position must run anyway, for its logits.
    const most = Math.min(candidate.ids.length, ids.length - 1);
    let common = 0;
    while (common < most && candidate.ids[common] === ids[common]) common++;
    if (common > 0 && (best === null || common >= best.common)) best = { kept: candidate, common };
  }
  return best;
}

/** Most of what is cached is this text's own beginning: nobody else will miss the rest. */
function isContinuation({ kept, common }: Match): boolean {
  return common * 2 > kept.ids.length;
}
