/**
 * Calibrates devices by the laps they make. A device measures itself before its first token, for a moment and alone; its
 * laps tell better how long its stages take, token after token. Plans and predictions follow once the change is more
 * than noise.
 */
import type { DeviceProfile } from '../membership/index.ts';
import { createLapLessons, type LapLessonsOptions, type TokenLap } from './lap-lessons.ts';

export interface CalibrationOptions extends LapLessonsOptions {
  /** What running plans should take by what is known now has changed. */
  onDrift: () => void;
  /** A device is so far from what the plan was made for that another plan may be better. */
  onDeparture: () => void;
  nowMs?: () => number;
}

export interface Calibration {
  /** A token's trip while nothing else was under way. */
  observe(lap: TokenLap): void;
  /** What the device measured of itself, with its times as they turned out. */
  calibrated(deviceId: string, profile: DeviceProfile): DeviceProfile;
  /**
   * What part of the link's planned time hidden states take between these two, at most 1: a link is measured while
   * nothing is under way, and threads that have just worked wake up sooner. 1 once it has been measured anew.
   */
  wireShare(from: string, to: string): number;
  /** It left, or measured itself anew. */
  forget(deviceId: string): void;
}

/** Laps between two looks whether something changed. */
const lookEvery = 16;
const drift = 1.03;
/** Far enough from 1 that noise does not move blocks about. */
const departure = 1.2;
/** Among the names of devices and of pairs of them; none of those is empty. */
const wholeLap = '';
/** To move layers costs the room more than a few slow seconds of one device. */
const leastBetweenDeparturesMs = 5000;

export function createCalibration(options: CalibrationOptions): Calibration {
  const { nowMs = () => performance.now() } = options;
  const lessons = createLapLessons(options);
  let observed = 0;
  let departedAtMs = -Infinity;
  /** What was last told: by device, by pair of devices, and of the whole lap. */
  let shown = new Map<string, number>();
  /** What the plan was last made for, by device. */
  let planned = new Map<string, number>();

  function look(): void {
    const now = lessons.factors();
    const all = new Map([...now, ...lessons.wireShares()]).set(wholeLap, lessons.lapOverParts());
    const mayDepart = nowMs() - departedAtMs >= leastBetweenDeparturesMs;
    if (mayDepart && differs(now, planned, departure)) {
      departedAtMs = nowMs();
      planned = now;
      shown = all;
      options.onDeparture();
    } else if (differs(all, shown, drift) || observed === lookEvery) {
      shown = all;
      options.onDrift();
    }
  }

  return {
    observe(lap) {
      lessons.observe(lap);
      if (++observed % lookEvery === 0) look();
    },
    calibrated(deviceId, profile) {
      const { compute } = profile;
      const slower = lessons.factor(deviceId);
      return {
        ...profile,
        callMs: Math.max(0, lessons.besideMs() ?? profile.callMs),
        compute: {
          ...compute,
          embedMs: compute.embedMs * slower,
          blockMs: compute.blockMs * slower,
          headMs: compute.headMs * slower,
          attendMs: compute.attendMs * slower,
          prefillBlockMs: compute.prefillBlockMs * slower,
        },
      };
    },
    wireShare: (from, to) => lessons.wireShare(from, to),
    forget(deviceId) {
      lessons.forget(deviceId);
      for (const told of [shown, planned]) told.delete(deviceId);
    },
  };
}

function differs(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  by: number,
): boolean {
  return [...now].some(([id, value]) => {
    const change = value / (before.get(id) ?? 1);
    return change > by || change < 1 / by;
  });
}
