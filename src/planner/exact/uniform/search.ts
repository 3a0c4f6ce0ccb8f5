/**
 * Finds the cheapest lap of a uniform room, by dynamic programming over the sets of devices visited.
 *
 * A state is (how many members of each kind were visited, the kind that the lap is on), and its value the
 * least transfer time. Equal devices are one kind, so they do not multiply the states. Blocks are not part of
 * a state: given the visited set, they are filled in fastest first.
 *
 * A lap may pass through a visited device again if that is cheaper than the direct link. Every such revisit
 * needs a block. States count revisits only of the `counted` kinds, so the value is a lower bound; it is
 * exact if the other kinds have enough blocks anyway. The caller adds the kinds for which they had not, and
 * searches again.
 */
import type { Deadline } from '../deadline.ts';
import { fillMs } from './fill.ts';
import type { Lap } from './lap.ts';
import { remainingBound } from './remaining.ts';
import type { UniformRoom } from './room.ts';
import { createVisitedSets, type VisitedSets } from './visited-sets.ts';

export interface SearchOptions {
  /** Kinds whose revisits are counted. */
  counted: number[];
  /** The number of visited sets of each size to keep; the others leave only their bound. */
  width: number;
  deadline: Deadline;
  /** The best plan known, ms. */
  bestMs: () => number;
  /**
   * Gets a lap that costs `ms`, unless its revisits need more blocks than its devices hold. Each is better
   * than the last.
   */
  onLap: (lap: Lap, ms: number) => void;
}

/** The most revisits of a kind that are counted. */
const mostRevisits = 7;

/** Returns a bound on every lap that was not offered to `onLap`. */
export function searchLaps(room: UniformRoom, options: SearchOptions): number {
  const { kindCount, hopMs, count, sourceKind } = room;
  const { deadline, bestMs } = options;
  const { leastMs, standingMs } = remainingBound(room);
  const revisits = countRevisits(room, options.counted);
  const statesPerSet = kindCount * revisits.codes;
  const start = count.map((_, kind) => Number(kind === sourceKind));
  const sets = createVisitedSets(start, count, statesPerSet);
  sets.ms()[sourceKind * revisits.codes] = 0;
  const relays = usefulRelays(room);
  const noneRequired = new Uint8Array(kindCount);
  let droppedMs = Infinity;

  let frontier = [0];
  while (frontier.length > 0) {
    const ranked = frontier.map((slot) => ({ slot, ms: optimisticMs(slot) }));
    if (ranked.length > options.width) {
      ranked.sort((a, b) => a.ms - b.ms);
      for (const { ms } of ranked.splice(options.width)) droppedMs = Math.min(droppedMs, ms);
    }
    const next: number[] = [];
    for (const { slot, ms } of ranked) {
      if (ms >= bestMs()) continue;
      if (deadline.passed()) {
        droppedMs = Math.min(droppedMs, ms);
        continue;
      }
      revisit(slot);
      offerEnds(slot);
      extend(slot, next);
    }
    frontier = next;
  }
  return droppedMs;

  function optimisticMs(slot: number): number {
    const ms = sets.ms();
    let least = Infinity;
    for (let kind = 0; kind < kindCount; kind++)
      for (let code = 0; code < revisits.codes; code++) {
        const soFarMs = ms[slot * statesPerSet + kind * revisits.codes + code];
        least = Math.min(least, soFarMs + standingMs[kind]);
      }
    return least + leastMs(sets.countsOf(slot));
  }

  /** Improves states by revisits within the visited set, until none is cheaper. */
  function revisit(slot: number): void {
    const ms = sets.ms();
    const before = sets.before();
    const counts = sets.countsOf(slot);
    const base = slot * statesPerSet;
    for (let changed = true; changed;) {
      changed = false;
      for (const { from, to } of relays) {
        if (counts[from] === 0 || counts[to] === 0) continue;
        for (let code = 0; code < revisits.codes; code++) {
          const at = base + from * revisits.codes + code;
          if (ms[at] === Infinity) continue;
          const target = base + to * revisits.codes + revisits.after(code, to);
          const soFarMs = ms[at] + hopMs[from * kindCount + to];
          if (soFarMs >= ms[target]) continue;
          ms[target] = soFarMs;
          before[target] = -1 - (at - base);
          changed = true;
        }
      }
    }
  }

  function extend(slot: number, next: number[]): void {
    const counts = sets.countsOf(slot).slice();
    for (let kind = 0; kind < kindCount; kind++) {
      if (counts[kind] >= count[kind]) continue;
      let known = sets.find(slot, kind, 1);
      for (let code = 0; code < revisits.codes; code++) {
        const ms = sets.ms();
        let soFarMs = Infinity;
        let best = -1;
        for (let from = 0; from < kindCount; from++) {
          const at = from * revisits.codes + code;
          const viaMs = ms[slot * statesPerSet + at] + hopMs[from * kindCount + kind];
          if (viaMs < soFarMs) [soFarMs, best] = [viaMs, at];
        }
        if (soFarMs === Infinity) continue;
        if (known < 0) {
          counts[kind]++;
          const least = leastMs(counts);
          counts[kind]--;
          if (soFarMs + least + standingMs[kind] >= bestMs()) continue;
          known = sets.add(slot, kind);
          next.push(known);
        }
        const target = known * statesPerSet + kind * revisits.codes + code;
        if (soFarMs >= sets.ms()[target]) continue;
        sets.ms()[target] = soFarMs;
        sets.before()[target] = 1 + best;
      }
    }
  }

  /** Ends the lap on every visited kind: where it is, or, if there is a head, by one last visit for it. */
  function offerEnds(slot: number): void {
    const ms = sets.ms();
    const counts = sets.countsOf(slot).slice();
    const blocksMs = fillMs(room, counts, noneRequired, -1);
    for (let code = 0; code < revisits.codes; code++) {
      const least = revisits.least(counts, code);
      for (let home = 0; home < kindCount; home++) {
        if (counts[home] === 0) continue;
        const closingMs = room.pinnedMs + room.returnMs[home] + room.headMs[home];
        const floorMs = bestMs() - closingMs - blocksMs;
        const at = home * revisits.codes + code;
        const hereMs = ms[slot * statesPerSet + at];
        if (hereMs < floorMs) {
          const arrivesEmpty = room.hasHead && home !== sourceKind;
          if (arrivesEmpty) least[home]--;
          offer(slot, at, -1, hereMs + closingMs + fillMs(room, counts, least, headOn(home)));
          if (arrivesEmpty) least[home]++;
        }
        if (!room.hasHead) continue;
        let viaMs = Infinity;
        let via = -1;
        for (let from = 0; from < kindCount; from++) {
          const candidate =
            ms[slot * statesPerSet + from * revisits.codes + code] + hopMs[from * kindCount + home];
          if (from !== home && candidate < viaMs) [viaMs, via] = [candidate, from];
        }
        if (viaMs < floorMs)
          offer(
            slot,
            via * revisits.codes + code,
            home,
            viaMs + closingMs + fillMs(room, counts, least, headOn(home)),
          );
      }
    }
  }

  function headOn(home: number): number {
    return room.hasHead ? home : -1;
  }

  function offer(slot: number, state: number, lastVisit: number, ms: number): void {
    if (ms >= bestMs()) return;
    const lap = retrace(sets, slot, state, statesPerSet, revisits.codes);
    if (lastVisit >= 0) {
      lap.kinds.push(lastVisit);
      lap.isNew.push(false);
    }
    options.onLap(lap, ms);
  }
}

