/** What a lap takes beside the computing of its stages and the planned time of its links. */
import type { Hop } from '../../lap.ts';

/** A lap's time, and what is known of where it went. */
export interface Spent {
  /** The whole lap but for its queues. */
  ms: number;
  stages: number;
  /** What its devices should have computed, by their own measurement. */
  expected: { id: string; ms: number }[];
  /** What those computed that have none. */
  unexpectedMs: number;
  hops: (Hop & { plannedMs: number })[];
}

/**
 * What is left of a lap once its stages have taken what they usually take, not what they took in that very lap. Where
 * times are now and then much longer, the median of the sum is more than the sum of the medians.
 */
export function restMs(
  { ms, expected, unexpectedMs, hops }: Spent,
  factors: ReadonlyMap<string, number>,
): number {
  const computeMs = expected.reduce((sum, each) => sum + each.ms * (factors.get(each.id) ?? 1), 0);
  return ms - computeMs - unexpectedMs - plannedMsOf(hops);
}

export function plannedMsOf(hops: readonly { plannedMs: number }[]): number {
  return hops.reduce((sum, { plannedMs }) => sum + plannedMs, 0);
}
