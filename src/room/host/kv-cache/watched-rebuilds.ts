/** Has the devices that a cache rebuild waits for asked whether they are still there. */
import { devicesOf } from '../../lap.ts';
import type { Attendance } from '../membership/liveness.ts';
import type { Refills } from './cache-rebuilds.ts';

/** The same refills; those on an answer's way, which it waits for as for a lap, are watched like one. */
export function watchRefills(refills: Refills, attendance: Attendance): Refills {
  return {
    ...refills,
    async bring(running, request) {
      const stop = attendance.waitFor(devicesOf(running.lap), null);
      try {
        await refills.bring(running, request);
      } finally {
        stop();
      }
    },
  };
}
