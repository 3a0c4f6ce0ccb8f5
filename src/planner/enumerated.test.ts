import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findViolation, latencyCost, placementOfLayers, throughputCost } from './evaluate.ts';
import { solve, type Problem } from './index.ts';
import { instanceOf } from './solve.ts';

/** Rooms that set programming solves: blocks alike, a head, little memory, and links that make detours worthwhile. */
const uniformRoom: fc.Arbitrary<Problem> = fc
  .record({
    blocks: fc.integer({ min: 2, max: 6 }),
    devices: fc.integer({ min: 2, max: 4 }),
    last: fc.integer({ min: 0, max: 1 }),
    headBlocks: fc.integer({ min: 1, max: 2 }),
    held: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    speeds: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 4, maxLength: 4 }),
    latencies: fc.array(fc.constantFrom(0.2, 1, 6, 30, null), { minLength: 16, maxLength: 16 }),
    shared: fc.boolean(),
    layersDiffer: fc.boolean(),
  })
  .map(({ blocks, devices, last, headBlocks, held, speeds, latencies, shared, layersDiffer }) => {
    const ids = ['host', 'a', 'b', 'c'].slice(0, devices);
    const block = { memoryBytes: 100, outputBytes: 2000 };
    return {
      layers: [
        { name: 'embed', ...block },
        ...Array.from({ length: blocks }, (_, index) => ({ name: `block${index}`, ...block })),
        { name: 'head', memoryBytes: 100 * headBlocks, outputBytes: 16 },
      ],
      devices: ids.map((id, index) => ({
        id,
        memoryBytes: 100 * held[index] + (index === 0 ? 150 : 30),
        layerMs: Array.from(
          { length: blocks + 2 },
          (_, layer) => speeds[index] * (layersDiffer ? 1 + ((layer * 7 + index * 3) % 5) / 10 : 1),
        ),
      })),
      links: ids.flatMap((from, i) =>
        ids.flatMap((to, j) => {
          const latencyMs = latencies[4 * i + j];
          return i === j || latencyMs === null ? [] : [{ from, to, latencyMs, mbps: 40 }];
        }),
      ),
      source: 'host',
      pin: { first: 1, last },
      ...(shared && { shared: [{ layers: [0, blocks + 1], memoryBytes: 80 }] }),
    };
  });

/** The optimum, found by trying every assignment of layers to devices. */
function enumerateMs(problem: Problem, objective: 'latency' | 'throughput'): number {
  const instance = instanceOf(problem, { objective });
  const { layerCount, devices, pinLastFrom, source } = instance;
  const assigned = new Array<number>(layerCount).fill(0);
  let best = Infinity;
  const place = (layer: number): void => {
    if (layer < layerCount) {
      for (let device = 0; device < devices.length; device++) {
        assigned[layer] = device;
        place(layer + 1);
      }
      return;
    }
    const placement = placementOfLayers(assigned);
    if (findViolation(instance, placement) !== null) return;
    if (objective === 'latency') {
      const { computeMs, linkMs } = latencyCost(instance, placement);
      best = Math.min(best, computeMs + linkMs);
      return;
    }
    const ranges = placement.filter(
      ({ device, first }) => !(device === source && first === pinLastFrom && first > 0),
    );
    if (new Set(ranges.map(({ device }) => device)).size < ranges.length) return;
    const { computeMs, linkMs } = throughputCost(instance, placement);
    best = Math.min(best, Math.max(computeMs, linkMs));
  };
  place(0);
  return best;
}

describe('against every assignment there is', () => {
  for (const objective of ['latency', 'throughput'] as const)
    it(`exact finds the best ${objective} and proves it`, () => {
      let withPlans = 0;
      fc.assert(
        fc.property(uniformRoom, (problem) => {
          const plan = solve(problem, { objective, timeLimitMs: 20_000 });
          const optimumMs = enumerateMs(problem, objective);
          if (!plan.feasible) {
            expect(optimumMs, plan.reason).toBe(Infinity);
            expect(plan.proven).toBe(true);
            return;
          }
          withPlans++;
          expect(plan.ms).toBeCloseTo(optimumMs, 9);
          expect(plan.optimal).toBe(true);
        }),
        { numRuns: 300, seed: 42 },
      );
      expect(withPlans).toBeGreaterThan(100);
    });
});
