/** Which rows of a lap lack the caches of a sequence, and from whose hidden states they are filled. */
import type { Lap } from '../../lap.ts';
import { layersOf, type CacheBook, type PlacedRow } from './cache-map.ts';

export interface PlannedRefill {
  /** Who kept the states that go into the first leg; the host where that is row 0. */
  source: string;
  /** Position of the first state to be sent again. */
  from: number;
  /** Rows in order. Those that are not filled have their caches, and are crossed only to reach the others. */
  legs: { device: string; first: number; last: number; isFilled: boolean }[];
}

interface Wanted {
  sequence: number;
  /** Positions that every layer of the lap is to hold. */
  upTo: number;
  /** An answer runs on an older lap meanwhile: caches of rows that are crossed must stay as they are. */
  isBeside: boolean;
}

/** Rows without a cache, one after the other. */
interface Gap {
  first: number;
  last: number;
  /** Positions that all of them hold. */
  held: number;
}

/** One refill a gap; gaps that nobody kept states between are filled by one that passes through both. */
export function planRefills(
  book: CacheBook,
  lap: Lap,
  headRow: number,
  { sequence, upTo, isBeside }: Wanted,
): PlannedRefill[] {
  const layers = layersOf(lap, headRow);
  const heldIn = ({ row, device }: PlacedRow): number => book.held(sequence, row, device);
  const planned: { gap: Gap; source: string; row: number; from: number }[] = [];
  for (let gap of gapsIn(layers, heldIn, upTo)) {
    let start = nearest(gap);
    for (;;) {
      const before = planned.at(-1);
      if (!before || start.row > before.gap.last) break;
      planned.pop();
      const held = Math.min(before.gap.held, gap.held);
      gap = { first: before.gap.first, last: gap.last, held };
      start = nearest(gap);
    }
    planned.push({ gap, ...start });
  }
  return planned.map(({ gap, source, row, from }) => ({
    source,
    from,
    legs: legsOf(row, gap.last),
  }));

  /** The nearest row at or before the gap whose input somebody kept, or else the token ids. */
  function nearest(gap: Gap): { source: string; row: number; from: number } {
    for (let row = gap.first; row > 0; row--) {
      const from = startOf(row, gap);
      const source = book.keepers(sequence, row, from, upTo).at(0);
      if (source !== undefined) return { source, row, from };
    }
    return { source: 'host', row: 0, from: startOf(0, gap) };
  }

  /** Rows that are only crossed, beside their caches, begin with nothing. */
  function startOf(first: number, { last, held }: Gap): number {
    const crosses = layers.some(
      (layer) => layer.row >= first && layer.row <= last && heldIn(layer) >= upTo,
    );
    return isBeside && crosses ? 0 : held;
  }

  function legsOf(first: number, last: number): PlannedRefill['legs'] {
    const legs: PlannedRefill['legs'] = [];
    if (first === 0) {
      const [{ device }] = lap.stages;
      legs.push({ device, first: 0, last: 0, isFilled: heldIn(layers[0]) < upTo });
    }
    for (const layer of layers) {
      const { row, device } = layer;
      if (row < first || row > last) continue;
      const isFilled = heldIn(layer) < upTo;
      const leg = legs.at(-1);
      if (leg?.device === device && leg.isFilled === isFilled) leg.last = row;
      else legs.push({ device, first: row, last: row, isFilled });
    }
    return legs;
  }
}

function gapsIn(layers: PlacedRow[], heldIn: (layer: PlacedRow) => number, upTo: number): Gap[] {
  const gaps: Gap[] = [];
  for (const layer of layers) {
    const held = heldIn(layer);
    if (held >= upTo) continue;
    const gap = gaps.at(-1);
    if (gap?.last === layer.row - 1) {
      gap.last = layer.row;
      gap.held = Math.min(gap.held, held);
    } else gaps.push({ first: layer.row, last: layer.row, held });
  }
  return gaps;
}
