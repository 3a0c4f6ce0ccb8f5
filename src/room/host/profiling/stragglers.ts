/**
 * Devices do not stay as fast as they were: browsers slow hidden tabs down, phones get hot. Laps show it, and
 * plans follow (see `calibration.ts`); here the host is told of it, and a device that lost all its layers,
 * and makes no laps by which it could be seen to be fast again, is asked to measure itself anew.
 */
import type { ComputeProfile } from '../../../engine/engine.ts';
import { nameOf, type MeasuredMember, type Member } from '../membership/members.ts';
import type { DeviceProfile } from '../membership/device-profile.ts';

export interface PacesOptions {
  members: ReadonlyMap<string, Member>;
  /** A device's profile with its times as its laps show them. */
  calibrated: (deviceId: string, profile: DeviceProfile) => DeviceProfile;
  /** Asks a device to measure itself; `measured` is to follow. */
  measureAgain: (member: Member) => void;
  onNotice: (sentence: string) => void;
  /** A device has measured itself anew: what laps taught about it is out of date. */
  onMeasured: (member: Member) => void;
  /** Aborts when the room ends. */
  signal: AbortSignal;
  nowMs?: () => number;
}

export interface Paces {
  /** It is time to see who is slow, and who is no more. */
  look(): void;
  /** Its page was hidden, or is in sight again. */
  sight(member: Member, isHidden: boolean): void;
  /** What the device says of itself now; null where it could not measure, since it computes. */
  measured(member: Member, compute: ComputeProfile | null): void;
  left(deviceId: string): void;
}

interface Pace {
  /** The least that a block took by the device's own measurement, ms. */
  bestBlockMs: number;
  isSlow: boolean;
  isAsked: boolean;
  askedAtMs: number;
  waitMs: number;
}

/** A moment's noise, or a tiny model's usual cost beside computing, is less. */
const slowFrom = 2;
/** From here on it counts as fast again: far from the other, so that nobody hears of each wobble. */
const fastUpTo = 1.3;
const lookEveryMs = 5000;
/** Measuring costs the device a few seconds of its battery: each time it is waited for longer. */
const firstWaitMs = 30_000;
const longestWaitMs = 10 * 60_000;

export function createPaces(options: PacesOptions): Paces {
  const { nowMs = () => performance.now() } = options;
  const paces = new Map<string, Pace>();

  function paceOf({ id, profile }: MeasuredMember): Pace {
    const { blockMs } = profile.compute;
    const pace = paces.get(id) ?? {
      bestBlockMs: blockMs,
      isSlow: false,
      isAsked: false,
      askedAtMs: -Infinity,
      waitMs: firstWaitMs,
    };
    pace.bestBlockMs = Math.min(pace.bestBlockMs, blockMs);
    paces.set(id, pace);
    return pace;
  }

  function lookAt(member: MeasuredMember): void {
    const pace = paceOf(member);
    const slowness =
      options.calibrated(member.id, member.profile).compute.blockMs / pace.bestBlockMs;
    const who = nameOf(member);
    if (!pace.isSlow && slowness >= slowFrom) {
      pace.isSlow = true;
      pace.askedAtMs = nowMs();
      options.onNotice(
        `${who} computes ${slowness.toFixed(1)} times slower than it did; layers go where they are computed sooner.`,
      );
    } else if (pace.isSlow && slowness <= fastUpTo) {
      pace.isSlow = false;
      options.onNotice(`${who} is as fast as before.`);
    }
    const isDue = nowMs() - pace.askedAtMs >= pace.waitMs;
    if (pace.isSlow && isDue && isIdle(member)) ask(member, pace);
  }

  function ask(member: Member, pace: Pace): void {
    if (pace.isAsked) return;
    pace.isAsked = true;
    pace.askedAtMs = nowMs();
    pace.waitMs = Math.min(2 * pace.waitMs, longestWaitMs);
    options.measureAgain(member);
  }

  function look(): void {
    for (const member of options.members.values()) if (isMeasured(member)) lookAt(member);
  }

  const looking = setInterval(look, lookEveryMs);
  options.signal.addEventListener('abort', () => clearInterval(looking));

  return {
    look,
    sight(member, isHidden) {
      member.isHidden = isHidden;
      const pace = paces.get(member.id);
      if (isHidden || !pace) return;
      // What slowed it down may be over this very moment.
      pace.waitMs = firstWaitMs;
      if (pace.isSlow && isIdle(member)) ask(member, pace);
    },
    measured(member, compute) {
      const pace = paces.get(member.id);
      // Nobody asked, so nobody plans by it.
      if (!pace?.isAsked) return;
      pace.isAsked = false;
      if (!compute || !member.profile) return;
      member.profile = { ...member.profile, compute };
      options.onMeasured(member);
      look();
    },
    left: (deviceId) => void paces.delete(deviceId),
  };
}

function isMeasured(member: Member): member is MeasuredMember {
  return member.profile !== null;
}

/** It has no part in the laps, and a page in front that can measure. */
function isIdle({ link, layers, isHidden }: Member): boolean {
  return link !== null && layers.length === 0 && !isHidden;
}
