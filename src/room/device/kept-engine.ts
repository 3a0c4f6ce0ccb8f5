import type { ComputeWith, PreparedEngine } from '../compute/index.ts';

export interface KeptEngine {
  /**
   * The engine of the last visit if it fits what is wanted now; else a new one, the old one being disposed of.
   * `onLost` hears, in the last visit's place, if it can compute no more: a GPU was lost, its worker ended.
   */
  take(
    wanted: string,
    onLost: (reason: string) => void,
    prepare: (onLost: (reason: string) => void) => Promise<PreparedEngine>,
  ): Promise<PreparedEngine>;
  /** What its next engine is to compute with, and why, once one has computed wrongly; null before. */
  readonly fallback: Fallback | null;
  /** It computed wrongly: the next engine is one that gets this right. */
  fallBack(fallback: Fallback): void;
  dispose(): Promise<void>;
}

export interface Fallback {
  with: ComputeWith;
  /** A sentence for the screens. */
  reason: string;
}

export function createKeptEngine(): KeptEngine {
  let fallback: Fallback | null = null;
  let kept: { wanted: string; prepared: PreparedEngine } | null = null;
  let visitor: (reason: string) => void = () => undefined;

  async function dispose(): Promise<void> {
    const last = kept;
    kept = null;
    // An engine that broke has nothing left to dispose of.
    await last?.prepared.engine.dispose().catch(() => undefined);
  }

  function broke(reason: string): void {
    void dispose();
    visitor(reason);
  }

  return {
    async take(wanted, onLost, prepare) {
      visitor = onLost;
      if (kept?.wanted !== wanted) {
        await dispose();
        kept = { wanted, prepared: await prepare(broke) };
      }
      return kept.prepared;
    },
    get fallback() {
      return fallback;
    },
    fallBack(to) {
      fallback = to;
      void dispose();
    },
    dispose,
  };
}
