import { describe, expect, it } from 'vitest';
import { enumeratedCases } from '../fixtures/read.ts';
import { solve } from '../index.ts';

describe("the paper's throughput programme", () => {
  it('finds the optimum of every small problem: its state holds all that matters for single ranges', () => {
    for (const { id, problem, bottleneckMs } of enumeratedCases()) {
      const plan = solve(problem, { objective: 'throughput', method: 'edgeshard' });
      expect(plan.feasible, `problem ${id}`).toBe(bottleneckMs !== null);
      if (plan.feasible && bottleneckMs !== null)
        expect(Math.abs(plan.ms - bottleneckMs), `problem ${id}`).toBeLessThanOrEqual(1e-6);
    }
  });
});
