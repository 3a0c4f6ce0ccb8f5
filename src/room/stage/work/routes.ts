/** The laps and cache rebuilds that frames may travel, and which of what is under way is void. */
import { dropOldest } from '../../../base/drop-oldest.ts';
import type { Lap } from '../../lap.ts';
import { type CacheRebuild, checkRebuild } from '../../replay/index.ts';

export interface Route {
  lap: Lap;
  /** The same, where it is a cache rebuild. */
  rebuild: CacheRebuild | null;
}

export interface Routes {
  adopt(lap: Lap): void;
  /** Throws one sentence for one that no host would ask for. */
  adoptRebuild(rebuild: CacheRebuild): void;
  /** All other laps are over. */
  keepOnly(planVersions: ReadonlySet<number>): void;
  /** Everything is over. */
  clear(): void;
  /** The sequence, or cache rebuild, is over. */
  release(sequence: number): void;
  /** Undefined for what is over. */
  of(planVersion: number, sequence: number): Route | undefined;
  rebuild(sequence: number): CacheRebuild | undefined;
  /** The sequence goes on upon this lap: what is under way on older ones is void. */
  move(sequence: number, planVersion: number): void;
  isVoid(work: Route & { sequence: number }): boolean;
}

/** Far more than can have frames under way at once. */
const releasedKept = 4096;
/** More than all answers in flight can need at once. */
const rebuildsKept = 256;

export function createRoutes(headLayer: number): Routes {
  const laps = new Map<number, Lap>();
  /** By their own numbers. */
  const rebuilds = new Map<number, CacheRebuild>();
  /** Sequences that ended while some of their frames were on their way; ids only grow. */
  const released = new Set<number>();
  const movedTo = new Map<number, number>();

  function move(sequence: number, planVersion: number): void {
    if (planVersion > (movedTo.get(sequence) ?? 0)) movedTo.set(sequence, planVersion);
  }

  return {
    adopt(lap) {
      laps.set(lap.planVersion, lap);
    },
    adoptRebuild(rebuild) {
      checkRebuild(rebuild, headLayer);
      rebuilds.set(rebuild.sequence, rebuild);
      dropOldest(rebuilds, rebuildsKept);
      if (rebuild.isAlone) move(rebuild.fills, rebuild.planVersion);
    },
    keepOnly(planVersions) {
      for (const known of laps.keys()) if (!planVersions.has(known)) laps.delete(known);
    },
    clear() {
      laps.clear();
      rebuilds.clear();
    },
    release(sequence) {
      rebuilds.delete(sequence);
      movedTo.delete(sequence);
      released.add(sequence);
      dropOldest(released, releasedKept);
    },
    of(planVersion, sequence) {
      const rebuild = rebuilds.get(sequence) ?? null;
      const lap = rebuild ?? laps.get(planVersion);
      return lap && { lap, rebuild };
    },
    rebuild: (sequence) => rebuilds.get(sequence),
    move,
    isVoid({ sequence, rebuild, lap }) {
      if (released.has(sequence)) return true;
      if (rebuild) return !rebuilds.has(sequence);
      return !laps.has(lap.planVersion) || lap.planVersion < (movedTo.get(sequence) ?? 0);
    },
  };
}