function retrace(
  sets: VisitedSets,
  endSlot: number,
  endState: number,
  statesPerSet: number,
  codes: number,
): Lap {
  const kinds: number[] = [];
  const isNew: boolean[] = [];
  let [slot, state] = [endSlot, endState];
  for (;;) {
    const kind = Math.floor(state / codes);
    const before = sets.before()[slot * statesPerSet + state];
    kinds.unshift(kind);
    isNew.unshift(before >= 0);
    if (before === 0) return { kinds, isNew };
    if (before > 0) slot = sets.find(slot, kind, -1);
    state = before > 0 ? before - 1 : -1 - before;
  }
}

/**
 * A revisit is useful only if it costs less than a direct link or the direct return. Only a device that can
 * hold another block besides that of its first visit can be revisited.
 */
function usefulRelays(room: UniformRoom): { from: number; to: number }[] {
  const { kindCount, hopMs, returnMs, capacity, sourceKind } = room;
  const canReturnTo = (kind: number) => capacity[kind] >= (kind === sourceKind ? 1 : 2);
  const kinds = Array.from({ length: kindCount }, (_, kind) => kind);
  return kinds
    .flatMap((from) => kinds.map((to) => ({ from, to, ms: hopMs[from * kindCount + to] })))
    .filter(
      ({ from, to, ms }) =>
        from !== to &&
        canReturnTo(to) &&
        Number.isFinite(ms) &&
        (ms + returnMs[to] < returnMs[from] ||
          kinds.some(
            (beyond) =>
              beyond !== to &&
              ms + hopMs[to * kindCount + beyond] < hopMs[from * kindCount + beyond],
          )),
    );
}

interface RevisitCounter {
  /** The number of combinations of counted revisits; 1 if no kind is counted. */
  codes: number;
  /** The code after one more revisit of `kind`. */
  after: (code: number, kind: number) => number;
  /** The least blocks that each kind needs: one for each visit, except the source's first. */
  least: (counts: Uint16Array, code: number) => number[];
}

function countRevisits({ sourceKind }: UniformRoom, counted: number[]): RevisitCounter {
  const radix = mostRevisits + 1;
  const strideOf = new Map(counted.map((kind, index) => [kind, radix ** index]));
  const digit = (code: number, stride: number) => Math.floor(code / stride) % radix;
  return {
    codes: radix ** counted.length,
    after: (code, kind) => {
      const stride = strideOf.get(kind);
      if (stride === undefined || digit(code, stride) === mostRevisits) return code;
      return code + stride;
    },
    least: (counts, code) =>
      Array.from(counts, (visits, kind) => {
        const stride = strideOf.get(kind);
        const again = stride === undefined ? 0 : digit(code, stride);
        return (kind === sourceKind ? 0 : visits) + again;
      }),
  };
}
