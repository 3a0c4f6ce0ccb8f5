/** The laps and refills that frames may travel, and which of what is under way is void. */
import { dropOldest } from '../drop-oldest.ts';
import type { Lap } from '../lap.ts';
import { checkRefill, type Refill } from '../replay/cache-rebuild.ts';

export interface Route {
  lap: Lap;
  /** The same, where it is a refill. */
  refill: Refill | null;
}

export interface Routes {
  adopt(lap: Lap): void;
  /** Throws one sentence for one that no host would ask for. */
  adoptRefill(refill: Refill): void;
  /** All other laps are over. */
  keepOnly(epochs: ReadonlySet<number>): void;
  /** Everything is over. */
  clear(): void;
  /** The sequence, or refill, is over. */
  release(sequence: number): void;
  /** Undefined for what is over. */
  of(epoch: number, sequence: number): Route | undefined;
  refill(sequence: number): Refill | undefined;
  /** The sequence goes on upon this lap: what is under way on older ones is void. */
  move(sequence: number, epoch: number): void;
  isVoid(work: Route & { sequence: number }): boolean;
}

/** Far more than can have frames under way at once. */
const releasedKept = 4096;
/** More than all answers in flight can need at once. */
const refillsKept = 256;

export function createRoutes(headLayer: number): Routes {
  const laps = new Map<number, Lap>();
  /** By their own numbers. */
  const refills = new Map<number, Refill>();
  /** Sequences that ended while some of their frames were on their way; ids only grow. */
  const released = new Set<number>();
  const movedTo = new Map<number, number>();

  function move(sequence: number, epoch: number): void {
    if (epoch > (movedTo.get(sequence) ?? 0)) movedTo.set(sequence, epoch);
  }

  return {
    adopt(lap) {
      laps.set(lap.epoch, lap);
    },
    adoptRefill(refill) {
      checkRefill(refill, headLayer);
      refills.set(refill.sequence, refill);
      dropOldest(refills, refillsKept);
      if (refill.isAlone) move(refill.fills, refill.epoch);
    },
    keepOnly(epochs) {
      for (const known of laps.keys()) if (!epochs.has(known)) laps.delete(known);
    },
    clear() {
      laps.clear();
      refills.clear();
    },
    release(sequence) {
      refills.delete(sequence);
      movedTo.delete(sequence);
      released.add(sequence);
      dropOldest(released, releasedKept);
    },
    of(epoch, sequence) {
      const refill = refills.get(sequence) ?? null;
      const lap = refill ?? laps.get(epoch);
      return lap && { lap, refill };
    },
    refill: (sequence) => refills.get(sequence),
    move,
    isVoid({ sequence, refill, lap }) {
      if (released.has(sequence)) return true;
      if (refill) return !refills.has(sequence);
      return !laps.has(lap.epoch) || lap.epoch < (movedTo.get(sequence) ?? 0);
    },
  };
}
