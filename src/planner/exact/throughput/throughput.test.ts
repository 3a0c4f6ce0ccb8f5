import { describe, expect, it } from 'vitest';
import { generateRoom } from '../../command/generated-rooms.ts';
import { solve } from '../../index.ts';

describe('the exact throughput method beyond a handful of devices', () => {
  for (const wiring of ['near', 'uneven', 'star'] as const)
    it(`agrees with the published programme, exact here but slow: ${wiring} wiring`, () => {
      for (let seed = 0; seed < 4; seed++) {
        const room = generateRoom({
          seed,
          layers: 14,
          counts: new Array<number>(10).fill(1),
          tightness: 1.2 + seed / 4,
          wiring,
          layersDiffer: seed % 2 === 1,
        });
        const published = solve(room, { objective: 'throughput', method: 'edgeshard' });
        const exact = solve(room, { objective: 'throughput', timeLimitMs: 20_000 });
        expect(exact.feasible).toBe(published.feasible);
        if (!exact.feasible || !published.feasible) continue;
        expect(exact.ms).toBeCloseTo(published.ms, 9);
        expect(exact.optimal).toBe(true);
      }
    });
});
