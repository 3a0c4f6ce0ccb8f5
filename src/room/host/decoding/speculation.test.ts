import { describe, expect, it } from 'vitest';
import {
  createLapCosts,
  createSpeculation,
  type SeenLap,
  type Speculation,
} from './speculation.ts';

/** A lap that waits for the network: 100 ms, hardly any of it arithmetic. */
const faraway = { lapMs: 100, computeMs: 1, drafted: 0 };
/** One of which half is arithmetic. */
const near = { lapMs: 10, computeMs: 5, drafted: 0 };

const repeating = [7, 1, 2, 3, 4, 5, 6, 9, 1, 2];

function after(...laps: SeenLap[]): Speculation {
  const costs = createLapCosts();
  for (const lap of laps) costs.observe(lap);
  return createSpeculation(costs);
}

/** Lets the text go on with `brought` as often; the last draft's length. */
function goOn(speculation: Speculation, lap: SeenLap, brought: number[], times = 20): number {
  for (let time = 0; time < times; time++) {
    const drafted = speculation.draft(repeating, 8).length;
    speculation.observe({ ...lap, drafted, brought: brought.slice(0, drafted + 1) });
  }
  return speculation.draft(repeating, 8).length;
}

describe('speculation', () => {
  it('drafts nothing before it knows what a lap costs', () => {
    expect(after().draft(repeating, 8)).toEqual([]);
  });

  it('drafts what followed where the text stood before', () => {
    const draft = after(faraway).draft(repeating, 8);
    expect(draft.length).toBeGreaterThan(0);
    expect([3, 4, 5, 6, 9, 1, 2].slice(0, draft.length)).toEqual(draft);
  });

  it('looks for the longest and latest place', () => {
    const speculation = after(faraway);
    // Both "1 2" and "8 1 2" were there before; the longer match tells more.
    expect(speculation.draft([8, 1, 2, 50, 1, 2, 60, 8, 1, 2], 1)).toEqual([50]);
    expect(speculation.draft([1, 2, 50, 1, 2, 60, 1, 2], 1)).toEqual([60]);
  });

  it('drafts nothing where nothing repeats, and no more than there is room for', () => {
    const speculation = after(faraway);
    expect(speculation.draft([1, 2, 3, 4, 5], 8)).toEqual([]);
    expect(speculation.draft([4, 1, 4, 2, 4], 8)).toEqual([]);
    expect(speculation.draft(repeating, 1)).toEqual([3]);
    expect(speculation.draft(repeating, 0)).toEqual([]);
    expect(speculation.draft([], 8)).toEqual([]);
    expect(speculation.draft([1], 8)).toEqual([]);
  });

  it('drafts nothing where a lap is arithmetic alone', () => {
    expect(after({ lapMs: 100, computeMs: 100, drafted: 0 }).draft(repeating, 8)).toEqual([]);
  });

  it('stops when drafts do not come true and cost time, and drafts more when they do', () => {
    const before = after(faraway).draft(repeating, 8).length;
    expect(goOn(after(faraway), { ...faraway, lapMs: 130 }, [50])).toBe(0);
    const came = [3, 4, 5, 6, 9, 1, 2, 50];
    expect(goOn(after(faraway), { ...faraway, lapMs: 101 }, came)).toBeGreaterThan(before);
  });

  it('learns from laps without drafts that a text has begun to repeat itself', () => {
    const speculation = after(near);
    expect(goOn(speculation, near, [50])).toBe(0);
    expect(goOn(speculation, near, [3, 4, 5, 6, 9, 1, 2, 50])).toBeGreaterThan(0);
  });

  it('judges each answer by its own text', () => {
    const costs = createLapCosts();
    costs.observe(faraway);
    goOn(createSpeculation(costs), { ...faraway, lapMs: 130 }, [50], 40);
    const next = createSpeculation(costs);
    expect(goOn(next, { ...faraway, lapMs: 101 }, [3, 4, 5, 6, 9, 1, 2, 50])).toBeGreaterThan(4);
  });

  it('notices in the midst of drafts that laps have become short', () => {
    const costs = createLapCosts();
    costs.observe(faraway);
    for (let lap = 0; lap < 40; lap++) costs.observe({ lapMs: 9, computeMs: 8, drafted: 8 });
    expect(costs.plainMs).toBeLessThan(10);
  });
});
