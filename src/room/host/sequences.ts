/**
 * Whose keys and values lie in the devices' caches. A conversation's next turn begins with the text of
 * the last one, and many begin with the same instructions: what is cached already is not read again.
 *
 * A cache that no answer uses is kept for reuse while there is room for it, the oldest going first.
 */
export interface SequencesOptions {
  /** Caches that fit the memory budgets of the lap's devices, of answers in flight and kept ones together. */
  capacity: (epoch: number) => number;
  release: (sequence: number) => void;
  fork: (epoch: number, fork: { sequence: number; from: number; length: number }) => void;
}

export interface Lease {
  readonly sequence: number;
  /** Positions at the start of `ids` that are cached already; always fewer than `ids`. */
  readonly cached: number;
  /** Ends the use. `ids` are those whose keys and values are cached now; null when they are worthless. */
  end(ids: readonly number[] | null): void;
}

export interface Sequences {
  lease(epoch: number, ids: readonly number[]): Lease;
  /** Caches of all but these laps are gone. */
  keepLaps(epochs: ReadonlySet<number>): void;
}

interface Kept {
  sequence: number;
  epoch: number;
  ids: readonly number[];
}

/** A shorter common start is read again as fast as it is copied. */
const worthForking = 16;

export function createSequences(options: SequencesOptions): Sequences {
  let lastSequence = 0;
  let leased = 0;
  /** Least recently used first. */
  let kept: Kept[] = [];

  function drop(which: Kept): void {
    kept = kept.filter((other) => other !== which);
    options.release(which.sequence);
  }

  function makeRoom(epoch: number): void {
    while (kept.length > 0 && leased + kept.length > options.capacity(epoch)) drop(kept[0]);
  }

  return {
    lease(epoch, ids) {
      const best = longestCommon(kept, epoch, ids);
      let sequence: number;
      let cached = 0;
      if (best && isContinuation(best)) {
        kept = kept.filter((other) => other !== best.kept);
        sequence = best.kept.sequence;
        cached = best.common;
      } else {
        sequence = ++lastSequence;
        if (best && best.common >= worthForking) {
          cached = best.common;
          options.fork(epoch, { sequence, from: best.kept.sequence, length: cached });
        }
      }
      leased++;
      makeRoom(epoch);
      return {
        sequence,
        cached,
        end(cachedIds) {
          leased--;
          if (cachedIds === null) options.release(sequence);
          else kept.push({ sequence, epoch, ids: cachedIds });
          makeRoom(epoch);
        },
      };
    },
    keepLaps(epochs) {
      for (const which of kept) if (!epochs.has(which.epoch)) drop(which);
    },
  };
}

interface Match {
  kept: Kept;
  common: number;
}

function longestCommon(kept: Kept[], epoch: number, ids: readonly number[]): Match | null {
  let best: Match | null = null;
  for (const candidate of kept) {
    if (candidate.epoch !== epoch) continue;
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
