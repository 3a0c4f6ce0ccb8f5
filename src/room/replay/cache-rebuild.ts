/**
 * A cache rebuild: hidden states that somebody kept, or token ids, travel once more through some layers of a lap, so
 * that devices that hold those layers anew have the keys and values of a sequence that goes on. It is a
 * lap of its own that ends without logits.
 */
import type { Lap, Stage } from '../lap.ts';

export interface CacheRebuild extends Lap {
  /** The lap whose layers are filled. */
  planVersion: number;
  /** Its own number, among those of the sequences. */
  sequence: number;
  /** The sequence whose caches are filled. */
  fills: number;
  /** Who sends what it kept at the first leg's first layer; the host, where that is layer 0: token ids. */
  source: string;
  /** No answer runs on an older lap meanwhile: what of it is still under way is void. */
  isAlone: boolean;
  stages: readonly RebuildLeg[];
}

export interface RebuildLeg extends Stage {
  /**
   * Whose cache the layers write: `fills`, or, for layers that are only crossed while an older lap uses their caches,
   * the cache rebuild's own `sequence`, which goes when the cache rebuild ends.
   */
  cache: number;
}

/** A part of what is to be sent again. */
export interface Replay {
  /** The cache rebuild's number. */
  sequence: number;
  position: number;
  tokens: number;
}

/** Throws one sentence unless the legs are layers in order without a gap, and blocks only after layer 0. */
export function checkRebuild({ stages, fills, sequence }: CacheRebuild, headLayer: number): void {
  stages.forEach(({ first, last, cache }, index) => {
    const isNext = index === 0 || first === stages[index - 1].last + 1;
    if (!isNext || last < first || last >= headLayer)
      throw new Error(
        `a cache rebuild's leg of layers ${first}-${last} does not continue the one before`,
      );
    if (cache !== fills && cache !== sequence)
      throw new Error(`a cache rebuild of sequence ${fills} may not write the cache of ${cache}`);
  });
}
