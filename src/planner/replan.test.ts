import { describe, expect, it } from 'vitest';
import { generateRoom } from './command/generated-rooms.ts';
import { solve, type FeasiblePlan, type Problem } from './index.ts';

const room = generateRoom({
  seed: 5,
  layers: 26,
  counts: [1, 1, 1, 1, 1],
  tightness: 1.6,
  wiring: 'near',
  layersDiffer: false,
});

/** The room while `plan` runs in it. */
function running(problem: Problem, plan: FeasiblePlan): Problem {
  const devices = problem.devices.map((device) => ({
    ...device,
    loaded: plan.stages
      .filter((stage) => stage.device === device.id)
      .flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      ),
  }));
  return { ...problem, devices, switching: { toleranceRatio: 0.05 } };
}

function feasible(plan: ReturnType<typeof solve>): FeasiblePlan {
  if (!plan.feasible) throw new Error(plan.reason);
  return plan;
}

describe('re-planning a room that runs', () => {
  for (const objective of ['latency', 'throughput'] as const) {
    const first = feasible(solve(room, { objective }));

    it(`loads nothing when nothing has changed (${objective})`, () => {
      const again = feasible(solve(running(room, first), { objective }));
      expect(again.loadBytes).toBe(0);
      expect(again.ms).toBeLessThanOrEqual(first.ms * 1.05);
    });

    it(`moves less than a fresh plan when a device slows down (${objective})`, () => {
      const slowed = {
        ...room,
        devices: room.devices.map((device) => ({
          ...device,
          layerMs: device.layerMs.map((ms) => (device.id === 'd1' ? ms * 1.08 : ms)),
        })),
      };
      const withLoaded = running(slowed, first);
      const { switching, ...without } = withLoaded;
      const fresh = feasible(solve(without, { objective }));
      const settled = feasible(solve(withLoaded, { objective }));
      expect(settled.loadBytes).toBeLessThanOrEqual(fresh.loadBytes);
      expect(settled.ms).toBeLessThanOrEqual(
        fresh.ms * (1 + (switching?.toleranceRatio ?? 0)) + 1e-9,
      );
    });
  }

  it('takes a faster plan over loaded layers when the gain is beyond the tolerance', () => {
    const alone = feasible(solve(room, { method: 'even' }));
    const settled = feasible(solve(running(room, alone), {}));
    const best = feasible(solve(room, {}));
    expect(settled.ms).toBeLessThanOrEqual(best.ms * 1.05 + 1e-9);
  });
});
