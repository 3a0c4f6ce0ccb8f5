import { median } from './statistics.ts';
import type { LapTiming } from '../../src/room/index.ts';

/** Of each lap: `(lap − Σ compute − Σ round trip / 2) / hops`, ms. Empty without a hop. */
export function hopOverheadsMs(laps: readonly LapTiming[]): number[] {
  return laps.flatMap(({ lapMs, hops }) => {
    const accounted = hops.reduce((sum, { computeMs, wireMs }) => sum + computeMs + wireMs, 0);
    return hops.length > 1 ? [(lapMs - accounted) / (hops.length - 1)] : [];
  });
}

/** What each stage computes for a token, median ms, in lap order. */
export function stageMs(laps: readonly LapTiming[]): number[] {
  return medianOfHops(laps, ({ computeMs }) => computeMs);
}

/** Half the round trip of the link before each stage, median ms, in lap order; 0 for the first. */
export function wireMsBefore(laps: readonly LapTiming[]): number[] {
  return medianOfHops(laps, ({ wireMs }) => wireMs);
}

/** What the busiest device computes for a token, ms: no two tokens follow each other faster, one by one. */
export function slowestDeviceMs(laps: readonly LapTiming[], stages: { device: string }[]): number {
  const busyMs = new Map<string, number>();
  const perStage = stageMs(laps);
  for (const [index, { device }] of stages.entries())
    busyMs.set(device, (busyMs.get(device) ?? 0) + perStage[index]);
  return Math.max(...busyMs.values());
}

/** What each device computes for a token, mean ms: of the busiest. With the tokens a second it tells how busy. */
export function busiestDeviceMs(laps: readonly LapTiming[], stages: { device: string }[]): number {
  const busyMs = new Map<string, number>();
  for (const { hops } of laps)
    for (const { stage, computeMs } of hops) {
      const { device } = stages[stage];
      busyMs.set(device, (busyMs.get(device) ?? 0) + computeMs / laps.length);
    }
  return Math.max(...busyMs.values());
}

function medianOfHops(
  laps: readonly LapTiming[],
  figure: (hop: LapTiming['hops'][number]) => number,
): number[] {
  const stages = laps.at(0)?.hops.length ?? 0;
  return Array.from({ length: stages }, (_, stage) =>
    median(laps.map(({ hops }) => figure(hops[stage]))),
  );
}
