/** Has the liveness of a lap's devices probed once the lap is overdue, by what laps took of late. */
import { devicesOf } from '../../lap.ts';
import type { LapRunner } from './lap-runner.ts';
import { median } from '../../../base/median.ts';
import type { Liveness } from '../membership/index.ts';

/** Laps that count as recent. */
const remembered = 64;
/** A lap that takes so many times as long as the usual one is overdue. A probe costs next to nothing. */
const overdueFactor = 3;
/** No lap is overdue before: laps of two or three ms vary by more than the factor. */
const shortestMs = 50;

/** The same runner, its laps watched. */
export function watchLaps(laps: LapRunner, liveness: Liveness): LapRunner {
  /** ms of the last laps, whatever their length: most are those of one token. */
  const recent: number[] = [];

  return {
    ...laps,
    async run(running, trip) {
      const stop = liveness.waitFor(devicesOf(running.lap), overdueMs(recent));
      try {
        const result = await laps.run(running, trip);
        recent.push(result.timing.lapMs);
        if (recent.length > remembered) recent.shift();
        return result;
      } finally {
        stop();
      }
    },
  };
}

function overdueMs(recent: readonly number[]): number | null {
  const usualMs = median(recent);
  return usualMs === null ? null : Math.max(overdueFactor * usualMs, shortestMs);
}
