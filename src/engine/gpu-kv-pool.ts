/**
 * The keys and values, in one block, of sequences that are decoded together on a GPU. They are in one buffer
 * each, with a slot for each sequence, so one run attends for all of them with one pass over the weights.
 *
 * A sequence enters when it first shares a run. It leaves when it runs alone or its slot goes to another.
 * `batch-slots.ts` assigns slots for all blocks at once; the pool moves the contents.
 */
import type { BoundCache } from './bound-cache.ts';
import type { GpuKvCache, KvMemory, KvRegion } from './gpu-kv-cache.ts';
import type { KvTensors } from './kv-cache.ts';

export interface PoolBinding extends KvTensors {
  /**
   * For every slot, the sequence's length after the run. A slot that takes no part is computed too: it writes
   * after the end of its sequence.
   */
  totals: Int32Array;
}

export interface GpuKvPool {
  /** One entry for each slot from the first; null for a slot that takes no part in this run. */
  bind(runs: readonly (BoundCache<GpuKvCache> | null)[]): Promise<PoolBinding>;
  /** Frees the memory once no sequence is in it. */
  tidy(): void;
  dispose(): void;
}

interface Memory {
  key: GPUBuffer;
  value: GPUBuffer;
  capacity: number;
  regions: KvRegion[];
}

export function createGpuKvPool(memory: KvMemory, contextLength: number): GpuKvPool {
  let held: Memory | null = null;
  let occupants: (GpuKvCache | null)[] = [];

  /** Null also if the sequence has ended or moved elsewhere. */
  function occupant(slot: number): GpuKvCache | null {
    const cache = occupants.at(slot) ?? null;
    return cache && cache.region === held?.regions[slot] ? cache : null;
  }

  function free(): void {
    held?.key.destroy();
    held?.value.destroy();
    held = null;
  }

  /** Allocates `slots` of `capacity` positions, and moves the present contents there. */
  async function resize(slots: number, capacity: number): Promise<Memory> {
    const size = memory.bytes(capacity);
    const buffers = await memory.allocate(slots, capacity);
    const regions = Array.from({ length: slots }, (_, slot): KvRegion => {
      return { ...buffers, capacity, offset: slot * size };
    });
    const staying = regions.map((_, slot) => occupant(slot));
    staying.forEach((cache, slot) => cache?.moveTo(regions[slot]));
    free();
    occupants = staying;
    held = { ...buffers, capacity, regions };
    return held;
  }

  async function reserve(slots: number, total: number): Promise<Memory> {
    const now = held?.regions.length ?? 0;
    const isTooLarge = now > 2 * slots;
    if (held && now >= slots && held.capacity >= total && !isTooLarge) return held;
    if (isTooLarge) for (let slot = slots; slot < now; slot++) await occupant(slot)?.moveOut();
    const capacity = memory.grown(held?.capacity ?? 0, total);
    return resize(isTooLarge ? slots : Math.max(slots, now), capacity);
  }

  return {
    async bind(runs) {
      for (const [slot, run] of runs.entries()) {
        const there = occupant(slot);
        // A full sequence has no place after its end where another's run may write.
        const mustLeave = run ? there !== run.cache : there?.length === contextLength;
        if (mustLeave) await there?.moveOut();
      }
      const totals = (): Int32Array =>
        Int32Array.from(runs, (run, slot) => run?.total ?? (occupant(slot)?.length ?? 0) + 1);
      const { key, value, capacity, regions } = await reserve(runs.length, Math.max(...totals()));
      for (const [slot, run] of runs.entries()) {
        if (!run || occupant(slot) === run.cache) continue;
        // WebGPU does not copy within one buffer.
        if (run.cache.region?.key === key) await run.cache.moveOut();
        run.cache.moveTo(regions[slot]);
        occupants[slot] = run.cache;
      }
      return {
        key: memory.tensor(key, runs.length, capacity),
        value: memory.tensor(value, runs.length, capacity),
        totals: totals(),
      };
    },
    tidy() {
      if (occupants.every((_, slot) => occupant(slot) === null)) free();
    },
    dispose() {
      free();
      occupants = [];
    },
  };
}
