/**
 * Tells whether any order of devices stays within a bottleneck, by dynamic programming over the sets of
 * devices visited.
 */
import { transferMs, type Instance } from '../../instance.ts';
import type { Deadline } from '../deadline.ts';
import type { Tables } from '../general/tables.ts';
import { createVisitedSets, type VisitedSets } from '../uniform/visited-sets.ts';

export type Reach =
  | { answer: 'yes'; order: number[] }
  /** Proven: no plan stays within the bottleneck. */
  | { answer: 'no' }
  | { answer: 'unknown' };

/**
 * A state is (how many members of each kind were visited, the last kind), and its value the fewest layers
 * left. Within a given bottleneck, a path that has placed more layers can do whatever one with fewer can.
 *
 * @param width the number of visited sets of each size to keep; an answer is certain only if all were kept
 */
export function reachWithin(
  instance: Instance,
  tables: Tables,
  bottleneckMs: number,
  width: number,
  deadline: Deadline,
): Reach {
  const { kinds, sourceKind, pinFirst, pinLastFrom: end } = instance;
  const kindCount = kinds.length;
  const count = kinds.map(({ members }) => Math.min(members.length, end));
  const ends = kinds.map((_, kind) => furthestEnds(instance, tables, kind, bottleneckMs));
  const mayPass = allowedLinks(instance, bottleneckMs);
  const mayReturn = kinds.map(
    (_, kind) =>
      kind === sourceKind || transferMs(instance, end - 1, kind, sourceKind) <= bottleneckMs,
  );
  if (!everyLayerHasAPlace(instance, ends)) return { answer: 'no' };
  const mostLayers = ends.map(({ mostLayers }) => mostLayers);
  const sets = createVisitedSets(new Array<number>(kindCount).fill(0), count, kindCount);

  let frontier = [0];
  let complete = true;
  while (frontier.length > 0) {
    const next: number[] = [];
    for (const slot of frontier) {
      if (deadline.passed()) return { answer: 'unknown' };
      const done = extend(slot, next);
      if (done !== null) return { answer: 'yes', order: retrace(instance, sets, ...done) };
    }
    frontier = next;
    if (frontier.length > width) {
      complete = false;
      const leftOf = (slot: number) =>
        Math.min(...sets.ms().subarray(slot * kindCount, (slot + 1) * kindCount));
      frontier = frontier
        .map((slot) => ({ slot, left: leftOf(slot) }))
        .sort((a, b) => a.left - b.left)
        .slice(0, width)
        .map(({ slot }) => slot);
    }
  }
  return { answer: complete ? 'no' : 'unknown' };

  function extend(slot: number, next: number[]): [slot: number, kind: number] | null {
    const counts = sets.countsOf(slot).slice();
    let spare = 0;
    for (let kind = 0; kind < kindCount; kind++)
      spare += (count[kind] - counts[kind]) * mostLayers[kind];
    for (let kind = 0; kind < kindCount; kind++) {
      if (counts[kind] >= count[kind] || mostLayers[kind] === 0) continue;
      if (slot === 0 && pinFirst > 0 && kind !== sourceKind) continue;
      let placed = slot === 0 ? ends[kind].first : 0;
      let from = -1;
      for (let last = 0; last < kindCount && slot !== 0; last++) {
        const left = sets.ms()[slot * kindCount + last];
        if (left === Infinity || mayPass[last * kindCount + kind] === 0) continue;
        const reached = ends[kind].after[end - left];
        if (reached > placed) [placed, from] = [reached, last];
      }
      const left = end - placed;
      if (placed === 0 || left > spare - mostLayers[kind]) continue;
      let known = sets.find(slot, kind, 1);
      if (known < 0) {
        known = sets.add(slot, kind);
        next.push(known);
      }
      const at = known * kindCount + kind;
      if (left >= sets.ms()[at]) continue;
      sets.ms()[at] = left;
      sets.before()[at] = from;
      if (left === 0 && mayReturn[kind]) return [known, kind];
    }
    return null;
  }
}

interface FurthestEnds {
  /** The first layer not placed if the lap starts here. */
  first: number;
  /** The same if up to `placed` layers are placed; 0 if none can be added. */
  after: Int32Array;
  mostLayers: number;
}

