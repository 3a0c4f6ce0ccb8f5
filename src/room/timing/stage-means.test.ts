import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLapWatch, createStageWatch } from './stage-means.ts';
import type { StageTiming } from '../view.ts';

const stage = (number: number, computeMs: number): StageTiming => ({
  stage: number,
  queueMs: 0,
  computeMs,
  wireMs: 1,
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the means of laps', () => {
  it('tells means, and not more often than they can be read', () => {
    const watch = createLapWatch();
    expect(watch(1, { lapMs: 16, hops: [stage(0, 8)] })?.lapMs).toBe(16);
    for (let lap = 0; lap < 200; lap++) {
      vi.advanceTimersByTime(1);
      expect(watch(1, { lapMs: 32, hops: [stage(0, 24)] })).toBeNull();
    }
    vi.advanceTimersByTime(800);
    const shown = watch(1, { lapMs: 32, hops: [stage(0, 24)] });
    expect(shown?.lapMs).toBeCloseTo(32, 3);
    expect(shown?.stages[0]).toMatchObject({ stage: 0, wireMs: 1 });
    expect(shown?.stages[0].computeMs).toBeCloseTo(24, 3);
  });

  it('begins anew with another plan', () => {
    const watch = createLapWatch();
    watch(1, { lapMs: 100, hops: [stage(0, 100)] });
    vi.advanceTimersByTime(1000);
    expect(watch(2, { lapMs: 10, hops: [stage(0, 1), stage(1, 2)] })).toEqual({
      planVersion: 2,
      lapMs: 10,
      stages: [stage(0, 1), stage(1, 2)],
    });
  });
});

describe('the means of a device’s stages', () => {
  it('shows all of them together, and nothing once they are others', () => {
    const shown: StageTiming[][] = [];
    const watch = createStageWatch((stages) => shown.push(stages));
    watch.add({ stage: 3, queueUs: 500, computeUs: 2000, wireUs: 1000 });
    watch.add({ stage: 1, queueUs: 0, computeUs: 4000, wireUs: 0 });
    vi.advanceTimersByTime(1000);
    watch.add({ stage: 1, queueUs: 0, computeUs: 4000, wireUs: 0 });
    watch.clear();
    expect(shown.map((stages) => stages.map((each) => each.stage))).toEqual([[3], [1, 3], []]);
    expect(shown[1][1]).toEqual({ stage: 3, queueMs: 0.5, computeMs: 2, wireMs: 1 });
  });
});
