/**
 * A cache rebuild: hidden states of a replay buffer, or token ids, travel once more through some layers of a lap. The
 * devices that have just loaded those layers then have the keys and values of a sequence that goes on. A cache rebuild
 * is a lap of its own, which ends without logits.
 */
import type { Lap, Stage } from '../lap.ts';

export interface CacheRebuild extends Lap {
  /** The lap whose layers are filled. */
  planVersion: number;
  /** Its own number, among those of the sequences. */
  sequence: number;
  /** The sequence whose caches are filled. */
  fills: number;
  /** The device whose replay buffer has the input of the first leg; the host, which has token ids, for layer 0. */
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

/** A part of the states to send again. */
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
