import { describe, expect, it } from 'vitest';
import { createSpeculation, type Speculation } from './speculation.ts';

/** A lap that waits for the network: 100 ms, hardly any of it arithmetic. */
const faraway = { lapMs: 100, computeMs: 1, drafted: 0, accepted: 0 };

const repeating = [7, 1, 2, 3, 4, 5, 6, 9, 1, 2];

function after(...laps: Parameters<Speculation['observe']>[0][]): Speculation {
  const speculation = createSpeculation();
  for (const lap of laps) speculation.observe(lap);
  return speculation;
}

describe('speculation', () => {
  it('drafts nothing before it knows what a lap costs', () => {
    expect(createSpeculation().draft(repeating, 8)).toEqual([]);
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
    const busy = { lapMs: 100, computeMs: 100, drafted: 0, accepted: 0 };
    expect(after(busy).draft(repeating, 8)).toEqual([]);
  });

  it('stops when drafts do not come true, and drafts more when they do', () => {
    const failing = { lapMs: 130, computeMs: 4, drafted: 3, accepted: 0 };
    const speculation = after(faraway);
    const before = speculation.draft(repeating, 8).length;
    for (let lap = 0; lap < 20; lap++) speculation.observe(failing);
    expect(speculation.draft(repeating, 8)).toEqual([]);

    const hopeful = after(faraway);
    const succeeding = { lapMs: 101, computeMs: 4, drafted: 3, accepted: 3 };
    for (let lap = 0; lap < 20; lap++) hopeful.observe(succeeding);
    expect(hopeful.draft(repeating, 8).length).toBeGreaterThan(before);
  });
});