function furthestEnds(
  instance: Instance,
  { msBefore, bytesBefore, layerCount }: Tables,
  kind: number,
  bottleneckMs: number,
): FurthestEnds {
  const { kinds, sourceKind, pinFirst, pinLastFrom: end } = instance;
  const base = kind * (layerCount + 1);
  const isSource = kind === sourceKind;
  const limitMs =
    bottleneckMs - (isSource ? msBefore[base + layerCount] - msBefore[base + end] : 0);
  const limitBytes =
    kinds[kind].memoryBytes - (isSource ? bytesBefore[layerCount] - bytesBefore[end] : 0);
  const after = new Int32Array(end + 1);
  let first = 0;
  let mostLayers = 0;
  let layer = 0;
  for (let start = isSource ? 0 : pinFirst; start < end; start++) {
    layer = Math.max(layer, start);
    while (
      layer < end &&
      msBefore[base + layer + 1] - msBefore[base + start] <= limitMs * (1 + 1e-12) &&
      bytesBefore[layer + 1] - bytesBefore[start] <= limitBytes
    )
      layer++;
    mostLayers = Math.max(mostLayers, layer - start);
    if (start === 0) first = layer >= Math.max(1, pinFirst) ? layer : 0;
    if (layer > start && start > 0) after[start] = layer;
  }
  for (let placed = 1; placed <= end; placed++)
    after[placed] = Math.max(after[placed], after[placed - 1]);
  return { first, after, mostLayers };
}

/** The other devices must take the layers after the source's first range, if the lap starts on it. */
function everyLayerHasAPlace(
  { kinds, sourceKind, pinFirst, pinLastFrom: end }: Instance,
  ends: FurthestEnds[],
): boolean {
  const others = kinds
    .map((_, kind) => kind)
    .filter((kind) => pinFirst === 0 || kind !== sourceKind);
  for (let layer = Math.max(1, ends[sourceKind].first); layer < end; layer++)
    if (!others.some((kind) => ends[kind].after[layer] > layer)) return false;
  return true;
}

/** The least bottleneck at which all devices together could hold the layers, whatever the links. */
export function capacityBoundMs(instance: Instance, tables: Tables, upperMs: number): number {
  const { kinds, pinLastFrom: end } = instance;
  let [low, high] = [0, upperMs];
  for (let step = 0; step < 40 && high - low > 1e-6 * high; step++) {
    const middle = (low + high) / 2;
    const layers = kinds.reduce(
      (sum, { members }, kind) =>
        sum + members.length * furthestEnds(instance, tables, kind, middle).mostLayers,
      0,
    );
    if (layers < end) low = middle;
    else high = middle;
  }
  return low;
}

/** 1 if some output between free layers can be sent within the bottleneck, at [from * kinds + to]. */
function allowedLinks(instance: Instance, bottleneckMs: number): Uint8Array {
  const { kinds, pinFirst, pinLastFrom, crossingBytes } = instance;
  const kindCount = kinds.length;
  const allowed = new Uint8Array(kindCount * kindCount);
  const cuts = Array.from(crossingBytes.keys()).slice(Math.max(0, pinFirst - 1), pinLastFrom - 1);
  if (cuts.length === 0) return allowed;
  const lightest = cuts.reduce((least, layer) =>
    crossingBytes[layer] < crossingBytes[least] ? layer : least,
  );
  for (let from = 0; from < kindCount; from++)
    for (let to = 0; to < kindCount; to++)
      if (
        (from !== to || kinds[from].members.length > 1) &&
        transferMs(instance, lightest, from, to) <= bottleneckMs
      )
        allowed[from * kindCount + to] = 1;
  return allowed;
}

function retrace(
  instance: Instance,
  sets: VisitedSets,
  endSlot: number,
  endKind: number,
): number[] {
  const kindCount = instance.kinds.length;
  const kindsInOrder: number[] = [];
  let [slot, kind] = [endSlot, endKind];
  while (kind >= 0) {
    kindsInOrder.unshift(kind);
    const before = sets.before()[slot * kindCount + kind];
    slot = sets.find(slot, kind, -1);
    kind = before;
  }
  const taken = instance.kinds.map(() => 0);
  return kindsInOrder.map((each) => instance.kinds[each].members[taken[each]++]);
}
