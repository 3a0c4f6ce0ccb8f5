import { describe, expect, it } from 'vitest';
import { authorsCases } from '../fixtures/read.ts';
import { solve } from '../index.ts';

describe("the paper's latency programme on the authors' Llama2-7B profile", () => {
  for (const { name, problem, publishedDpMs, publishedDpPlan } of authorsCases())
    it(name, () => {
      const plan = solve(problem, { method: 'edgeshard' });
      if (!plan.feasible) throw new Error(plan.reason);
      expect(Math.abs(plan.ms - publishedDpMs)).toBeLessThanOrEqual(0.001);
      const layersByDevice = plan.stages.map(({ device, first, last }) => [
        device,
        last - first + 1,
      ]);
      // Published plans may differ from ours only between equally fast devices.
      expect(layersByDevice.map(([, layers]) => layers)).toEqual(
        publishedDpPlan.map(([, layers]) => layers),
      );
    });
});
