import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findViolation } from './evaluate.ts';
import { methods, solve, type Objective, type Problem } from './index.ts';
import { instanceOf } from './solve.ts';

/**
 * Small enough to be solved to the end, and varied enough to reach every solver: equal and different layers,
 * missing links, heads.
 */
const anyRoom: fc.Arbitrary<Problem> = fc
  .record({
    layers: fc.integer({ min: 2, max: 8 }),
    devices: fc.integer({ min: 1, max: 4 }),
    alike: fc.boolean(),
    first: fc.integer({ min: 1, max: 2 }),
    last: fc.integer({ min: 0, max: 1 }),
    figures: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 120, maxLength: 120 }),
  })
  .map(({ layers, devices, alike, first, last, figures }) => {
    let at = 0;
    const next = () => figures[at++ % figures.length];
    const ids = Array.from({ length: devices }, (_, index) => `d${index}`);
    const blockBytes = next() + 20;
    return {
      layers: Array.from({ length: layers }, (_, layer) => ({
        name: `layer${layer}`,
        memoryBytes: alike ? blockBytes : next() + 10,
        outputBytes: alike ? 1000 : 500 * (1 + (next() % 4)),
      })),
      devices: ids.map((id) => {
        const blockMs = next() / 4;
        return {
          id,
          memoryBytes: next() * 12,
          layerMs: Array.from({ length: layers }, () => (alike ? blockMs : next() / 4)),
        };
      }),
      links: ids.flatMap((from) =>
        ids
          .filter((to) => to !== from && next() > 5)
          .map((to) => ({ from, to, latencyMs: next() / 10, mbps: next() })),
      ),
      source: 'd0',
      pin: { first, last: Math.min(last, layers - first) },
    };
  });

const both: Objective[] = ['latency', 'throughput'];
const runs = { numRuns: 150, seed: 20260101 };

function optimumMs(problem: Problem, objective: Objective): number {
  const plan = solve(problem, { objective, timeLimitMs: 20_000 });
  if (!plan.feasible) {
    expect(plan.proven, plan.reason).toBe(true);
    return Infinity;
  }
  return plan.ms;
}

describe('whatever the room', () => {
  it('every plan of every method respects memory, pins, order and links, and costs what it says', () =>
    fc.assert(
      fc.property(
        anyRoom,
        fc.constantFrom(...methods),
        fc.constantFrom(...both),
        (problem, method, objective) => {
          const plan = solve(problem, { method, objective });
          if (!plan.feasible) return;
          const instance = instanceOf(problem, { objective });
          const indexOf = (id: string) => instance.devices.findIndex((device) => device.id === id);
          const placement = plan.stages.map(({ device, first, last }) => ({
            device: indexOf(device),
            first,
            last,
          }));
          expect(findViolation(instance, placement)).toBeNull();
          expect(plan.boundMs).toBeLessThanOrEqual(plan.ms + 1e-9);
        },
      ),
      { ...runs, numRuns: 400 },
    ));

  it('exact is no slower than any other method', () =>
    fc.assert(
      fc.property(anyRoom, fc.constantFrom(...both), (problem, objective) => {
        const best = optimumMs(problem, objective);
        for (const method of methods) {
          const plan = solve(problem, { method, objective });
          if (plan.feasible && isOneRangeEach(plan.stages, objective))
            expect(plan.ms, method).toBeGreaterThanOrEqual(best - 1e-9);
        }
      }),
      runs,
    ));

  it('a faster device, a better link or more memory never makes the optimum worse', () =>
    fc.assert(
      fc.property(
        anyRoom,
        fc.constantFrom(...both),
        fc.constantFrom('speed', 'memory', 'link'),
        fc.nat(),
        (problem, objective, what, pick) => {
          const better = structuredClone(problem);
          const device = better.devices[pick % better.devices.length];
          if (what === 'speed') device.layerMs = device.layerMs.map((ms) => ms * 0.7);
          if (what === 'memory') device.memoryBytes *= 1.5;
          const link = better.links.at(pick % Math.max(1, better.links.length));
          if (what === 'link' && link !== undefined) {
            link.latencyMs *= 0.5;
            link.mbps *= 2;
          }
          const before = optimumMs(problem, objective);
          expect(optimumMs(better, objective)).toBeLessThanOrEqual(before * (1 + 1e-9));
        },
      ),
      runs,
    ));

  it('the order in which devices and links are listed does not matter', () =>
    fc.assert(
      fc.property(anyRoom, fc.constantFrom(...both), (problem, objective) => {
        const shuffled = {
          ...problem,
          devices: problem.devices.toReversed(),
          links: problem.links.toReversed(),
        };
        const [a, b] = [optimumMs(problem, objective), optimumMs(shuffled, objective)];
        if (a !== b) expect(b).toBeCloseTo(a, 9);
      }),
      runs,
    ));

  it('devices alike may be listed one by one or with a count', () =>
    fc.assert(
      fc.property(anyRoom, fc.constantFrom(...both), (problem, objective) => {
        const [twin] = problem.devices.slice(-1);
        if (twin.id === problem.source) return;
        const between = { latencyMs: 0.5, mbps: 30 };
        const counted: Problem = {
          ...problem,
          devices: problem.devices.map((each) => (each === twin ? { ...each, count: 2 } : each)),
          links: [...problem.links, { from: twin.id, to: twin.id, ...between }],
        };
        const copyOf = (id: string) => (id === twin.id ? 'copy' : id);
        const listed: Problem = {
          ...problem,
          devices: [...problem.devices, { ...twin, id: 'copy' }],
          links: [
            ...problem.links,
            ...problem.links
              .filter(({ from, to }) => from === twin.id || to === twin.id)
              .map((link) => ({ ...link, from: copyOf(link.from), to: copyOf(link.to) })),
            { from: twin.id, to: 'copy', ...between },
            { from: 'copy', to: twin.id, ...between },
          ],
        };
        const [a, b] = [optimumMs(counted, objective), optimumMs(listed, objective)];
        if (a !== b) expect(b).toBeCloseTo(a, 9);
      }),
      runs,
    ));
});

/** Whether each device has one range, as the throughput problem demands. Some baselines use more. */
function isOneRangeEach(stages: { device: string }[], objective: Objective): boolean {
  return (
    objective !== 'throughput' || new Set(stages.map(({ device }) => device)).size === stages.length
  );
}
