/** Plans a cache rebuild: which layers of a lap lack the cache of a sequence, and whose hidden states rebuild it. */
import type { Lap } from '../../lap.ts';
import { blocksOf, type CacheMap, type PlacedLayer } from './cache-map.ts';

export interface PlannedRebuild {
  /** Who kept the states that go into the first leg; the host, with the token ids, where that is layer 0. */
  source: string;
  /** Position of the first state to be sent again. */
  from: number;
  /** Layers in order. Those that are not rebuilt have their caches, and are crossed only to reach the others. */
  legs: { device: string; first: number; last: number; isRebuilt: boolean }[];
}

interface Wanted {
  sequence: number;
  /** Positions that every block of the lap is to hold. */
  upTo: number;
  /** An answer runs on an older lap meanwhile: caches of layers that are crossed must stay as they are. */
  isBeside: boolean;
}

/** Layers without a cache, one after the other. */
interface Gap {
  first: number;
  last: number;
  /** Positions that all of them hold. */
  held: number;
}

/** One cache rebuild for each gap; gaps that nobody kept states between have one that passes through both. */
export function planRebuilds(
  cacheMap: CacheMap,
  lap: Lap,
  headLayer: number,
  { sequence, upTo, isBeside }: Wanted,
): PlannedRebuild[] {
  const blocks = blocksOf(lap, headLayer);
  const heldIn = ({ layer, device }: PlacedLayer): number => cacheMap.held(sequence, layer, device);
  const planned: { gap: Gap; source: string; layer: number; from: number }[] = [];
  for (let gap of gapsIn(blocks, heldIn, upTo)) {
    let start = nearest(gap);
    for (;;) {
      const before = planned.at(-1);
      if (!before || start.layer > before.gap.last) break;
      planned.pop();
      const held = Math.min(before.gap.held, gap.held);
      gap = { first: before.gap.first, last: gap.last, held };
      start = nearest(gap);
    }
    planned.push({ gap, ...start });
  }
  return planned.map(({ gap, source, layer, from }) => ({
    source,
    from,
    legs: legsOf(layer, gap.last),
  }));

  /** The nearest layer at or before the gap whose input somebody kept, or else the token ids. */
  function nearest(gap: Gap): { source: string; layer: number; from: number } {
    for (let layer = gap.first; layer > 0; layer--) {
      const from = startOf(layer, gap);
      const source = cacheMap.keepers(sequence, layer, from, upTo).at(0);
      if (source !== undefined) return { source, layer, from };
    }
    return { source: 'host', layer: 0, from: startOf(0, gap) };
  }

  /** Layers that are only crossed, beside their caches, begin with nothing. */
  function startOf(first: number, { last, held }: Gap): number {
    const crosses = blocks.some(
      (block) => block.layer >= first && block.layer <= last && heldIn(block) >= upTo,
    );
    return isBeside && crosses ? 0 : held;
  }

  function legsOf(first: number, last: number): PlannedRebuild['legs'] {
    const legs: PlannedRebuild['legs'] = [];
    if (first === 0) {
      const [{ device }] = lap.stages;
      legs.push({ device, first: 0, last: 0, isRebuilt: heldIn(blocks[0]) < upTo });
    }
    for (const block of blocks) {
      const { layer, device } = block;
      if (layer < first || layer > last) continue;
      const isRebuilt = heldIn(block) < upTo;
      const leg = legs.at(-1);
      if (leg?.device === device && leg.isRebuilt === isRebuilt) leg.last = layer;
      else legs.push({ device, first: layer, last: layer, isRebuilt });
    }
    return legs;
  }
}

function gapsIn(
  blocks: PlacedLayer[],
  heldIn: (block: PlacedLayer) => number,
  upTo: number,
): Gap[] {
  const gaps: Gap[] = [];
  for (const block of blocks) {
    const held = heldIn(block);
    if (held >= upTo) continue;
    const gap = gaps.at(-1);
    if (gap?.last === block.layer - 1) {
      gap.last = block.layer;
      gap.held = Math.min(gap.held, held);
    } else gaps.push({ first: block.layer, last: block.layer, held });
  }
  return gaps;
}
