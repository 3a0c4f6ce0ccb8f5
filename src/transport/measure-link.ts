/** What a link can do, found out in about a second by echoes and a short burst. */
import type { BurstReport } from './bulk-piece.ts';
import type { LinkProfile } from './types.ts';

export interface MeasuredLink {
  /** A payload of so many bytes there and back, in ms. */
  roundTrip(payloadBytes: number): Promise<number>;
  /** Sends so many bytes at once; what the other side says about their arrival. */
  burst(bytes: number): Promise<BurstReport>;
}

/** A token's hidden state for models of 300 to 4096 dimensions, in f16. */
const payloadSizes = [600, 1200, 4400, 8192];
/** The size that stands for a token in `latencyMs`. */
const tokenBytes = 1200;
const minTrips = 3;
const maxTrips = 24;
const latencyBudgetMs = 450;

/** The first bursts of a connection only open its window; on a slow link there is time for no more than those. */
const burstSizes = [64, 512, 2048].map((kib) => kib * 1024);
const bandwidthBudgetMs = 300;

/** For a link that is idle: what else travels on it would be measured too. */
export async function measureLink(link: MeasuredLink): Promise<LinkProfile> {
  const beganAt = performance.now();
  await link.roundTrip(tokenBytes);
  const trips = await timeRoundTrips(link);
  const mbps = await timeBursts(link);
  const roundTripMsBySize = payloadSizes.map((bytes) => {
    const times = trips.get(bytes) ?? [];
    return { bytes, p50Ms: quantile(times, 0.5), p90Ms: quantile(times, 0.9) };
  });
  const token = trips.get(tokenBytes) ?? [];
  return {
    latencyMs: quantile(token, 0.5) / 2,
    p90LatencyMs: quantile(token, 0.9) / 2,
    mbps,
    roundTripMsBySize,
    tookMs: performance.now() - beganAt,
  };
}

/** Sizes take turns, so that a passing disturbance falls on all of them. */
async function timeRoundTrips(link: MeasuredLink): Promise<Map<number, number[]>> {
  const beganAt = performance.now();
  const trips = new Map(payloadSizes.map((bytes) => [bytes, [] as number[]]));
  for (let round = 0; round < maxTrips; round++) {
    if (round >= minTrips && performance.now() - beganAt > latencyBudgetMs) break;
    for (const [bytes, times] of trips) times.push(await link.roundTrip(bytes));
  }
  return trips;
}

/** The best of the larger bursts counts: one lost packet stops a burst for longer than it lasts. */
async function timeBursts(link: MeasuredLink): Promise<number> {
  const beganAt = performance.now();
  const [warmUp, ...timed] = burstSizes;
  let mbps = await timeBurst(link, warmUp);
  for (const [index, size] of timed.entries()) {
    if (performance.now() - beganAt > bandwidthBudgetMs) break;
    const measured = await timeBurst(link, size);
    mbps = index === 0 ? measured : Math.max(mbps, measured);
  }
  return mbps;
}

async function timeBurst(link: MeasuredLink, size: number): Promise<number> {
  const { bytes, tookMs } = await link.burst(size);
  // A clock of coarse steps may see no time pass at all.
  return (bytes * 8) / (Math.max(tookMs, 0.1) * 1000);
}

/** Nearest rank: a value that was measured. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
