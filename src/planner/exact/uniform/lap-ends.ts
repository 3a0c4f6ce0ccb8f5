/** Where a lap may end: each way home from a visited set, priced with the blocks filled in. */
import { fillMs } from './fill.ts';
import type { Lap } from './lap.ts';
import type { RevisitCounter } from './revisits.ts';
import type { UniformRoom } from './room.ts';
import type { VisitedSets } from './visited-sets.ts';

export interface LapEnds {
  /** Offers every lap that ends after the visits of this set. */
  offer(slot: number): void;
}

export interface LapEndsOptions {
  sets: VisitedSets;
  revisits: RevisitCounter;
  /** The best plan known, ms. */
  bestMs: () => number;
  /** As in `SearchOptions`. */
  onLap: (lap: Lap, ms: number) => void;
}

export function createLapEnds(room: UniformRoom, options: LapEndsOptions): LapEnds {
  const { kindCount, hopMs, sourceKind } = room;
  const { sets, revisits, bestMs } = options;
  const statesPerSet = kindCount * revisits.codes;
  const noneRequired = new Uint8Array(kindCount);

  function headOn(home: number): number {
    return room.hasHead ? home : -1;
  }

  function offerLap(slot: number, state: number, lastVisit: number, ms: number): void {
    if (ms >= bestMs()) return;
    const lap = retrace(sets, slot, state, statesPerSet, revisits.codes);
    if (lastVisit >= 0) {
      lap.kinds.push(lastVisit);
      lap.isNew.push(false);
    }
    options.onLap(lap, ms);
  }

  return {
    /** Ends the lap on every visited kind: where it is, or, if there is a head, by one last visit for it. */
    offer(slot) {
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
            offerLap(slot, at, -1, hereMs + closingMs + fillMs(room, counts, least, headOn(home)));
            if (arrivesEmpty) least[home]++;
          }
          if (!room.hasHead) continue;
          let viaMs = Infinity;
          let via = -1;
          for (let from = 0; from < kindCount; from++) {
            const candidate =
              ms[slot * statesPerSet + from * revisits.codes + code] +
              hopMs[from * kindCount + home];
            if (from !== home && candidate < viaMs) [viaMs, via] = [candidate, from];
          }
          if (viaMs < floorMs)
            offerLap(
              slot,
              via * revisits.codes + code,
              home,
              viaMs + closingMs + fillMs(room, counts, least, headOn(home)),
            );
        }
      }
    },
  };
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
