/**
 * Dynamic programming over (layer, kind, how full each device is): stronger than the relaxation, cheaper than
 * a full search.
 *
 * How full a device is counts in quarters of its memory, rounded down, and states equal in quarters are one
 * state. So their number stays bounded, where labels with exact memory multiply, yet no path can fill a
 * device twice. Memory that the rounding misses is still charged at the relaxation's prices. Only states that
 * could lead below a threshold are kept: when none is left, the threshold is a proven bound. Kinds with
 * several members are not remembered.
 */
import type { Placement } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import type { Deadline } from '../deadline.ts';
import type { Relaxation } from './relaxation.ts';
import { createStateTable, type StateTable } from './state-table.ts';
import type { Tables } from './tables.ts';

/** Two bits each in one 32-bit word. */
const mostRemembered = 15;
const levels = 4;

/** With more states the tables outgrow a phone's memory. */
const mostStates = 4_000_000;

/** Packs a layer and an index below this into one number. */
const layerStride = 2 ** 24;

export interface FillLevelsResult {
  /** No plan costs less; null if time or memory ran out first. */
  boundMs: number | null;
  /** The cheapest path, if it is below the threshold. It may need more memory than there is. */
  path: Placement | null;
}

export function searchFillLevels(
  instance: Instance,
  tables: Tables,
  relaxation: Relaxation,
  thresholdMs: number,
  deadline: Deadline,
): FillLevelsResult {
  const { layerCount, kindCount, msBefore, bytesBefore, reach, hopMs, homeMs, usableBytes } =
    tables;
  const { visitMs, leaveMs, price, paidBackMs } = relaxation;
  const width = layerCount + 1;
  const limitMs = thresholdMs + paidBackMs;
  const shiftOf = pickRemembered(instance, tables, relaxation);
  const usedAtLevel = instance.kinds.map((_, kind) => leastUsedAtLevels(instance, tables, kind));
  const arrivals = Array.from({ length: layerCount }, createStateTable);
  const departures = Array.from({ length: layerCount }, createStateTable);
  for (let kind = 0; kind < kindCount; kind++)
    if (visitMs[kind] < limitMs) arrivals[0].put(kind, 0, 0, -1);
  let states = 0;

  for (let layer = 0; layer < layerCount; layer++) {
    const here = arrivals[layer];
    for (let index = 0; index < here.size(); index++) {
      if (deadline.passed()) return { boundMs: null, path: null };
      visit(layer, here, index);
    }
    if (layer === layerCount - 1) break;
    const leaving = departures[layer];
    for (let index = 0; index < leaving.size(); index++) {
      if (deadline.passed()) return { boundMs: null, path: null };
      leave(layer, leaving, index);
    }
    states += here.size() + leaving.size();
    if (states > mostStates) return { boundMs: null, path: null };
  }

  const ends = departures[layerCount - 1];
  let best = -1;
  let bestMs = thresholdMs;
  for (let index = 0; index < ends.size(); index++) {
    const ms = ends.msAt(index) + homeMs[ends.kindAt(index)] - paidBackMs;
    if (ms < bestMs) [best, bestMs] = [index, ms];
  }
  return { boundMs: bestMs, path: best < 0 ? null : retrace(best) };

  function visit(layer: number, here: StateTable, index: number): void {
    const kind = here.kindAt(index);
    const memory = here.memoryAt(index);
    const shift = shiftOf[kind];
    const level = shift < 0 ? 0 : (memory >>> shift) & (levels - 1);
    const usedBytes = usedAtLevel[kind][level];
    const leftBytes = usableBytes[kind] - usedBytes;
    const soFarMs = here.msAt(index) - msBefore[kind * width + layer];
    const end = reach[kind * layerCount + layer];
    for (let last = layer; last < end; last++) {
      const bytes = bytesBefore[last + 1] - bytesBefore[layer];
      if (bytes > leftBytes) break;
      const ms = soFarMs + msBefore[kind * width + last + 1] + price[kind] * bytes;
      if (ms + leaveMs[last * kindCount + kind] >= limitMs) continue;
      let after = memory;
      if (shift >= 0) {
        let reached = level;
        while (reached < levels - 1 && usedBytes + bytes >= usedAtLevel[kind][reached + 1])
          reached++;
        after += (reached - level) << shift;
      }
      departures[last].put(kind, after, ms, layer * layerStride + index);
    }
  }

  function leave(layer: number, leaving: StateTable, index: number): void {
    const kind = leaving.kindAt(index);
    const soFarMs = leaving.msAt(index);
    const hops = (layer * kindCount + kind) * kindCount;
    for (let to = 0; to < kindCount; to++) {
      const ms = soFarMs + hopMs[hops + to];
      if (ms + visitMs[(layer + 1) * kindCount + to] < limitMs)
        arrivals[layer + 1].put(to, leaving.memoryAt(index), ms, index);
    }
  }

  function retrace(end: number): Placement {
    const path: Placement = [];
    let index = end;
    for (let last = layerCount - 1; last >= 0;) {
      const kind = departures[last].kindAt(index);
      const from = departures[last].fromAt(index);
      const first = Math.floor(from / layerStride);
      path.unshift({ device: instance.kinds[kind].members[0], first, last });
      index = arrivals[first].fromAt(from % layerStride);
      last = first - 1;
    }
    return path;
  }
}

/**
 * The position of each kind's two bits; -1 for kinds that are not remembered. The kinds with the most
 * expensive memory come first.
 */
function pickRemembered(
  { kinds }: Instance,
  { usableBytes }: Tables,
  { price }: Relaxation,
): number[] {
  const shifts = kinds.map(() => -1);
  kinds
    .map(({ members }, kind) => ({ kind, single: members.length === 1 }))
    .filter(({ single }) => single)
    .sort((a, b) => price[b.kind] * usableBytes[b.kind] - price[a.kind] * usableBytes[a.kind])
    .slice(0, mostRemembered)
    .forEach(({ kind }, place) => (shifts[kind] = 2 * place));
  return shifts;
}

/** The least memory in use at each level: a number of quarters, rounded up to whole layers if these are alike. */
function leastUsedAtLevels(
  instance: Instance,
  { usableBytes, blockBytes }: Tables,
  kind: number,
): number[] {
  const isExact = blockBytes !== null && kind !== instance.sourceKind;
  return Array.from({ length: levels }, (_, level) => {
    const bytes = (level * usableBytes[kind]) / levels;
    return isExact ? Math.ceil(bytes / blockBytes - 1e-9) * blockBytes : bytes;
  });
}
