/** Finds the micro-batch size with the most tokens a second. */
import type { FeasiblePlan } from './plan.ts';
import type { Problem } from './problem.ts';
import { solve, type SolveOptions } from './solve.ts';

export interface BatchChoice {
  plan: FeasiblePlan;
  batch: number;
  /** With work always in flight: one micro-batch of tokens per bottleneck time. */
  tokensPerSecond: number;
}

/**
 * Plans for throughput with every batch size that some device was measured at, up to the room's `sequences`,
 * and returns the best. Null if no plan exists.
 */
export function chooseBatch(problem: Problem, options: SolveOptions = {}): BatchChoice | null {
  const measured = problem.devices.flatMap(({ layerMsByBatch }) =>
    Object.keys(layerMsByBatch ?? {}).map(Number),
  );
  const most = problem.sequences ?? Math.max(1, ...measured);
  const sizes = [...new Set([1, ...measured.filter((size) => size <= most)])];
  let best: BatchChoice | null = null;
  for (const batch of sizes) {
    const plan = solve(problem, { ...options, objective: 'throughput', batch });
    if (!plan.feasible) continue;
    const tokensPerSecond = (1000 * batch) / plan.ms;
    if (best === null || tokensPerSecond > best.tokensPerSecond)
      best = { plan, batch, tokensPerSecond };
  }
  return best;
}
