/**
 * Watches for stragglers: browsers slow hidden tabs down, and phones get hot. Laps show it, and plans follow (see
 * `calibration.ts`); here the host's screen is told of it. A device that lost all its layers makes no laps that could
 * show it to be fast again, so it is asked to measure itself anew.
 */
import type { ComputeProfile } from '../../../engine/engine.ts';
import {
  type DeviceProfile,
  type MeasuredMember,
  type Member,
  nameOf,
} from '../membership/index.ts';

export interface StragglersOptions {
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

export interface Stragglers {
  /** Looks which devices are slow now, and which no longer. */
  look(): void;
  /** Its page was hidden, or is visible again. */
  visibilityChanged(member: Member, isHidden: boolean): void;
  /** What the device measured of itself; null where it could not, since it computes. */
  measured(member: Member, compute: ComputeProfile | null): void;
  /** The device left the room. */
  left(deviceId: string): void;
}

interface StragglerState {
  /** The least that a block took by the device's own measurement, ms. */
  bestBlockMs: number;
  isSlow: boolean;
  isAsked: boolean;
  askedAtMs: number;
  waitMs: number;
}

/** Noise, or a tiny model's usual cost beside computing, is less. */
const slowFrom = 2;
/** Up to here it counts as fast again: far from the other limit, so that small changes are not told. */
const fastUpTo = 1.3;
const lookEveryMs = 5000;
/** Measuring costs the device a few seconds of its battery, so each wait is longer than the one before. */
const firstWaitMs = 30_000;
const longestWaitMs = 10 * 60_000;

export function createStragglers(options: StragglersOptions): Stragglers {
  const { nowMs = () => performance.now() } = options;
  const stragglers = new Map<string, StragglerState>();

  function stateOf({ id, profile }: MeasuredMember): StragglerState {
    const { blockMs } = profile.compute;
    const state = stragglers.get(id) ?? {
      bestBlockMs: blockMs,
      isSlow: false,
      isAsked: false,
      askedAtMs: -Infinity,
      waitMs: firstWaitMs,
    };
    state.bestBlockMs = Math.min(state.bestBlockMs, blockMs);
    stragglers.set(id, state);
    return state;
  }

  function lookAt(member: MeasuredMember): void {
    const state = stateOf(member);
    const slowness =
      options.calibrated(member.id, member.profile).compute.blockMs / state.bestBlockMs;
    const who = nameOf(member);
    if (!state.isSlow && slowness >= slowFrom) {
      state.isSlow = true;
      state.askedAtMs = nowMs();
      options.onNotice(
        `${who} is ${slowness.toFixed(1)} times slower than before; its blocks may move to faster devices.`,
      );
    } else if (state.isSlow && slowness <= fastUpTo) {
      state.isSlow = false;
      options.onNotice(`${who} is as fast as before.`);
    }
    const isDue = nowMs() - state.askedAtMs >= state.waitMs;
    if (state.isSlow && isDue && isIdle(member)) ask(member, state);
  }

  function ask(member: Member, state: StragglerState): void {
    if (state.isAsked) return;
    state.isAsked = true;
    state.askedAtMs = nowMs();
    state.waitMs = Math.min(2 * state.waitMs, longestWaitMs);
    options.measureAgain(member);
  }

  function look(): void {
    for (const member of options.members.values()) if (isMeasured(member)) lookAt(member);
  }

  const looking = setInterval(look, lookEveryMs);
  options.signal.addEventListener('abort', () => clearInterval(looking));

  return {
    look,
    visibilityChanged(member, isHidden) {
      member.isHidden = isHidden;
      const state = stragglers.get(member.id);
      if (isHidden || !state) return;
      // What slowed it down may be over this very moment.
      state.waitMs = firstWaitMs;
      if (state.isSlow && isIdle(member)) ask(member, state);
    },
    measured(member, compute) {
      const state = stragglers.get(member.id);
      // Nobody asked for it, so plans are not made by it.
      if (!state?.isAsked) return;
      state.isAsked = false;
      if (!compute || !member.profile) return;
      member.profile = { ...member.profile, compute };
      options.onMeasured(member);
      look();
    },
    left: (deviceId) => void stragglers.delete(deviceId),
  };
}

function isMeasured(member: Member): member is MeasuredMember {
  return member.profile !== null;
}

/** It has no part in the laps, and a visible page that can measure. */
function isIdle({ link, layers, isHidden }: Member): boolean {
  return link !== null && layers.length === 0 && !isHidden;
}
