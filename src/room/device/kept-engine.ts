/**
 * The tab's engine outlives a visit: a device that finds its room again has measured itself already,
 * and its runtime is running.
 */
import type { PreparedEngine } from '../prepare-engine.ts';

export interface KeptEngine {
  /** The engine of the last visit if it fits what is wanted now; else a new one, the old one being disposed of. */
  take(wanted: string, prepare: () => Promise<PreparedEngine>): Promise<PreparedEngine>;
  /** It can compute no more: a GPU was lost, its worker ended. */
  broke(): void;
  dispose(): Promise<void>;
}

export function createKeptEngine(): KeptEngine {
  let kept: { wanted: string; prepared: PreparedEngine } | null = null;

  async function dispose(): Promise<void> {
    const last = kept;
    kept = null;
    // An engine that broke has nothing left to dispose of.
    await last?.prepared.engine.dispose().catch(() => undefined);
  }

  return {
    async take(wanted, prepare) {
      if (kept?.wanted !== wanted) {
        await dispose();
        kept = { wanted, prepared: await prepare() };
      }
      return kept.prepared;
    },
    broke() {
      void dispose();
    },
    dispose,
  };
}
