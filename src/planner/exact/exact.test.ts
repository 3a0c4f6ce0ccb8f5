import { describe, expect, it } from 'vitest';
import { authorsCases, enumeratedCases } from '../fixtures/read.ts';
import { solve, type FeasiblePlan } from '../index.ts';

describe('the exact method', () => {
  it('finds and proves every enumerated optimum, and knows which problems have none', () => {
    for (const { id, problem, latencyMs, bottleneckMs } of enumeratedCases())
      for (const [objective, optimumMs] of [
        ['latency', latencyMs],
        ['throughput', bottleneckMs],
      ] as const) {
        const plan = solve(problem, { objective });
        const name = `${objective} of problem ${id}`;
        if (!plan.feasible) {
          expect(optimumMs, `${name}: ${plan.reason}`).toBeNull();
          expect(plan.proven, name).toBe(true);
          expect(plan.reason, name).not.toBe('');
        } else {
          expect(Math.abs(plan.ms - (optimumMs ?? Infinity)), name).toBeLessThanOrEqual(1e-6);
          expect(plan.optimal, name).toBe(true);
        }
      }
  });

  for (const { name, problem, exactContiguousMs } of authorsCases())
    it(`is never above the best contiguous plan on the authors' profile: ${name}`, () => {
      const plan = solve(problem, { timeLimitMs: 5000 });
      if (!plan.feasible) throw new Error(plan.reason);
      expect(plan.ms).toBeLessThanOrEqual(exactContiguousMs + 0.001);
      expect(plan.optimal).toBe(true);
    });

  it('offers ever better plans while it is still at work', () => {
    const { problem } = authorsCases()[0];
    const offered: FeasiblePlan[] = [];
    const plan = solve(problem, { onPlan: (better) => offered.push(better) });
    if (!plan.feasible) throw new Error(plan.reason);
    expect(offered.length).toBeGreaterThan(1);
    for (let index = 1; index < offered.length; index++)
      expect(offered[index].ms).toBeLessThan(offered[index - 1].ms);
    expect(offered.at(-1)?.ms).toBe(plan.ms);
  });
});
