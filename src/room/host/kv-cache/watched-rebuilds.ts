/** Has the devices that a cache rebuild waits for asked whether they are still there. */
import { devicesOf } from '../../lap.ts';
import type { CacheRebuilds } from './cache-rebuilds.ts';
import type { Liveness } from '../membership/index.ts';

/** The same cache rebuilds; those on an answer's way, which it waits for as for a lap, are watched like one. */
export function watchRebuilds(rebuilds: CacheRebuilds, liveness: Liveness): CacheRebuilds {
  return {
    ...rebuilds,
    async bring(running, request) {
      const stop = liveness.waitFor(devicesOf(running.lap), null);
      try {
        await rebuilds.bring(running, request);
      } finally {
        stop();
      }
    },
  };
}
