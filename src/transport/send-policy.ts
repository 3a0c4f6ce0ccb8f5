/**
 * How frames travel over a link, decided by what that link was measured to do: small ones twice where a second
 * copy would have come sooner, large ones over several connections where that was seen to be faster.
 */
import { quantile } from './measure-link.ts';
import type { LinkQuality } from './types.ts';

export interface SendPolicy {
  /** Round trips of two equal messages sent at the same moment over different ways where there are such. */
  sawTwins(roundTripsMs: readonly [number, number]): void;
  sawFrame(bytes: number): void;
  /** A large message's round trips over one connection and over several, in turn. */
  sawTrial(trial: { singleMs: readonly number[]; stripedMs: readonly number[] }): void;
  /** Whether striping should be tried out, with messages of so many bytes. Null: not now. */
  trialBytes(): number | null;
  /** Decides anew; about once a second. */
  decide(): Decision;
  readonly quality: LinkQuality;
  /** The usual round trip of the last two seconds of a busy link, ms; null before any. */
  readonly roundTripMs: number | null;
}

export interface Decision {
  /** Small frames are sent twice. */
  twice: boolean;
  /** Large frames are spread over the connections there are. */
  striped: boolean;
  /** Connections besides the first that these are, or will be, worth. */
  furtherLanes: number;
}

/** About ten seconds of a busy link. */
const twinsKept = 40;
const leastTwins = 12;
/** As many tell how long a round trip takes now: a network may have become another a moment ago. */
const latestTwins = 9;
/** SCTP waits at least this long before it sends again. */
const retransmissionMs = 200;
/** A second copy costs another connection and the same bytes again: it must save this, and begins to be not worth it below. */
const worthwhile = { onMs: 4, offMs: 1.2, onShare: 0.15, offShare: 0.05 };

/** What goes into a fresh connection's first round trip. */
const firstWindowBytes = 12 * 1024;
/** Below it a further round trip costs less than the connections. */
const leastStripedRoundTripMs = 4;
const stripedLanes = 4;
const largeFramesNeeded = 3;
const largeFramesMs = 20_000;
const trialGain = 0.85;
/** A trial that showed a gain holds for so long; one that showed none is made again sooner, and then ever later. */
const gainHoldsMs = 60_000;
const firstTrialAgainMs = 8000;

export function createSendPolicy(now: () => number = () => performance.now()): SendPolicy {
  const twins: [firstMs: number, soonerMs: number][] = [];
  const largeFrames: { at: number; bytes: number }[] = [];
  let twice = false;
  let trial: { gained: boolean; nextAt: number } | null = null;
  let trialAgainMs = firstTrialAgainMs;

  function quality(): LinkQuality {
    const first = twins.map(([ms]) => ms);
    const p50Ms = quantile(first, 0.5);
    const late = first.filter((ms) => ms >= p50Ms + retransmissionMs).length;
    const savedMs = twins.reduce((sum, [ms, soonerMs]) => sum + ms - soonerMs, 0);
    const samples = twins.length;
    return {
      samples,
      p50Ms,
      p90Ms: quantile(first, 0.9),
      lateShare: samples === 0 ? 0 : late / samples,
      savedMs: samples === 0 ? 0 : savedMs / samples,
    };
  }

  function judgeTwice({ samples, p50Ms, savedMs }: LinkQuality): boolean {
    if (samples < leastTwins) return twice;
    return twice
      ? savedMs >= Math.max(worthwhile.offMs, worthwhile.offShare * p50Ms)
      : savedMs >= Math.max(worthwhile.onMs, worthwhile.onShare * p50Ms);
  }

  function sendsLargeFrames(): boolean {
    while (largeFrames.length > 0 && now() - largeFrames[0].at > largeFramesMs) largeFrames.shift();
    return largeFrames.length >= largeFramesNeeded && quality().p50Ms >= leastStripedRoundTripMs;
  }

  function trialIsDue(): boolean {
    return sendsLargeFrames() && (trial === null || now() > trial.nextAt);
  }

  return {
    sawTwins([aMs, bMs]) {
      twins.push([aMs, Math.min(aMs, bMs)]);
      if (twins.length > twinsKept) twins.shift();
    },
    sawFrame(bytes) {
      if (bytes <= firstWindowBytes) return;
      largeFrames.push({ at: now(), bytes });
      if (largeFrames.length > twinsKept) largeFrames.shift();
    },
    sawTrial({ singleMs, stripedMs }) {
      const gained = quantile(stripedMs, 0.5) <= trialGain * quantile(singleMs, 0.5);
      trial = { gained, nextAt: now() + (gained ? gainHoldsMs : trialAgainMs) };
      trialAgainMs = gained ? firstTrialAgainMs : Math.min(2 * trialAgainMs, gainHoldsMs);
    },
    trialBytes: () =>
      trialIsDue()
        ? quantile(
            largeFrames.map(({ bytes }) => bytes),
            0.5,
          )
        : null,
    decide() {
      twice = judgeTwice(quality());
      const striped = trial?.gained === true && sendsLargeFrames();
      const furtherLanes = striped || trialIsDue() ? stripedLanes : twice ? 1 : 0;
      return { twice, striped, furtherLanes };
    },
    get quality() {
      return quality();
    },
    get roundTripMs() {
      if (twins.length === 0) return null;
      const latest = twins.slice(-latestTwins).map(([ms]) => ms);
      return quantile(latest, 0.5);
    },
  };
}
