/** The exact latency method for uniform rooms: ever wider searches until the best plan is proven or time is up. */
import type { Incumbent } from '../search.ts';
import { placeLap } from './lap.ts';
import type { UniformRoom } from './room.ts';
import { searchLaps } from './search.ts';

/**
 * The most laps to try that need more blocks than their devices hold. After that the cheapest of them limits
 * the search.
 */
const mostRefused = 300;

/** @returns a bound on every plan; infinite if no plan exists */
export function solveUniform(
  room: UniformRoom,
  { deadline, offer, ms: bestMs }: Incumbent,
): number {
  let counted: number[] = [];
  let boundMs = 0;
  let refused = 0;
  for (const width of [16, 128, 2048, Infinity]) {
    // The narrowest search is short: a plan a moment late is better than none.
    const until = width === 16 && bestMs() === Infinity ? deadline.within(Infinity) : deadline;
    for (;;) {
      let openMs = Infinity;
      const short = new Set<number>();
      const droppedMs = searchLaps(room, {
        counted,
        width,
        deadline: until,
        // A lap that cannot be placed bounds the search, but not before some others were tried, which it
        // might hide.
        bestMs: () => (refused < mostRefused ? bestMs() : Math.min(bestMs(), openMs)),
        onLap: (lap, ms) => {
          const placement = placeLap(room, lap);
          const realMs = placement === null ? Infinity : offer(placement);
          if (realMs <= ms * (1 + 1e-9)) return;
          refused++;
          openMs = Math.min(openMs, ms);
          for (const [visit, kind] of lap.kinds.entries()) if (!lap.isNew[visit]) short.add(kind);
        },
      });
      boundMs = Math.max(boundMs, Math.min(droppedMs, openMs, bestMs()));
      if (boundMs >= bestMs() || deadline.passed()) return boundMs;
      const more = [...short].filter((kind) => !counted.includes(kind));
      if (droppedMs < openMs || more.length === 0) break;
      counted = [...counted, ...more.slice(0, 1)];
    }
  }
  return boundMs;
}
