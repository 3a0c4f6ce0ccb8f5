/** Has the liveness of the devices probed that a cache rebuild waits for. */
import { devicesOf } from '../../lap.ts';
import type { CacheRebuilds } from './cache-rebuilds.ts';
import type { Liveness } from '../membership/index.ts';

/** The same cache rebuilds; those that an answer waits for are watched as its laps are. */
export function watchRebuilds(rebuilds: CacheRebuilds, liveness: Liveness): CacheRebuilds {
  return {
    ...rebuilds,
    async rebuildMissing(running, request) {
      const stop = liveness.waitFor(devicesOf(running.lap), null);
      try {
        await rebuilds.rebuildMissing(running, request);
      } finally {
        stop();
      }
    },
  };
}
