/**
 * Maps which devices have the keys and values of which sequence in which layers, and who kept the hidden states that
 * went into a layer. The end of a plan or the loss of a device takes some of it. What is left is not computed again.
 */
import type { Lap } from '../../lap.ts';
import type { CacheRebuild } from '../../replay/index.ts';

export interface CacheMap {
  /** The sequence's positions from `from` up to `upTo` went round the lap. */
  ran(sequence: number, lap: Lap, from: number, upTo: number): void;
  /** Positions from `from` up to `upTo` went through the cache rebuild. */
  rebuilt(rebuild: CacheRebuild, from: number, upTo: number): void;
  /** The cache rebuild is about to write from there: what was cached beyond is not to be used any more. */
  rebuildBegins(rebuild: CacheRebuild, from: number): void;
  /** Only the first `length` positions are of use. */
  cut(sequence: number, length: number): void;
  /** `sequence` begins with the first `length` positions of `from`, on this lap. */
  forked(sequence: number, from: number, length: number, lap: Lap): void;
  release(sequence: number): void;
  /** What this device had is gone. */
  lost(deviceId: string): void;
  /** Layers that none of these laps needs are unloaded, and their caches with them. */
  keepLaps(laps: readonly Lap[]): void;
  /** Positions that the device has cached in the layer. */
  held(sequence: number, layer: number, deviceId: string): number;
  /** Whether every device of the lap has the first `length` positions where the lap needs them. */
  holdsAll(sequence: number, lap: Lap, length: number): boolean;
  /** Whether some device of the lap has something of the sequence where the lap needs it. */
  holdsAny(sequence: number, lap: Lap): boolean;
  /** Devices that kept the states of the positions from `from` up to `upTo` which went into this layer. */
  keepers(sequence: number, layer: number, from: number, upTo: number): string[];
  /** The device says that it did not keep them, or no longer. */
  replayMissing(sequence: number, layer: number, deviceId: string): void;
}

interface Entry {
  /** Positions cached, by layer and device. */
  held: Map<string, number>;
  /** States kept, by layer that they go into and device. */
  kept: Map<string, { from: number; upTo: number }>;
}

/** The head is the model's last layer, `headLayer`; it and the embedding have no cache. */
export function createCacheMap(headLayer: number): CacheMap {
  const entries = new Map<number, Entry>();

  function entryOf(sequence: number): Entry {
    let entry = entries.get(sequence);
    if (!entry) entries.set(sequence, (entry = { held: new Map(), kept: new Map() }));
    return entry;
  }

  /** As `replay-buffer.ts` keeps them: what does not join what is there takes its place. */
  function keep(sequence: number, layer: number, device: string, from: number, upTo: number): void {
    if (layer >= headLayer) return;
    const { kept } = entryOf(sequence);
    const before = kept.get(place(layer, device));
    const isJoined = before && from >= before.from && from <= before.upTo;
    kept.set(place(layer, device), { from: isJoined ? before.from : from, upTo });
  }

  function held(sequence: number, layer: number, device: string): number {
    return entries.get(sequence)?.held.get(place(layer, device)) ?? 0;
  }

  function ran(sequence: number, lap: Lap, from: number, upTo: number): void {
    const cached = entryOf(sequence).held;
    for (const { device, layer } of blocksOf(lap, headLayer))
      cached.set(place(layer, device), upTo);
    lap.stages.forEach(({ device, last }, index) => {
      const next = lap.stages.at(index + 1);
      if (next && next.device !== device) keep(sequence, last + 1, device, from, upTo);
    });
  }

  return {
    ran,
    rebuildBegins(rebuild, from) {
      const { held: cached } = entryOf(rebuild.fills);
      for (const { device, layer } of rebuiltBy(rebuild, headLayer))
        cached.set(place(layer, device), Math.min(held(rebuild.fills, layer, device), from));
    },
    rebuilt(rebuild, from, upTo) {
      const { held: cached } = entryOf(rebuild.fills);
      for (const { device, layer } of rebuiltBy(rebuild, headLayer))
        cached.set(place(layer, device), upTo);
      rebuild.stages.forEach(({ device, last }, index) => {
        if (rebuild.stages.at(index + 1)?.device !== device)
          keep(rebuild.fills, last + 1, device, from, upTo);
      });
    },
    cut(sequence, length) {
      const { held: cached, kept } = entryOf(sequence);
      for (const [name, positions] of cached) cached.set(name, Math.min(positions, length));
      for (const [name, { from, upTo }] of kept) {
        if (from >= length) kept.delete(name);
        else kept.set(name, { from, upTo: Math.min(upTo, length) });
      }
    },
    forked(sequence, from, length, lap) {
      ran(sequence, lap, 0, length);
      const source = entryOf(from).kept;
      const { kept } = entryOf(sequence);
      for (const name of kept.keys()) {
        const there = source.get(name);
        if (!there || there.from > 0 || there.upTo < length) kept.delete(name);
      }
    },
    release: (sequence) => void entries.delete(sequence),
    lost(deviceId) {
      for (const { held: cached, kept } of entries.values())
        for (const map of [cached, kept])
          for (const name of map.keys()) if (name.endsWith(` ${deviceId}`)) map.delete(name);
    },
    keepLaps(laps) {
      const loaded = new Set(
        laps.flatMap((lap) =>
          blocksOf(lap, headLayer).map(({ layer, device }) => place(layer, device)),
        ),
      );
      for (const { held: cached } of entries.values())
        for (const name of cached.keys()) if (!loaded.has(name)) cached.delete(name);
    },
    held,
    holdsAll: (sequence, lap, length) =>
      blocksOf(lap, headLayer).every(
        ({ layer, device }) => held(sequence, layer, device) >= length,
      ),
    holdsAny: (sequence, lap) =>
      blocksOf(lap, headLayer).some(({ layer, device }) => held(sequence, layer, device) > 0),
    keepers(sequence, layer, from, upTo) {
      const kept = entries.get(sequence)?.kept ?? new Map<string, never>();
      return [...kept]
        .filter(([name, span]) => {
          const isOfLayer = name.startsWith(`${layer} `);
          return isOfLayer && span.from <= from && span.upTo >= upTo;
        })
        .map(([name]) => name.slice(name.indexOf(' ') + 1));
    },
    replayMissing: (sequence, layer, device) =>
      void entries.get(sequence)?.kept.delete(place(layer, device)),
  };
}

export interface PlacedLayer {
  layer: number;
  device: string;
}

/** The layers of a lap that keep a cache, in order. */
export function blocksOf({ stages }: Pick<Lap, 'stages'>, headLayer: number): PlacedLayer[] {
  return stages
    .flatMap(({ device, first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => ({ layer: first + index, device })),
    )
    .filter(({ layer }) => layer > 0 && layer < headLayer);
}

/** Layers whose cache the rebuild writes. */
function rebuiltBy({ stages, fills }: CacheRebuild, headLayer: number): PlacedLayer[] {
  return blocksOf({ stages: stages.filter(({ cache }) => cache === fills) }, headLayer);
}

function place(layer: number, device: string): string {
  return `${layer} ${device}`;
}
