/** Computes how many blocks each kind of device gets, given the devices that a lap visits. */
import type { UniformRoom } from './room.ts';

export interface Filling {
  /** Blocks on all members of each kind together. */
  blocks: number[];
  ms: number;
}

/**
 * Fills the visited devices fastest first: as blocks are alike, no other way costs less.
 *
 * @param visited how many members of each kind the lap visits
 * @param least the blocks that each kind must have: one for each visit, except visits for pinned layers or
 *   the head
 * @param headOn the kind whose last visited member has the head
 * @returns null if the blocks do not fit, or are too few for so many visits
 */
export function fill(
  room: UniformRoom,
  visited: ArrayLike<number>,
  least: ArrayLike<number>,
  headOn: number,
): Filling | null {
  const ms = fillMs(room, visited, least, headOn);
  if (ms === Infinity) return null;
  const blocks = Array.from(least);
  let left = room.blocks - blocks.reduce((sum, count) => sum + count, 0);
  for (const kind of fastestFirst(room)) {
    const take = Math.min(left, capacityOf(room, visited, headOn, kind) - least[kind]);
    blocks[kind] += take;
    left -= take;
  }
  return { blocks, ms };
}

/** The cost of `fill` alone; infinite if the blocks do not fit. */
export function fillMs(
  room: UniformRoom,
  visited: ArrayLike<number>,
  least: ArrayLike<number>,
  headOn: number,
): number {
  let left = room.blocks;
  let ms = 0;
  for (let kind = 0; kind < room.kindCount; kind++) {
    if (capacityOf(room, visited, headOn, kind) < least[kind]) return Infinity;
    left -= least[kind];
    ms += least[kind] * room.blockMs[kind];
  }
  if (left < 0) return Infinity;
  for (const kind of fastestFirst(room)) {
    const take = Math.min(left, capacityOf(room, visited, headOn, kind) - least[kind]);
    ms += take * room.blockMs[kind];
    left -= take;
    if (left === 0) return ms;
  }
  return left === 0 ? ms : Infinity;
}

function capacityOf(
  room: UniformRoom,
  visited: ArrayLike<number>,
  headOn: number,
  kind: number,
): number {
  const capacity = visited[kind] * Math.max(0, room.capacity[kind]);
  if (kind !== headOn) return capacity;
  if (room.capacityWithHead[kind] < 0) return -1;
  return capacity - room.capacity[kind] + room.capacityWithHead[kind];
}

const orders = new WeakMap<UniformRoom, number[]>();

function fastestFirst(room: UniformRoom): number[] {
  let order = orders.get(room);
  if (order === undefined) {
    order = room.blockMs.map((_, kind) => kind).sort((a, b) => room.blockMs[a] - room.blockMs[b]);
    orders.set(room, order);
  }
  return order;
}
