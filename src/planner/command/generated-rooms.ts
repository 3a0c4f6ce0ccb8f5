/** Generates rooms from a seed, to measure the planner with. The same seed gives the same room everywhere. */
import type { Device, Link, Problem } from '../problem.ts';
import { startRandom } from '../random.ts';

/**
 * `near`: each device has its own distance to the network, as on a LAN. `uneven`: any pair may be fast, slow
 * or without a link. `star`: all are linked to the host only.
 */
export type Wiring = 'near' | 'uneven' | 'star';

export interface RoomRecipe {
  seed: number;
  layers: number;
  /** The number of devices of each kind; all 1 if every device differs. The first is the host. */
  counts: number[];
  /** The number of blocks that all devices together can hold, divided by the model's. */
  tightness: number;
  wiring: Wiring;
  /** Whether a device's time differs between blocks. */
  layersDiffer: boolean;
  /** Whether blocks also differ in size, which no known architecture does. */
  memoryDiffers?: boolean;
}

export function generateRoom(recipe: RoomRecipe): Problem {
  const random = startRandom(recipe.seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const logBetween = (low: number, high: number) =>
    Math.exp(between(Math.log(low), Math.log(high)));
  const blocks = recipe.layers - 2;
  const blockBytes = Math.round(between(50e6, 400e6));
  const hiddenBytes = 2048 * Math.ceil(between(1, 6));
  const ids = recipe.counts.map((_, kind) => (kind === 0 ? 'host' : `d${kind}`));
  const blocksHeld = dealBlocks(recipe, blocks + 4, random);

  const layers: Problem['layers'] = Array.from({ length: recipe.layers }, (_, layer) => {
    const isEdge = layer === 0 || layer === recipe.layers - 1;
    const differs = recipe.memoryDiffers === true && !isEdge ? between(0.8, 1) : 1;
    return {
      name: layer === 0 ? 'embed' : layer === recipe.layers - 1 ? 'head' : `block${layer - 1}`,
      memoryBytes: Math.round(blockBytes * (isEdge ? 2 : differs)),
      outputBytes: layer === recipe.layers - 1 ? 16 : hiddenBytes,
    };
  });
  const devices: Device[] = recipe.counts.map((count, kind) => {
    const blockMs = logBetween(0.4, 8);
    return {
      id: ids[kind],
      count,
      memoryBytes: Math.round(blocksHeld[kind] * blockBytes * between(1, 1.05)),
      layerMs: layers.map(({ name }) => {
        if (name === 'embed') return blockMs * 0.1;
        if (name === 'head') return blockMs * 2.5;
        return blockMs * (recipe.layersDiffer ? between(0.8, 1.25) : 1);
      }),
    };
  });
  return {
    layers,
    devices,
    links: wire(recipe, ids, random),
    source: 'host',
    // A head is as large as two blocks. If hardly any device has that much, it stays on the host.
    pin: { first: 1, last: random() < 0.5 || Math.max(...blocksHeld.slice(1)) < 3 ? 1 : 0 },
  };
}

/**
 * The blocks that a member of each kind can hold, at random, with a sum given by the tightness. The host can
 * hold the pinned layers.
 */
function dealBlocks(recipe: RoomRecipe, blocks: number, random: () => number): number[] {
  const total = Math.ceil(recipe.tightness * blocks);
  const weights = recipe.counts.map((count) => count * (0.3 + random()));
  const sum = weights.reduce((a, b) => a + b, 0);
  const held = recipe.counts.map((count, kind) =>
    Math.max(1, Math.round((total * weights[kind]) / sum / count)),
  );
  held[0] = Math.max(held[0], 5);
  return held;
}

function wire(recipe: RoomRecipe, ids: string[], random: () => number): Link[] {
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)];
  const access = ids.map(() => ({
    latencyMs: 0.3 + 4 * random() ** 2,
    mbps: pick([20, 50, 100, 300]),
  }));
  const links: Link[] = [];
  for (const [from, fromId] of ids.entries())
    for (const [to, toId] of ids.entries()) {
      if (from === to && recipe.counts[from] === 1) continue;
      if (recipe.wiring === 'star' && from !== 0 && to !== 0) continue;
      const ends = { from: fromId, to: toId };
      if (recipe.wiring === 'uneven') {
        if (random() < 0.1 && from !== 0 && to !== 0) continue;
        links.push({
          ...ends,
          latencyMs: pick([0.3, 1, 2, 5, 20]),
          mbps: pick([5, 20, 50, 200]),
        });
      } else
        links.push({
          ...ends,
          latencyMs: access[from].latencyMs + access[to].latencyMs + 0.3 * random(),
          mbps: Math.min(access[from].mbps, access[to].mbps),
        });
    }
  return links;
}
