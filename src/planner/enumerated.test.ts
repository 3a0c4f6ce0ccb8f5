import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findViolation, latencyCost, placementOfRows, throughputCost } from './evaluate.ts';
import { solve, type Problem } from './index.ts';
import { instanceOf } from './solve.ts';

/** Rooms of the kind that set programming solves: layers alike, a head, tight memory, links that make detours pay. */
const uniformRoom: fc.Arbitrary<Problem> = fc
  .record({
    layers: fc.integer({ min: 2, max: 6 }),
    devices: fc.integer({ min: 2, max: 4 }),
    last: fc.integer({ min: 0, max: 1 }),
    headLayers: fc.integer({ min: 1, max: 2 }),
    held: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    speeds: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 4, maxLength: 4 }),
    latencies: fc.array(fc.constantFrom(0.2, 1, 6, 30, null), { minLength: 16, maxLength: 16 }),
    shared: fc.boolean(),
    rowsDiffer: fc.boolean(),
  })
  .map(({ layers, devices, last, headLayers, held, speeds, latencies, shared, rowsDiffer }) => {
    const ids = ['host', 'a', 'b', 'c'].slice(0, devices);
    const layer = { memoryBytes: 100, outputBytes: 2000 };
    return {
      rows: [
        { name: 'embed', ...layer },
        ...Array.from({ length: layers }, (_, index) => ({ name: `layer${index}`, ...layer })),
        { name: 'head', memoryBytes: 100 * headLayers, outputBytes: 16 },
      ],
      devices: ids.map((id, index) => ({
        id,
        memoryBytes: 100 * held[index] + (index === 0 ? 150 : 30),
        rowMs: Array.from(
          { length: layers + 2 },
          (_, row) => speeds[index] * (rowsDiffer ? 1 + ((row * 7 + index * 3) % 5) / 10 : 1),
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
      ...(shared && { shared: [{ rows: [0, layers + 1], memoryBytes: 80 }] }),
    };
  });

/** The optimum by trying every assignment of rows to devices. */
function enumerateMs(problem: Problem, objective: 'latency' | 'throughput'): number {
  const instance = instanceOf(problem, { objective });
  const { rowCount, devices, pinLastFrom, source } = instance;
  const assigned = new Array<number>(rowCount).fill(0);
  let best = Infinity;
  const place = (row: number): void => {
    if (row < rowCount) {
      for (let device = 0; device < devices.length; device++) {
        assigned[row] = device;
        place(row + 1);
      }
      return;
    }
    const placement = placementOfRows(assigned);
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
