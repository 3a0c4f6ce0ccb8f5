/** Turns the order in which a lap visits kinds into a placement of layers, if there is one. */
import { mergeStages, type Placement } from '../../evaluate.ts';
import { fill } from './fill.ts';
import type { UniformRoom } from './room.ts';

/** Kinds in the order of visits, the source first. If there is a head, the last visit has it. */
export interface Lap {
  kinds: number[];
  /** For each visit, whether it is the first of a member of its kind. */
  isNew: boolean[];
}

/**
 * Deals the blocks to the visits of a lap.
 *
 * @returns null if a device would have more visits than it can hold blocks
 */
export function placeLap(room: UniformRoom, lap: Lap): Placement | null {
  const { kindCount, instance } = room;
  const visited = new Array<number>(kindCount).fill(0);
  const least = new Array<number>(kindCount).fill(0);
  const last = lap.kinds.length - 1;
  for (const [visit, kind] of lap.kinds.entries()) {
    if (lap.isNew[visit]) visited[kind]++;
    if (needsBlock(room, visit, last)) least[kind]++;
  }
  const filling = fill(room, visited, least, room.hasHead ? lap.kinds[last] : -1);
  if (filling === null) return null;

  const members = pickMembers(room, lap);
  if (members === null) return null;
  const blocksOfVisit = spread(room, lap, members, filling.blocks);
  if (blocksOfVisit === null) return null;
  const placement: Placement = [];
  let first = 0;
  for (const [visit, device] of members.entries()) {
    const pinned = visit === 0 ? instance.pinFirst : 0;
    const head = visit === last && room.hasHead ? 1 : 0;
    const layers = pinned + blocksOfVisit[visit] + head;
    if (layers > 0) placement.push({ device, first, last: first + layers - 1 });
    first += layers;
  }
  if (instance.pinLastFrom < instance.layerCount)
    placement.push({ device: instance.source, first, last: instance.layerCount - 1 });
  return mergeStages(placement);
}

/** Every visit needs a layer, so it needs a block unless it has pinned layers or the head. */
function needsBlock(room: UniformRoom, visit: number, last: number): boolean {
  return visit !== 0 && !(visit === last && room.hasHead);
}

/**
 * A member for every visit: a new one if the lap says so, otherwise the least visited one other than the
 * member just left.
 */
function pickMembers(room: UniformRoom, lap: Lap): number[] | null {
  const visitsOf = new Map<number, number>();
  const picked: number[] = [];
  for (const [visit, kind] of lap.kinds.entries()) {
    const members = room.instance.kinds[kind].members;
    const candidates = lap.isNew[visit]
      ? members.filter((member) => !visitsOf.has(member)).slice(0, 1)
      : members.filter((member) => visitsOf.has(member) && member !== picked[visit - 1]);
    const member = candidates.sort((a, b) => (visitsOf.get(a) ?? 0) - (visitsOf.get(b) ?? 0)).at(0);
    if (member === undefined) return null;
    visitsOf.set(member, (visitsOf.get(member) ?? 0) + 1);
    picked.push(member);
  }
  return picked;
}

/** One block for every visit that needs one; the others wherever members of their kind have memory left. */
function spread(
  room: UniformRoom,
  lap: Lap,
  members: number[],
  blocksOfKind: number[],
): number[] | null {
  const last = members.length - 1;
  const left = [...blocksOfKind];
  const blocks = members.map((_, visit) => (needsBlock(room, visit, last) ? 1 : 0));
  const held = new Map<number, number>();
  for (const [visit, member] of members.entries()) {
    left[lap.kinds[visit]] -= blocks[visit];
    held.set(member, (held.get(member) ?? 0) + blocks[visit]);
  }
  for (const [visit, member] of members.entries()) {
    const kind = lap.kinds[visit];
    const holdsHead = room.hasHead && member === members[last];
    const capacity = holdsHead ? room.capacityWithHead[kind] : room.capacity[kind];
    const holds = held.get(member) ?? 0;
    if (holds > capacity) return null;
    const take = Math.min(left[kind], capacity - holds);
    blocks[visit] += take;
    left[kind] -= take;
    held.set(member, holds + take);
  }
  return left.every((count) => count === 0) ? blocks : null;
}
