import { describe, expect, it } from 'vitest';
import { generateRoom } from './command/generated-rooms.ts';
import { simulate, solve, type FeasiblePlan, type SimulationOptions } from './index.ts';

const room = generateRoom({
  seed: 11,
  layers: 26,
  counts: [1, 1, 1, 1],
  tightness: 1.3,
  wiring: 'near',
  layersDiffer: true,
});

function planFor(objective: 'latency' | 'throughput'): FeasiblePlan {
  const plan = solve(room, { objective });
  if (!plan.feasible) throw new Error(plan.reason);
  return plan;
}

const load: SimulationOptions = { sequences: 1, prompt: 4, generate: 12, schedule: 'sequential' };

describe('a plan under load', () => {
  it("takes exactly the plan's ms for each token when one sequence decodes alone", () => {
    const plan = planFor('latency');
    const { msPerToken, timeToFirstTokenMs, totalMs } = simulate(room, plan.stages, load);
    expect(msPerToken).toBeCloseTo(plan.ms, 9);
    expect(timeToFirstTokenMs + 11 * plan.ms).toBeCloseTo(totalMs, 6);
    const request = solve(room, {
      objective: 'request',
      request: { prompt: 4, generate: 12 },
    });
    if (!request.feasible) throw new Error(request.reason);
    const run = simulate(room, request.stages, load);
    expect(run.totalMs).toBeCloseTo(request.ms, 6);
  });

  it('approaches the throughput bound with many sequences, and never beats it', () => {
    const plan = planFor('throughput');
    const rate = (sequences: number) =>
      simulate(room, plan.stages, { ...load, prompt: 1, sequences, schedule: 'no-bubbles' })
        .tokensPerSecond;
    const bound = 1000 / plan.ms;
    expect(rate(1)).toBeLessThan(rate(4));
    expect(rate(64)).toBeLessThanOrEqual(bound * (1 + 1e-9));
    expect(rate(64)).toBeGreaterThan(bound * 0.95);
  });

  it('loses time to bubbles, and to communication that does not overlap', () => {
    const { stages } = planFor('throughput');
    const run = (options: Partial<SimulationOptions>) =>
      simulate(room, stages, { ...load, sequences: 6, schedule: 'no-bubbles', ...options })
        .tokensPerSecond;
    expect(run({ schedule: 'bubbles' })).toBeLessThan(run({}));
    expect(run({ schedule: 'sequential' })).toBeLessThan(run({ schedule: 'bubbles' }));
    expect(run({ overlap: false })).toBeLessThan(run({}));
  });

  it('keeps every device and link to one thing at a time, and says how busy each was', () => {
    const { stages } = planFor('throughput');
    const { schedule, utilisation } = simulate(room, stages, {
      ...load,
      sequences: 5,
      microBatch: 2,
      schedule: 'no-bubbles',
      arrivals: { perSecond: 3, seed: 4 },
    });
    for (const resource of Object.keys(utilisation)) {
      const busy = schedule.filter((each) => each.resource === resource);
      busy.sort((a, b) => a.startMs - b.startMs);
      for (let index = 1; index < busy.length; index++)
        expect(busy[index].startMs).toBeGreaterThanOrEqual(busy[index - 1].endMs);
      expect(utilisation[resource]).toBeGreaterThan(0);
      expect(utilisation[resource]).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  it('draws the same Poisson arrivals from the same seed, and others from another', () => {
    const { stages } = planFor('latency');
    const total = (seed: number) =>
      simulate(room, stages, { ...load, sequences: 6, arrivals: { perSecond: 2, seed } }).totalMs;
    expect(total(1)).toBe(total(1));
    expect(total(1)).not.toBe(total(2));
  });
});
