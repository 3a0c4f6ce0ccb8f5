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
import type { Lap } from './lap.ts';
import { createLapEnds } from './lap-ends.ts';
import { remainingBound } from './remaining.ts';
import { countRevisits, usefulRelays } from './revisits.ts';
import type { UniformRoom } from './room.ts';
import { createVisitedSets } from './visited-sets.ts';

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
  const ends = createLapEnds(room, { ...options, sets, revisits });
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
      ends.offer(slot);
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
}
